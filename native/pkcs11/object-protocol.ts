/**
 * What the token host is asked about everything that lies on a token, whoever made it: objects with their
 * attributes, public keys, certificates, tests of keys, mechanisms, and bank-vaults' values. Pure.
 */
import { z } from 'zod';
import { sealedSecretSchema } from '../../electron/sealing/schema.ts';

const serial = z.string().min(1).max(32);
const objectLabel = z.string().min(1).max(255);
const base64Bytes = z.base64().max(400_000);
const hex = z
  .string()
  .regex(/^[0-9a-f]*$/u)
  .max(512);

export const objectClassSchema = z.enum(['private-key', 'public-key', 'secret-key', 'certificate', 'data', 'other']);

export const tokenObjectSchema = z.strictObject({
  objectClass: objectClassSchema,
  label: z.string(),
  /** CKA_ID, hex; '' where there is none. */
  id: hex,
  /** 'RSA', 'EC', 'AES', 'X.509', ''. */
  kind: z.string(),
  /** Modulus, field or key bits; 0 where it does not apply or cannot be read. */
  bits: z.number().int().nonnegative(),
  /** Name of the curve, '' for none. */
  curve: z.string(),
  /** Bytes of a value or certificate; 0 for keys. */
  size: z.number().int().nonnegative(),
  /** CKA_ names without the prefix that are true: 'TOKEN', 'PRIVATE', 'SENSITIVE', 'EXTRACTABLE', 'DECRYPT', 'SIGN', 'DERIVE', 'LOCAL'… */
  attributes: z.array(z.string()),
  /** Subject and end of a certificate; '' otherwise. */
  subject: z.string(),
  notAfter: z.string(),
  /** SHA-256 of the public key's SubjectPublicKeyInfo, of the certificate or of the data value, hex; '' where it cannot be read. */
  sha256: hex,
});

const wrappingChoiceSchema = z.strictObject({
  mechanism: z.enum(['rsa-oaep-sha256', 'rsa-oaep-sha1', 'ecdh']),
  /** SHA-1 because SHA-256 does not work: to be recorded. */
  isDowngrade: z.boolean(),
  reason: z.string(),
});

export const wrappingAbilitySchema = z.strictObject({
  /** Tried with a key on the token, or read from the mechanism list where there is none. */
  oaepSha1: z.enum(['works', 'offered', 'fails', 'absent']),
  oaepSha256: z.enum(['works', 'offered', 'fails', 'absent']),
  ecdh: z.enum(['works', 'offered', 'fails', 'absent']),
  /** Refused below OpenSC 0.25.1, whose unpadding is not constant-time. */
  pkcs1: z.enum(['offered', 'unsafe', 'absent']),
  /**
   * What values of this program's own would be wrapped with: only what was tried and worked; null where nothing was.
   * bank-vaults' values stay RSA-OAEP with SHA-1 whatever it says. See wrapping-mechanism.ts.
   */
  choice: wrappingChoiceSchema.nullable(),
});

