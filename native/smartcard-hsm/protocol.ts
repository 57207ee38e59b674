/**
 * What the token host is asked about a SmartCard-HSM beyond PKCS#11: set-up, PINs, DKEK, wrapped keys,
 * attestation. Pure. The host speaks to the card through PC/SC beside the PKCS#11 module that it has loaded,
 * so both are in one process and one queue; where an act changes the card under the module, the module is
 * started anew and its logins are gone.
 *
 * A device is named by its serial, never by its reader or slot. Secrets arrive sealed to the host.
 */
import { z } from 'zod';
import { sealedSecretSchema, sealingPublicKeySchema } from '../../electron/sealing/schema.ts';

const serial = z.string().min(1).max(32);
const base64Bytes = z.base64().max(400_000);
const hex = z.string().regex(/^[0-9a-f]*$/u);

/** A key's number on the card; 0 is the device's own. */
const keyNumber = z.number().int().min(1).max(255);

export const dkekStateSchema = z.strictObject({
  /** none: no key can ever be backed up; awaiting-shares: no key can be made before all are in; ready. */
  kind: z.enum(['none', 'awaiting-shares', 'ready']),
  shares: z.number().int().nonnegative(),
  outstanding: z.number().int().nonnegative(),
  /** First 8 bytes of the DKEK's SHA-256, hex; '' until it is complete. */
  keyCheckValue: hex.max(16),
});

export const deviceSchema = z.strictObject({
  serial,
  readerName: z.string(),
  label: z.string(),
  /** '3.5' */
  firmwareVersion: z.string(),
  /** Bytes; -1 where the firmware does not say. */
  freeMemory: z.number().int(),
  pinState: z.enum(['set', 'not-initialized', 'locked', 'transport']),
  /** -1 where it cannot be known without using one up, such as while a session is logged in. */
  pinTriesLeft: z.number().int(),
  soPinState: z.enum(['set', 'not-initialized', 'locked']),
  soPinTriesLeft: z.number().int(),
  dkek: dkekStateSchema,
  /** As INITIALIZE DEVICE set them: 'pin-reset-with-so-pin', 'transport-pin', 'public-key-authentication'… */
  options: z.array(z.string()),
});

export const attestationSchema = z.strictObject({
  device: z.strictObject({
    state: z.enum(['verified', 'unknown-root', 'absent', 'invalid']),
    /** Certificate holder references from the device up to the root, as far as they are there. */
    chain: z.array(z.string()),
    problem: z.string(),
  }),
  keys: z.array(
    z.strictObject({
      label: z.string(),
      id: hex,
      /** verified: the request is signed by the key itself and by the device whose chain was verified. */
      state: z.enum(['verified', 'absent', 'invalid']),
      problem: z.string(),
    }),
  ),
});

const dkekOpening = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('password'), password: sealedSecretSchema }),
  /** Pieces of a password that was split, as sc-hsm-tool prints them, in any order. */
  z.strictObject({ kind: z.literal('pieces'), pieces: z.array(sealedSecretSchema).min(2).max(255) }),
]);

export type DkekOpening = z.infer<typeof dkekOpening>;

