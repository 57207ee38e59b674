import { z } from 'zod';

/** One look at each character: `z.base64()` decodes the whole besides, and these are on the hot path. */
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/u);

/** A sealed secret on the wire; see `sealed.ts`. Upper bounds keep a hostile sender from filling memory. */
export const sealedSecretSchema = z.strictObject({
  ephemeralPublicKey: base64.length(88),
  nonce: base64.length(16),
  ciphertext: base64
    .min(24)
    .max(8192)
    .refine((text) => text.length % 4 === 0),
});

/** Uncompressed P-256 point, base64. */
export const sealingPublicKeySchema = base64.length(88);

/** What a sealed secret may be used for; both ends must name the same. */
export const secretPurpose = {
  pin: (serial: string) => `pin of ${serial}`,
  soPin: (serial: string) => `so-pin of ${serial}`,
  newPin: (serial: string) => `new pin of ${serial}`,
  newSoPin: (serial: string) => `new so-pin of ${serial}`,
  /** A DKEK share's password, or a piece of one, on its way to the token host. */
  dkekPassword: 'dkek share password',
  /** A piece of a DKEK share's password on its way to one custodian's prompt window. */
  dkekPieceForDisplay: 'dkek share piece for display',
  /** A key share or root token on its way into the share host. */
  share: 'key share',
  /** A Vault token of an administrator on its way into the share host. */
  vaultToken: 'vault token',
  /** A cluster's service account token on its way from the cluster host into the share host. */
  reviewerToken: 'reviewer token',
  /** A key share on its way to one custodian's prompt window. */
  shareForDisplay: 'key share for display',
  /** A value for a Secret on its way into the cluster host: the Secret and key that it goes into, so that none can be put elsewhere. */
  secretSlot: (reference: { readonly namespace: string; readonly name: string }, key: string) =>
    `secret ${reference.namespace}/${reference.name} ${key}`,
} as const;