export const objectRequests = {
  /** Every object that this session sees; private ones only when logged in. */
  'objects.list': {
    request: z.strictObject({ serial }),
    reply: z.strictObject({
      objects: z.array(tokenObjectSchema),
      /** Bytes; -1 where the token does not say (CK_UNAVAILABLE_INFORMATION). */
      freePublicMemory: z.number().int(),
      totalPublicMemory: z.number().int(),
    }),
  },
  /** DER SubjectPublicKeyInfo of the public half of a key pair (RSA, EC), from its public key object or its certificate. */
  'objects.export-public-key': {
    request: z.strictObject({ serial, id: hex, label: z.string().max(255) }),
    reply: z.strictObject({ publicKeySpki: base64Bytes, publicKeySha256: hex.length(64), kind: z.string() }),
  },
  /** Stores an X.509 certificate (DER). An object of that class, label and id: Token_ObjectExists. Needs login. Read back. */
  'objects.store-certificate': {
    request: z.strictObject({ serial, certificate: base64Bytes, label: objectLabel, id: hex }),
    reply: z.strictObject({ label: z.string(), sha256: hex.length(64), subject: z.string() }),
  },
  /** One X.509 certificate (DER), told by its hash among those of its label and id. None: Token_ObjectMissing. */
  'objects.read-certificate': {
    request: z.strictObject({ serial, label: z.string().max(255), id: hex, sha256: hex.length(64) }),
    reply: z.strictObject({ certificate: base64Bytes }),
  },
  /**
   * Deletes the one object (or both halves of the one key pair) that is meant; none: Token_ObjectMissing; several:
   * Token_ObjectDoubled unless `sha256` says which. Of data objects with the very same bytes `sha256` deletes one, so
   * that a doubled value is never deleted with its double. Needs login. Absence is read back.
   */
  'objects.delete': {
    request: z.strictObject({
      serial,
      objectClass: z.enum(['key-pair', 'secret-key', 'certificate', 'data']),
      label: z.string().max(255),
      id: hex,
      /** Tells objects of one name apart, '' where there is one only. */
      sha256: hex,
    }),
    reply: z.strictObject({ deleted: z.number().int() }),
  },
  /** A round trip with one private key: decrypt what was encrypted to it, or verify what it signed, or derive on both sides. Needs login. */
  'keys.test': {
    request: z.strictObject({ serial, id: hex, label: z.string().max(255) }),
    reply: z.strictObject({
      tried: z.array(z.string()),
      passed: z.boolean(),
      problem: z.string(),
      /** The best that worked to wrap values with, of all that were tried; null for a key that is not for that. */
      wrapping: wrappingChoiceSchema.nullable(),
    }),
  },
  /** What the token can wrap with; `keyLabel` '' asks the mechanism list alone. */
  'token.wrapping-ability': {
    request: z.strictObject({ serial, keyLabel: z.string().max(255) }),
    reply: wrappingAbilitySchema,
  },
  /**
   * C_SetPIN, then the new PIN tried. `current` is sealed for `secretPurpose.pin(serial)` or `soPin(serial)`,
   * `replacement` for `newPin(serial)` or `newSoPin(serial)`. Ends the login.
   */
  'token.change-pin': {
    request: z.strictObject({
      serial,
      role: z.enum(['user', 'so']),
      current: sealedSecretSchema,
      replacement: sealedSecretSchema,
      consentToLastTry: z.boolean(),
    }),
    reply: z.strictObject({ serial }),
  },
  /**
   * C_InitPIN in an SO session: a new user PIN. For tokens that are no SmartCard-HSM. Ends the login. Sealed for
   * `secretPurpose.soPin(serial)` and `newPin(serial)`.
   */
  'token.reset-pin': {
    request: z.strictObject({ serial, soPin: sealedSecretSchema, newPin: sealedSecretSchema }),
    reply: z.strictObject({ serial }),
  },
  /**
   * Decrypts one of bank-vaults' values with one key and encrypts it under another key of the same token, inside the
   * host. The new ciphertext is decrypted with its own key and compared before it is answered. Nothing is written: it
   * is put on disk before the token is changed. Needs login. `sha256` tells doubled values apart, '' otherwise.
   */
  'values.rewrap': {
    request: z.strictObject({
      serial,
      label: objectLabel,
      sha256: hex,
      fromKeyLabel: objectLabel,
      toKeyLabel: objectLabel,
    }),
    reply: z.strictObject({ ciphertext: base64Bytes, ciphertextSha256: hex.length(64) }),
  },
  /**
   * Whether a value decrypts with a key, without the plaintext leaving the host. Needs login. `mark` is the
   * HMAC-SHA-256 of the plaintext under a random key of this host, hex, '' where it does not decrypt: equal marks of
   * one host are equal plaintexts, and say nothing else. It is kept nowhere.
   */
  'values.check': {
    request: z.strictObject({ serial, label: objectLabel, sha256: hex, keyLabel: objectLabel }),
    reply: z.strictObject({ decrypts: z.boolean(), plaintextLength: z.number().int(), mark: hex.max(64) }),
  },
  /** The ciphertext of one data object; `sha256` tells doubled ones apart, '' otherwise. Failures as `values.check`. */
  'values.read': {
    request: z.strictObject({ serial, label: objectLabel, sha256: hex }),
    reply: z.strictObject({ value: base64Bytes }),
  },
} as const;