export const deviceRequests = {
  /** Every SmartCard-HSM in a reader. Does not end another program's login: the applet is selected only where it is not. */
  'device.list': { request: z.strictObject({}), reply: z.strictObject({ devices: z.array(deviceSchema) }) },
  /**
   * INITIALIZE DEVICE: erases everything, sets label, PIN, retry limit and DKEK choice, and reads all of it back.
   * `currentSoPin` null: the factory's public SO-PIN is still set. A new SO-PIN is set last, when all else is done:
   * cut off before, the act is repeated with the same SO-PINs and no try is lost. The public default is refused as
   * a new one (Device_SoPinIsFactory). Sealed for `secretPurpose.soPin(serial)` (the current one),
   * `secretPurpose.newSoPin(serial)` and `secretPurpose.pin(serial)`. Ends every login.
   */
  'device.initialize': {
    request: z.strictObject({
      serial,
      label: z.string().min(1).max(255),
      currentSoPin: sealedSecretSchema.nullable(),
      newSoPin: sealedSecretSchema.nullable(),
      pin: sealedSecretSchema,
      retryLimit: z.number().int().min(1).max(10),
      dkek: z.discriminatedUnion('kind', [
        z.strictObject({ kind: z.literal('none') }),
        z.strictObject({ kind: z.literal('random') }),
        z.strictObject({ kind: z.literal('shares'), count: z.number().int().min(1).max(16) }),
      ]),
      allowPinResetWithSoPin: z.boolean(),
    }),
    reply: deviceSchema,
  },
  /**
   * CHANGE REFERENCE DATA. Of the SO-PIN: 16 hex digits, the public default refused. Sealed for `secretPurpose.pin`
   * or `soPin`, and `newPin` or `newSoPin`, each with the serial. Ends every login.
   */
  'device.change-pin': {
    request: z.strictObject({
      serial,
      role: z.enum(['user', 'so']),
      current: sealedSecretSchema,
      replacement: sealedSecretSchema,
      consentToLastTry: z.boolean(),
    }),
    reply: deviceSchema,
  },
  /**
   * RESET RETRY COUNTER with the SO-PIN; with a new PIN where one is given. Sealed for `secretPurpose.soPin(serial)`
   * and `secretPurpose.newPin(serial)`. Ends every login.
   */
  'device.unblock-pin': {
    request: z.strictObject({ serial, soPin: sealedSecretSchema, newPin: sealedSecretSchema.nullable() }),
    reply: deviceSchema,
  },
  /** Makes one DKEK share file (sc-hsm-tool's form, 64 bytes). Needs no card. Takes seconds by design. */
  'dkek.create-share': {
    request: z.strictObject({
      protection: z.discriminatedUnion('kind', [
        /** Sealed for `secretPurpose.dkekPassword`. */
        z.strictObject({ kind: z.literal('password'), password: sealedSecretSchema }),
        z.strictObject({
          kind: z.literal('split'),
          threshold: z.number().int().min(2).max(255),
          total: z.number().int().min(3).max(255),
        }),
      ]),
    }),
    reply: z.strictObject({
      file: base64Bytes,
      fileSha256: hex.length(64),
      /** Names the split whose pieces this process still holds; '' for a password of its own. */
      splitId: z.string(),
    }),
  },
  /** One piece of a split password for one custodian, sealed to the prompt. Failure Token_SessionLost where the host was started anew since. */
  'dkek.piece': {
    request: z.strictObject({
      splitId: z.string().min(1).max(80),
      index: z.number().int().nonnegative().max(254),
      recipient: sealingPublicKeySchema,
      purpose: z.string().min(1).max(200),
    }),
    reply: z.strictObject({ sealed: sealedSecretSchema }),
  },
  /** All pieces are with their custodians: they are wiped. */
  'dkek.forget-split': { request: z.strictObject({ splitId: z.string().min(1).max(80) }), reply: z.strictObject({}) },
  /** Opens a share file and imports it. Nothing is sent where the file or password is wrong (Device_SharePasswordWrong). */
  'dkek.import-share': {
    request: z.strictObject({ serial, file: base64Bytes, opening: dkekOpening }),
    reply: dkekStateSchema,
  },
  /**
   * Opens a share file and holds the share in this process, to learn what all of a collection give. Needs no card.
   * Device_SharePasswordWrong, Device_SharePieceInvalid, Device_ShareFileInvalid.
   */
  'dkek.open-share': {
    request: z.strictObject({
      collection: z.string().min(1).max(80),
      index: z.number().int().nonnegative().max(15),
      file: base64Bytes,
      opening: dkekOpening,
    }),
    reply: z.strictObject({}),
  },
  /** What they give together; they are wiped. Token_SessionLost where the host was started anew since one was opened. */
  'dkek.key-check-value': {
    request: z.strictObject({ collection: z.string().min(1).max(80), count: z.number().int().min(1).max(16) }),
    reply: z.strictObject({ keyCheckValue: hex.length(16) }),
  },
  /** A key under the DKEK with its description and certificate: sc-hsm-tool's wrapped key file. Needs login. */
  'device.wrap-key': {
    request: z.strictObject({ serial, keyId: hex.min(2).max(80) }),
    reply: z.strictObject({ file: base64Bytes, label: z.string(), keyCheckValue: hex.length(16) }),
  },
  /**
   * Puts a wrapped key into a free place. Needs login. Device_DkekMismatch where it was wrapped under another DKEK;
   * Device_KeyExists where a key of that label and id is there already, so a repetition after a cut-off says so.
   * Further keys can be wrapped and unwrapped in the same login; the next request of another kind starts the PKCS#11
   * module anew, which ends every login.
   */
  'device.unwrap-key': {
    request: z.strictObject({ serial, file: base64Bytes }),
    reply: z.strictObject({ label: z.string(), keyId: hex }),
  },
  /**
   * The certificate request of the key with this id, as it lies on the card, and what it attests; '' where there is
   * none any more. A certificate that is stored under the key's id takes its place. No login.
   */
  'device.key-request': {
    request: z.strictObject({ serial, keyId: hex.min(2).max(80) }),
    reply: z.strictObject({
      request: z.base64().max(40_000),
      state: z.enum(['verified', 'absent', 'invalid']),
      problem: z.string(),
    }),
  },
  /**
   * Puts a kept request back where storing a certificate was cut off, so that the key has its public half again. Needs
   * login, and ends every login. Device_CardFault, Token_KeyMissing; Token_BadRequest for what is no request.
   */
  'device.restore-key-request': {
    request: z.strictObject({ serial, keyId: hex.min(2).max(80), request: z.base64().max(40_000) }),
    reply: z.strictObject({}),
  },
  /** Numbers of keys that have no description, so that no PKCS#11 program shows them: a key generation was cut off. No login. */
  'device.nameless-keys': {
    request: z.strictObject({ serial }),
    reply: z.strictObject({ numbers: z.array(keyNumber) }),
  },
  /** Deletes one of them. Needs login. One that has a description is refused (Device_KeyExists). */
  'device.delete-nameless-key': {
    request: z.strictObject({ serial, number: keyNumber }),
    reply: z.strictObject({}),
  },
  'device.attest': { request: z.strictObject({ serial }), reply: attestationSchema },
} as const;
