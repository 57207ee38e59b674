/**
 * What the share host is asked and what it answers. Pure: schemas and types only. A share or root token
 * enters sealed to the host's public key and leaves only as a ciphertext.
 */
import { z } from 'zod';
import { sealedSecretSchema, sealingPublicKeySchema } from '../sealing/schema.ts';
import { appFailureCodes, custodyFailureCodes, pgpFailureCodes, vaultFailureCodes } from '../workflows/failures.ts';
import { rootTokenDestinationSchema, shareDestinationSchema } from '../workflows/plans.ts';
import { vaultConnectionSchema } from '../workflows/vault-connection.ts';
import { foundInVaultSchema, wantedInVaultSchema } from '../workflows/vault-setup-ports.ts';

const failureDetails = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const runId = z.string().min(1).max(80);
const connections = z.array(vaultConnectionSchema).min(1).max(32);

export const vaultFailureSchema = z.strictObject({
  code: z.enum(vaultFailureCodes),
  message: z.string(),
  next: z.string(),
  details: z.exactOptional(failureDetails),
});

export const shareFailureSchema = z.strictObject({
  code: z.enum([...vaultFailureCodes, ...pgpFailureCodes, ...custodyFailureCodes, ...appFailureCodes]),
  message: z.string(),
  next: z.string(),
  details: z.exactOptional(failureDetails),
});

export const sealStatusSchema = z.strictObject({
  product: z.enum(['vault', 'openbao']),
  version: z.string(),
  type: z.string(),
  initialized: z.boolean(),
  sealed: z.boolean(),
  threshold: z.number().int(),
  shares: z.number().int(),
  progress: z.number().int(),
  nonce: z.string(),
  recoverySeal: z.boolean(),
  migration: z.boolean(),
  storageType: z.string(),
  clusterName: z.string(),
  clusterId: z.string(),
});

const progress = z.array(
  z.strictObject({
    address: z.string(),
    result: z.discriminatedUnion('ok', [
      z.strictObject({ ok: z.literal(true), value: sealStatusSchema }),
      z.strictObject({ ok: z.literal(false), error: vaultFailureSchema }),
    ]),
  }),
);

export const shareHostRequests = {
  hello: { request: z.strictObject({}), reply: z.strictObject({ sealingPublicKey: sealingPublicKeySchema }) },
  /** See SharePort.initialize. Safe to ask again: what took place for this run is found, never repeated. */
  initialize: {
    request: z.strictObject({
      runId,
      connection: vaultConnectionSchema,
      shares: z.number().int().min(1).max(255),
      threshold: z.number().int().min(1).max(255),
      destinations: z.array(shareDestinationSchema).min(1).max(255),
      rootToken: rootTokenDestinationSchema,
      wrappingKeySpki: z.base64().max(2_000),
      escrowPath: z.string().min(1).max(4_096),
    }),
    reply: z.strictObject({ labels: z.array(z.string()) }),
  },
  prepareUnseal: { request: z.strictObject({ connections }), reply: z.strictObject({}) },
  submitShare: {
    request: z.strictObject({ connections, share: sealedSecretSchema, straightOn: z.boolean(), migrate: z.boolean() }),
    reply: progress,
  },
  submitPgpShare: {
    request: z.strictObject({ connections, pgpMessage: z.base64().min(4).max(100_000), migrate: z.boolean() }),
    reply: progress,
  },
  resetUnseal: { request: z.strictObject({ connection: vaultConnectionSchema }), reply: sealStatusSchema },
  revokeRootToken: {
    request: z.strictObject({ connection: vaultConnectionSchema, token: sealedSecretSchema }),
    reply: z.strictObject({ revoked: z.literal(true) }),
  },
  /** See VaultSetUpPort, whose methods these are. */
  'setup.hold-token': {
    request: z.strictObject({
      runId,
      connection: vaultConnectionSchema,
      namespace: z.string().max(200),
      token: sealedSecretSchema,
    }),
    reply: z.strictObject({ displayName: z.string(), policies: z.array(z.string()), secondsLeft: z.number() }),
  },
  'setup.holds-token': { request: z.strictObject({ runId }), reply: z.strictObject({ held: z.boolean() }) },
  'setup.look': { request: z.strictObject({ runId, wanted: wantedInVaultSchema }), reply: foundInVaultSchema },
  'setup.make': {
    request: z.strictObject({
      runId,
      wanted: wantedInVaultSchema,
      replace: z.boolean(),
      reviewerToken: sealedSecretSchema.nullable(),
    }),
    reply: foundInVaultSchema.extend({ made: z.boolean() }),
  },
  'setup.try-policy': {
    request: z.strictObject({
      runId,
      policy: z.string().min(1).max(200),
      mount: z.string().min(1).max(200),
      key: z.string().min(1).max(200),
    }),
    reply: z.strictObject({ keyVersion: z.number().int() }),
  },
  'setup.forget-token': { request: z.strictObject({ runId }), reply: z.strictObject({}) },
  describePgpKey: {
    request: z.strictObject({ key: z.base64().max(200_000) }),
    reply: z.strictObject({
      fingerprint: z.string(),
      userId: z.string(),
      algorithm: z.string(),
      expires: z.string(),
      publicKeyArmored: z.string(),
    }),
  },
} as const;

export type ShareHostMethod = keyof typeof shareHostRequests;
export type ShareHostRequest<Method extends ShareHostMethod> = z.infer<(typeof shareHostRequests)[Method]['request']>;
export type ShareHostReply<Method extends ShareHostMethod> = z.infer<(typeof shareHostRequests)[Method]['reply']>;

export const shareRequestEnvelopeSchema = z.strictObject({
  id: z.number().int().nonnegative(),
  method: z.string(),
  body: z.unknown(),
});

/** In a failure's details: Vault was initialised, and its values are in the share host's memory and nowhere else. */
export const heldInMemory = 'heldInMemory';
