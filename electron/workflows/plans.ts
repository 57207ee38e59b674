/**
 * What a person decides before a run starts. A plan is written to the journal as it is, so it holds no
 * secret: PINs and shares are asked for when a step needs them.
 */
import { z } from 'zod';
import { clusterPlanSchemas, secretLabelsSchema, valueSecretSchema } from './cluster-plans.ts';
import { clusterPinSchema } from './cluster-ports.ts';
import { deviceChoicesSchema, devicePlanSchemas } from './device-plans.ts';
import { wrappingCurveSchema, wrappingKeyBitsSchema } from './key-kinds.ts';
import { kmsPlanSchemas } from './kms-plans.ts';
import { vaultConnectionSchema } from './vault-connection.ts';
import { vaultSetUpPlanSchemas } from './vault-setup-plans.ts';

const name = z.string().trim().min(1).max(80);

const tokenReferenceSchema = z.strictObject({
  storeId: z.string().min(1).max(80),
  serial: z.string().min(1).max(32),
  label: z.string().max(255),
});

const pgpRecipient = {
  custodian: name,
  publicKeyArmored: z.string().min(1).max(100_000),
  fingerprint: z.string().regex(/^[0-9A-F]{40,64}$/u),
};

export const shareDestinationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('token') }),
  /** In the plan's Secret. */
  z.strictObject({ kind: z.literal('secret') }),
  z.strictObject({ kind: z.literal('pgp'), ...pgpRecipient }),
  z.strictObject({ kind: z.literal('shown'), custodian: name }),
]);

export const rootTokenDestinationSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('token') }),
  z.strictObject({ kind: z.literal('secret') }),
  z.strictObject({ kind: z.literal('pgp'), ...pgpRecipient }),
  z.strictObject({ kind: z.literal('revoked') }),
]);

/** Initialise a token (or take it as it is) and make the wrapping key pair. */
export const tokenSetupPlanSchema = z.strictObject({
  workflow: z.literal('token-setup'),
  rehearsal: z.boolean(),
  storeId: z.string().min(1).max(80),
  storeName: z.string().max(255),
  slotId: z.number().int().nonnegative(),
  /** '' where the slot's token is not initialised and has none. */
  expectedSerial: z.string().max(32),
  /** false: the token is set up already; only the key pair is made. */
  initialize: z.boolean(),
  /** What the token is called now, '' for uninitialised: what must be typed before it is erased. */
  currentLabel: z.string().max(255),
  label: z.string().min(1).max(255),
  keyLabel: z.string().min(1).max(255),
  modulusBits: wrappingKeyBitsSchema,
  /** Where there is one, the pair is of this curve instead. */
  curve: wrappingCurveSchema.exactOptional(),
  /** Only for a SmartCard-HSM that is initialised here. */
  device: deviceChoicesSchema.exactOptional(),
});

export const vaultInitPlanSchema = z
  .strictObject({
    workflow: z.literal('vault-init'),
    rehearsal: z.boolean(),
    vaultId: z.string().min(1).max(80),
    vaultName: name,
    connection: vaultConnectionSchema,
    token: tokenReferenceSchema,
    keyLabel: z.string().min(1).max(255),
    shares: z.number().int().min(1).max(255),
    threshold: z.number().int().min(1).max(255),
    /** Where the values of kind 'secret' go: a Kubernetes Secret, as ciphertext under the token's key (mode hsm-k8s). */
    secret: z
      .strictObject({
        cluster: clusterPinSchema,
        secret: valueSecretSchema,
        /** Of the Secret, where this run makes it. */
        labels: secretLabelsSchema.exactOptional(),
      })
      .exactOptional(),
    /** One per share, in share order. */
    destinations: z.array(shareDestinationSchema).min(1).max(255),
    rootToken: rootTokenDestinationSchema,
  })
  .refine((plan) => plan.threshold <= plan.shares, {
    message: 'The threshold cannot be above the number of shares.',
    path: ['threshold'],
  })
  .refine((plan) => plan.shares === 1 || plan.threshold >= 2, {
    message: 'With more than one share the threshold is at least 2.',
    path: ['threshold'],
  })
  .refine(
    (plan) =>
      plan.secret !== undefined || ![...plan.destinations, plan.rootToken].some(({ kind }) => kind === 'secret'),
    {
      message: 'Say which Secret in which cluster.',
      path: ['secret'],
    },
  )
  .refine((plan) => plan.destinations.length === plan.shares, {
    message: 'Every share needs a destination.',
    path: ['destinations'],
  });

export const unsealSourceSchema = z.discriminatedUnion('kind', [
  /** Every vault-unseal-N on the token until the threshold is met. */
  z.strictObject({ kind: z.literal('token'), token: tokenReferenceSchema, keyLabel: z.string().min(1).max(255) }),
  /** Every vault-unseal-N in a Kubernetes Secret (bank-vaults' mode hsm-k8s), decrypted on the local token. */
  z.strictObject({
    kind: z.literal('secret'),
    cluster: clusterPinSchema,
    secret: valueSecretSchema,
    token: tokenReferenceSchema,
    keyLabel: z.string().min(1).max(255),
  }),
  z.strictObject({ kind: z.literal('pgp'), custodian: name, messageBase64: z.base64().max(100_000) }),
  z.strictObject({ kind: z.literal('typed'), custodian: name }),
]);

export const unsealPlanSchema = z.strictObject({
  workflow: z.literal('unseal'),
  rehearsal: z.boolean(),
  vaultId: z.string().min(1).max(80),
  vaultName: name,
  /** All nodes of one cluster. */
  connections: z.array(vaultConnectionSchema).min(1).max(32),
  sources: z.array(unsealSourceSchema).min(1).max(255),
});

/** From Shamir to an auto-seal, or back, one node at a time in this order: standbys first, the active one last. */
export const sealMigrationPlanSchema = z.strictObject({
  workflow: z.literal('seal-migration'),
  rehearsal: z.boolean(),
  vaultId: z.string().min(1).max(80),
  vaultName: name,
  connections: z.array(vaultConnectionSchema).min(1).max(32),
  /** What seal-status calls the seal that it is migrated to. */
  sealType: z.enum(['shamir', 'pkcs11', 'transit', 'awskms', 'gcpckms', 'azurekeyvault', 'ocikms', 'alicloudkms']),
  sources: z.array(unsealSourceSchema).min(1).max(255),
});

export const planSchema = z.discriminatedUnion('workflow', [
  tokenSetupPlanSchema,
  vaultInitPlanSchema,
  unsealPlanSchema,
  sealMigrationPlanSchema,
  ...devicePlanSchemas,
  ...clusterPlanSchemas,
  ...vaultSetUpPlanSchemas,
  ...kmsPlanSchemas,
]);

/** Every workflow there is, by the name that plans, journals and views give it. */
export const workflowNames = planSchema.options.map((option) => option.shape.workflow.value);
export const workflowNameSchema = z.enum(workflowNames);

export type TokenSetupPlan = z.infer<typeof tokenSetupPlanSchema>;
export type VaultInitPlan = z.infer<typeof vaultInitPlanSchema>;
export type UnsealPlan = z.infer<typeof unsealPlanSchema>;
export type SealMigrationPlan = z.infer<typeof sealMigrationPlanSchema>;
export type Plan = z.infer<typeof planSchema>;
export type WorkflowName = Plan['workflow'];
