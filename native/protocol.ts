/**
 * What the token host is asked and what it answers. Pure: schemas and types only.
 *
 * One token host process loads one PKCS#11 module (its path and SOFTHSM2_CONF are given when it is
 * started, see `token-host.ts`). Requests carry an id; each gets one reply. A token is named by its
 * serial, never by its slot, because slots move. An uninitialised SoftHSM slot has no serial, so
 * initialising names the slot.
 */
import { z } from 'zod';
import { tokenFailureCodes } from '../electron/workflows/failures.ts';
import { wrappingKeyKindSchema } from '../electron/workflows/key-kinds.ts';
import { sealedSecretSchema, sealingPublicKeySchema } from '../electron/sealing/schema.ts';
import { objectRequests } from './pkcs11/object-protocol.ts';
import { deviceRequests } from './smartcard-hsm/protocol.ts';

const serial = z.string().min(1).max(32);
const objectLabel = z.string().min(1).max(255);
/** Token labels are 32 bytes of UTF-8, blank padded (PKCS#11 v2.40, CK_TOKEN_INFO). The host answers Token_LabelInvalid beyond that. */
const tokenLabel = z.string().min(1).max(255);
/** One look at each character; `z.base64()` decodes the whole besides, which took a fiftieth of a decrypt. */
const base64Bytes = z
  .string()
  .max(400_000)
  .refine((text) => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/u.test(text));

export const tokenHostRequests = {
  /** The host's sealing public key and what the module says of itself. Loads and initialises the module. */
  hello: {
    request: z.strictObject({}),
    reply: z.strictObject({
      sealingPublicKey: sealingPublicKeySchema,
      module: z.strictObject({
        manufacturer: z.string(),
        description: z.string(),
        libraryVersion: z.string(),
        cryptokiVersion: z.string(),
      }),
    }),
  },
  /** Every slot with a token in it, uninitialised ones too. */
  listTokens: {
    request: z.strictObject({}),
    reply: z.array(
      z.strictObject({
        slotId: z.number().int().nonnegative(),
        slotDescription: z.string(),
        initialized: z.boolean(),
        label: z.string(),
        serial: z.string(),
        manufacturer: z.string(),
        model: z.string(),
        firmwareVersion: z.string(),
        userPinSet: z.boolean(),
        pinLengthMinimum: z.number().int(),
        pinLengthMaximum: z.number().int(),
        /** From the CKF_USER_PIN_* flags: nothing wrong, at least one try failed, one try left, locked. */
        userPinState: z.enum(['ok', 'count-low', 'final-try', 'locked']),
        soPinState: z.enum(['ok', 'count-low', 'final-try', 'locked']),
        writeProtected: z.boolean(),
        loggedIn: z.boolean(),
      }),
    ),
  },
  /**
   * C_InitToken, then C_InitPIN in an SO session, then everything read back. Erases the token.
   * `slotId` with `expectedSerial` ('' for an uninitialised slot without one): refused with
   * Token_SerialMismatch when another token sits in that slot. The PINs are sealed for
   * `secretPurpose.soPin(expectedSerial)` and `secretPurpose.pin(expectedSerial)`.
   */
  initializeToken: {
    request: z.strictObject({
      slotId: z.number().int().nonnegative(),
      expectedSerial: z.string().max(32),
      label: tokenLabel,
      soPin: sealedSecretSchema,
      pin: sealedSecretSchema,
    }),
    reply: z.strictObject({ serial, label: z.string(), slotId: z.number().int().nonnegative() }),
  },
  /**
   * Opens this host's one session on the token and logs the user in. Already logged in: succeeds without
   * sending the PIN. With the final try left and no consent: Token_PinLastTry, and no PIN is sent.
   * The PIN is sealed for `secretPurpose.pin(serial)`.
   */
  login: {
    request: z.strictObject({ serial, pin: sealedSecretSchema, consentToLastTry: z.boolean() }),
    reply: z.strictObject({ serial }),
  },
  logout: { request: z.strictObject({ serial }), reply: z.strictObject({}) },
  /** Keys and data objects that this session can see (private ones only when logged in). */
  listObjects: {
    request: z.strictObject({ serial }),
    reply: z.strictObject({
      keyPairs: z.array(
        z.strictObject({
          label: z.string(),
          id: z.string(),
          keyType: z.string(),
          modulusBits: z.number().int().nonnegative(),
          /** Of a key of a named curve; '' else. */
          curve: z.string(),
          hasPublic: z.boolean(),
          hasPrivate: z.boolean(),
          sensitive: z.boolean().nullable(),
          extractable: z.boolean().nullable(),
          /** SHA-256 of the DER SubjectPublicKeyInfo, hex; '' where there is no public key object. */
          publicKeySha256: z.string(),
        }),
      ),
      dataObjects: z.array(
        z.strictObject({
          label: z.string(),
          application: z.string(),
          size: z.number().int(),
          token: z.boolean(),
          private: z.boolean(),
        }),
      ),
    }),
  },
  /**
   * Wrapping key pair: RSA with the attributes of bank-vaults plus SENSITIVE and a CKA_ID, or of a curve, for ECDH.
   * Needs login.
   */
  generateKeyPair: {
    request: z.strictObject({
      serial,
      label: objectLabel,
      kind: wrappingKeyKindSchema,
    }),
    reply: z.strictObject({
      id: z.string(),
      publicKeySpki: base64Bytes,
      publicKeySha256: z.string().length(64),
      modulusBits: z.number().int(),
    }),
  },
  /**
   * The one wrapping key under a label. Failures: Token_KeyMissing, Token_KeyIncomplete (one half),
   * Token_KeyLabelDoubled, Token_KeyUnsuitable (not RSA, or cannot decrypt). Needs login to see the private half.
   */
  findWrappingKey: {
    request: z.strictObject({ serial, label: objectLabel }),
    reply: z.strictObject({
      id: z.string(),
      publicKeySpki: base64Bytes,
      publicKeySha256: z.string().length(64),
      modulusBits: z.number().int(),
    }),
  },
  /** Writes one data object in bank-vaults' form. An object under that label: Token_ObjectExists. Read back before it answers. */
  writeData: {
    request: z.strictObject({ serial, label: objectLabel, value: base64Bytes }),
    reply: z.strictObject({ label: z.string(), size: z.number().int() }),
  },
  /** The one data object under a label. Failures: Token_ObjectMissing, Token_ObjectDoubled. */
  readData: {
    request: z.strictObject({ serial, label: objectLabel }),
    reply: z.strictObject({ label: z.string(), value: base64Bytes }),
  },
  deleteData: { request: z.strictObject({ serial, label: objectLabel }), reply: z.strictObject({}) },
  /** RSA-OAEP-SHA-1 decrypt on the token; the plaintext leaves only sealed to `recipient`. Needs login. */
  decrypt: {
    request: z.strictObject({
      serial,
      keyLabel: objectLabel,
      ciphertext: base64Bytes,
      recipient: sealingPublicKeySchema,
      purpose: z.string().min(1).max(200),
    }),
    reply: z.strictObject({ sealed: sealedSecretSchema }),
  },
  /** `readData` and `decrypt` in one; the failures of both. */
  decryptData: {
    request: z.strictObject({
      serial,
      keyLabel: objectLabel,
      label: objectLabel,
      recipient: sealingPublicKeySchema,
      purpose: z.string().min(1).max(200),
    }),
    reply: z.strictObject({ sealed: sealedSecretSchema }),
  },
  /** Decrypts on the token and compares; the plaintext never leaves the host. For trial objects and drills. */
  verifyDecrypt: {
    request: z.strictObject({
      serial,
      keyLabel: objectLabel,
      ciphertext: base64Bytes,
      expectedSha256: z.string().length(64),
    }),
    reply: z.strictObject({ matches: z.boolean() }),
  },
  /** Logs out everywhere and finalises the module; the host then exits by itself. */
  close: { request: z.strictObject({}), reply: z.strictObject({}) },
  ...objectRequests,
  ...deviceRequests,
} as const;

