/** The plans of everything that is done to a token after its keys are in use, and of a SmartCard-HSM's own set-up. No secret. */
import { z } from 'zod';
import { wrappingCurveSchema, wrappingKeyBitsSchema } from './key-kinds.ts';

const name = z.string().trim().min(1).max(80);
const label = z.string().min(1).max(255);
const hex = z
  .string()
  .regex(/^[0-9a-f]*$/u)
  .max(512);
/** A DKEK share file is 64 bytes; a wrapped key file a few kB. Both are ciphertext. */
const smallFile = { fileName: z.string().min(1).max(255), fileBase64: z.base64().min(4).max(65_536) };

export const tokenOfPlanSchema = z.strictObject({
  storeId: z.string().min(1).max(80),
  serial: z.string().min(1).max(32),
  label: z.string().max(255),
});

export const dkekProtectionSchema = z
  .discriminatedUnion('kind', [
    /** One custodian chooses and keeps the password. */
    z.strictObject({ kind: z.literal('password'), custodian: name }),
    /** A random password, split; each custodian gets one piece, `threshold` of them open the share. */
    z.strictObject({
      kind: z.literal('split'),
      threshold: z.number().int().min(2).max(16),
      custodians: z.array(name).min(3).max(16),
    }),
  ])
  .refine((one) => one.kind === 'password' || one.threshold <= one.custodians.length, {
    message: 'More pieces would be needed than there are custodians.',
    path: ['threshold'],
  });

export const dkekSharePlanSchema = z.discriminatedUnion('source', [
  z.strictObject({ source: z.literal('new'), protection: dkekProtectionSchema }),
  /** A share file that is there already: for a second device with the same DKEK. */
  z.strictObject({ source: z.literal('file'), ...smallFile, protection: dkekProtectionSchema }),
]);

/** What a SmartCard-HSM is asked at its initialisation besides label and PINs. Part of a token set-up plan. */
export const deviceChoicesSchema = z
  .strictObject({
    /** The SO-PIN in force now: the factory's public one, or one that its holder types. */
    currentSoPin: z.enum(['factory', 'typed']),
    /** Whether a new SO-PIN is set; it must be where the factory's is in force. */
    newSoPin: z.boolean(),
    /** Who keeps the SO-PIN and who the PIN: two people where the names differ. */
    soPinHolder: name,
    pinHolder: name,
    retryLimit: z.number().int().min(1).max(10),
    allowPinResetWithSoPin: z.boolean(),
    dkek: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('none') }),
      z.strictObject({ kind: z.literal('random') }),
      z.strictObject({
        kind: z.literal('shares'),
        shares: z.array(dkekSharePlanSchema).min(1).max(16),
        /** Hex of the key check value that must come out, '' where the DKEK is new. */
        expectedKeyCheckValue: z.union([z.literal(''), hex.length(16)]),
      }),
    ]),
  })
  .refine((choices) => choices.newSoPin || choices.currentSoPin !== 'factory', {
    message: 'The factory’s SO-PIN is known to everybody: a new one has to be set.',
    path: ['newSoPin'],
  });

const common = { rehearsal: z.boolean(), token: tokenOfPlanSchema };

/** A key is wrapped, unwrapped on another device, or on the same one after a reset, and both decrypt the same. */
export const backupDrillPlanSchema = z
  .strictObject({
    workflow: z.literal('backup-drill'),
    ...common,
    keyLabel: label,
    /** Where the wrapped key is tried. It needs the same DKEK. */
    target: tokenOfPlanSchema,
    /** Only where the target is the same device: how it is set up again in between, with the same DKEK from its share files. */
    reset: deviceChoicesSchema.exactOptional(),
  })
  .refine(({ token, target, reset }) => (token.serial === target.serial) === (reset !== undefined), {
    message: 'A drill on the same device erases it in between, and one on another device does not.',
    path: ['reset'],
  })
  .refine(
    ({ reset }) =>
      reset === undefined ||
      (reset.dkek.kind === 'shares' &&
        reset.dkek.expectedKeyCheckValue !== '' &&
        reset.dkek.shares.every(({ source }) => source === 'file')),
    {
      message:
        'To come back after the reset, the key needs the files of all its DKEK shares and their key check value.',
      path: ['reset', 'dkek'],
    },
  );

/** Every key that can be wrapped and every data object goes to a second device with the same DKEK. */
export const deviceClonePlanSchema = z
  .strictObject({
    workflow: z.literal('device-clone'),
    ...common,
    target: tokenOfPlanSchema,
    /** The source is retired: once all is proven on the target, its factory reset is the last step. */
    replace: z.boolean(),
  })
  .refine(({ token, target }) => token.serial !== target.serial, {
    message: 'A device cannot be cloned onto itself.',
    path: ['target'],
  });

