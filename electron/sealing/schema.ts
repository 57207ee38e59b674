import { z } from 'zod';

/** A sealed secret on the wire; see `sealed.ts`. Upper bounds keep a hostile sender from filling memory. */
export const sealedSecretSchema = z.strictObject({
  ephemeralPublicKey: z.base64().length(88),
  nonce: z.base64().length(16),
  ciphertext: z.base64().min(24).max(8192),
});

/** Uncompressed P-256 point, base64. */
export const sealingPublicKeySchema = z.base64().length(88);

/** What a sealed secret may be used for; both ends must name the same. */
export const secretPurpose = {
  pin: (serial: string) => `pin of ${serial}`,
  soPin: (serial: string) => `so-pin of ${serial}`,
  /** A key share or root token on its way into the share host. */
  share: 'key share',
  /** A key share on its way to one custodian's prompt window. */
  shareForDisplay: 'key share for display',
} as const;