export type TokenHostMethod = keyof typeof tokenHostRequests;
export type TokenHostRequest<Method extends TokenHostMethod> = z.infer<(typeof tokenHostRequests)[Method]['request']>;
export type TokenHostReply<Method extends TokenHostMethod> = z.infer<(typeof tokenHostRequests)[Method]['reply']>;

export const tokenFailureSchema = z.strictObject({
  code: z.enum(tokenFailureCodes),
  message: z.string(),
  next: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
});

/** Parent to host. */
export const requestEnvelopeSchema = z.strictObject({
  id: z.number().int().nonnegative(),
  method: z.string(),
  body: z.unknown(),
});
export type RequestEnvelope = z.infer<typeof requestEnvelopeSchema>;

/** Host to parent: a reply to one request, or a signal. One message is one of these, or a list of them. */
export const replyEnvelopeSchema = z.union([
  z.strictObject({ id: z.number().int().nonnegative(), ok: z.literal(true), value: z.unknown() }),
  z.strictObject({ id: z.number().int().nonnegative(), ok: z.literal(false), error: tokenFailureSchema }),
  /** The host is up and takes requests. */
  z.strictObject({ signal: z.literal('ready') }),
]);
export type ReplyEnvelope = z.infer<typeof replyEnvelopeSchema>;

/** Command line arguments of the host process: never a secret. SOFTHSM2_CONF is inherited from its environment. */
export const tokenHostArguments = { modulePath: '--module' } as const;