export const pinChangePlanSchema = z.strictObject({
  workflow: z.literal('pin-change'),
  ...common,
  act: z.enum(['change-pin', 'change-so-pin', 'unblock-pin', 'reset-pin']),
  /** Acts through the SmartCard-HSM's own commands; false through PKCS#11. */
  smartCardHsm: z.boolean(),
  holder: name,
});

/** Erases a token for good: what is lost is listed in the plan as it was read when the plan was made. */
export const tokenResetPlanSchema = z.strictObject({
  workflow: z.literal('token-reset'),
  ...common,
  slotId: z.number().int().nonnegative(),
  smartCardHsm: z.boolean(),
  losses: z.array(z.string().min(1).max(300)).max(300),
});

export const objectDeletePlanSchema = z.strictObject({
  workflow: z.literal('object-delete'),
  ...common,
  object: z.strictObject({
    objectClass: z.enum(['key-pair', 'secret-key', 'certificate', 'data']),
    label: z.string().max(255),
    id: hex,
    sha256: hex,
  }),
  losses: z.array(z.string().min(1).max(300)).max(50),
});

export const certificateStorePlanSchema = z.strictObject({
  workflow: z.literal('certificate-store'),
  ...common,
  certificateLabel: label,
  id: hex,
  ...smallFile,
});

/** A round trip with every private key of the token, or with those named. */
export const keyTestPlanSchema = z.strictObject({
  workflow: z.literal('key-test'),
  ...common,
  keys: z
    .array(z.strictObject({ label: z.string().max(255), id: hex }))
    .min(1)
    .max(100),
  /** Also check the device's and the keys' attestation (SmartCard-HSM). */
  attest: z.boolean(),
});

/** bank-vaults' values: checked, doubled labels resolved, session-only and missing ones reported. */
export const valuesRepairPlanSchema = z.strictObject({
  workflow: z.literal('values-repair'),
  ...common,
  keyLabel: label,
  /** Values that lie on the token more than once; of each, what decrypts is kept once. */
  doubled: z.array(label).max(300),
  /** Values to check: all that the token was seen to hold. */
  labels: z.array(label).min(1).max(300),
});

/** One value goes to one custodian's prompt, who types it back. */
export const valueReadOutPlanSchema = z.strictObject({
  workflow: z.literal('value-read-out'),
  ...common,
  keyLabel: label,
  valueLabel: label,
  custodian: name,
});

/** Every value is encrypted anew under another key of the token, and the old key is deleted at the end. */
export const valuesRewrapPlanSchema = z.strictObject({
  workflow: z.literal('values-rewrap'),
  ...common,
  fromKeyLabel: label,
  /** Made at the start where it is not there. */
  toKeyLabel: label,
  modulusBits: wrappingKeyBitsSchema,
  /** Where there is one, a pair that is made is of this curve instead. */
  curve: wrappingCurveSchema.exactOptional(),
  labels: z.array(label).min(1).max(300),
  removeOldKey: z.boolean(),
});

export const devicePlanSchemas = [
  backupDrillPlanSchema,
  deviceClonePlanSchema,
  pinChangePlanSchema,
  tokenResetPlanSchema,
  objectDeletePlanSchema,
  certificateStorePlanSchema,
  keyTestPlanSchema,
  valuesRepairPlanSchema,
  valueReadOutPlanSchema,
  valuesRewrapPlanSchema,
] as const;

export type DeviceChoices = z.infer<typeof deviceChoicesSchema>;
export type DkekProtection = z.infer<typeof dkekProtectionSchema>;
export type DkekSharePlan = z.infer<typeof dkekSharePlanSchema>;
export type TokenOfPlan = z.infer<typeof tokenOfPlanSchema>;
export type BackupDrillPlan = z.infer<typeof backupDrillPlanSchema>;
export type DeviceClonePlan = z.infer<typeof deviceClonePlanSchema>;
export type PinChangePlan = z.infer<typeof pinChangePlanSchema>;
export type TokenResetPlan = z.infer<typeof tokenResetPlanSchema>;
export type ObjectDeletePlan = z.infer<typeof objectDeletePlanSchema>;
export type CertificateStorePlan = z.infer<typeof certificateStorePlanSchema>;
export type KeyTestPlan = z.infer<typeof keyTestPlanSchema>;
export type ValuesRepairPlan = z.infer<typeof valuesRepairPlanSchema>;
export type ValueReadOutPlan = z.infer<typeof valueReadOutPlanSchema>;
export type ValuesRewrapPlan = z.infer<typeof valuesRewrapPlanSchema>;
