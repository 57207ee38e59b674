/**
 * What the cluster host is asked and what it answers. Pure: schemas and types only. It is the one process that runs
 * kubectl, and the one where a PIN for a Secret is opened.
 */
import { z } from 'zod';
import { sealedSecretSchema, sealingPublicKeySchema, secretPurpose } from '../electron/sealing/schema.ts';
import {
  accessAnswerSchema,
  accessNeedSchema,
  allowanceSchema,
  clusterContextSchema,
  clusterPinSchema,
  clusterStateSchema,
  driftSchema,
  objectOutcomeSchema,
  objectReferenceSchema,
  pushContentSchema,
  pushPreviewSchema,
  pushRecordSchema,
  rolloutStateSchema,
} from '../electron/workflows/cluster-ports.ts';
import { valueSecretSchema } from '../electron/workflows/cluster-plans.ts';
import {
  apiServersSchema,
  canarySchema,
  etcdPlaceSchema,
  resourceNameSchema,
  rewrittenSchema,
  storedCountSchema,
} from '../electron/workflows/kms-ports.ts';

const nothing = z.strictObject({});
const base64 = z.base64().max(2_000_000);
/** bank-vaults' names and raw ciphertexts. */
const values = z.record(z.string().max(253), base64);
/** Every request that may run kubectl says what the person has allowed. */
const onCluster = { pin: clusterPinSchema, allowed: z.array(allowanceSchema).max(1000) };

export const clusterHostRequests = {
  /** Finds kubectl (KEY_CUSTODIAN_KUBECTL, PATH) and reads its version. */
  hello: {
    request: nothing,
    reply: z.strictObject({
      sealingPublicKey: sealingPublicKeySchema,
      kubectlPath: z.string(),
      kubectlVersion: z.string(),
    }),
  },
  'contexts.list': {
    request: z.strictObject({ kubeconfigPaths: z.array(z.string().min(1).max(4096)).min(1).max(64) }),
    reply: z.strictObject({ contexts: z.array(clusterContextSchema) }),
  },
  /** The pin of a context now, the cluster's UID included. */
  'contexts.pin': {
    request: z.strictObject({
      kubeconfigPaths: z.array(z.string().min(1).max(4096)).min(1).max(64),
      contextId: z.string().max(80),
      allowed: z.array(allowanceSchema).max(1000),
    }),
    reply: z.strictObject({ pin: clusterPinSchema }),
  },
  'cluster.probe': { request: z.strictObject(onCluster), reply: clusterStateSchema },
  'cluster.check-rights': {
    request: z.strictObject({ ...onCluster, needs: z.array(accessNeedSchema).max(400) }),
    reply: z.strictObject({ answers: z.array(accessAnswerSchema) }),
  },
  'push.preview': { request: z.strictObject({ ...onCluster, content: pushContentSchema }), reply: pushPreviewSchema },
  'push.prepare': {
    request: z.strictObject({ ...onCluster, content: pushContentSchema, pushId: z.string().min(1).max(80) }),
    reply: pushRecordSchema,
  },
  'push.apply': {
    request: z.strictObject({
      allowed: onCluster.allowed,
      record: pushRecordSchema,
      takeOverConflicts: z.boolean(),
      secrets: z
        .array(
          z.strictObject({ reference: objectReferenceSchema, key: z.string().max(253), sealed: sealedSecretSchema }),
        )
        .max(20),
    }),
    reply: z.strictObject({ outcomes: z.array(objectOutcomeSchema) }),
  },
  'push.look': {
    request: z.strictObject({ allowed: onCluster.allowed, record: pushRecordSchema }),
    reply: z.strictObject({ outcomes: z.array(objectOutcomeSchema) }),
  },
  'push.rollouts': {
    request: z.strictObject({ ...onCluster, references: z.array(objectReferenceSchema).max(50) }),
    reply: z.strictObject({ rollouts: z.array(rolloutStateSchema) }),
  },
  'push.undo': {
    request: z.strictObject({ allowed: onCluster.allowed, record: pushRecordSchema }),
    reply: z.strictObject({ outcomes: z.array(objectOutcomeSchema) }),
  },
  'push.forget-kept': {
    request: z.strictObject({ allowed: onCluster.allowed, record: pushRecordSchema }),
    reply: nothing,
  },
  'push.drift': {
    request: z.strictObject({ allowed: onCluster.allowed, record: pushRecordSchema }),
    reply: z.strictObject({ drift: z.array(driftSchema) }),
  },
  'values.read': {
    request: z.strictObject({ ...onCluster, secret: valueSecretSchema }),
    reply: z.strictObject({ found: z.boolean(), resourceVersion: z.string(), values }),
  },
  'values.write': {
    request: z.strictObject({
      ...onCluster,
      secret: valueSecretSchema,
      values,
      labels: z.record(z.string().max(317), z.string().max(63)),
    }),
    reply: z.strictObject({ created: z.boolean(), written: z.array(z.string()) }),
  },
  'values.remove': {
    request: z.strictObject({ ...onCluster, secret: valueSecretSchema, keys: z.array(z.string().max(253)).max(300) }),
    reply: nothing,
  },
  'names.list': {
    request: z.strictObject({
      ...onCluster,
      kind: z.enum(['namespaces', 'nodes', 'secrets', 'configmaps']),
      namespace: z.string().max(253),
      continueFrom: z.string().max(4096),
    }),
    reply: z.strictObject({
      names: z.array(z.strictObject({ namespace: z.string(), name: z.string() })),
      continueFrom: z.string(),
      remaining: z.number(),
    }),
  },
  /** See ReviewPort. */
  'review.authority': {
    request: z.strictObject(onCluster),
    reply: z.strictObject({ certificateAuthorityPem: z.string().max(100_000) }),
  },
  'review.token': {
    request: z.strictObject({ ...onCluster, secret: valueSecretSchema, recipient: sealingPublicKeySchema }),
    reply: sealedSecretSchema,
  },
  /** See KmsPort. */
  'kms.canary': {
    request: z.strictObject({ ...onCluster, etcd: etcdPlaceSchema, namespace: z.string().min(1).max(63) }),
    reply: canarySchema,
  },
  'kms.count': {
    request: z.strictObject({ ...onCluster, etcd: etcdPlaceSchema, resource: resourceNameSchema }),
    reply: storedCountSchema,
  },
  'kms.rewrite': {
    request: z.strictObject({ ...onCluster, resource: resourceNameSchema, continueFrom: z.string().max(4096) }),
    reply: rewrittenSchema,
  },
  'kms.api-servers': { request: z.strictObject(onCluster), reply: apiServersSchema },
  'kms.resources': {
    request: z.strictObject(onCluster),
    reply: z.strictObject({ resources: z.array(resourceNameSchema).max(2000) }),
  },
} as const;

/** The host's arguments, each before its value. */
export const clusterHostArguments = { discoveryDirectory: '--discovery-directory' } as const;

export type ClusterHostMethod = keyof typeof clusterHostRequests;
export type ClusterHostRequest<Method extends ClusterHostMethod> = z.infer<
  (typeof clusterHostRequests)[Method]['request']
>;
export type ClusterHostReply<Method extends ClusterHostMethod> = z.infer<(typeof clusterHostRequests)[Method]['reply']>;

export const clusterRequestEnvelopeSchema = z.strictObject({
  id: z.number().int().nonnegative(),
  method: z.string().max(80),
  body: z.unknown(),
});

/** What a sealed value for a Secret is sealed for. */
export const secretSlotPurpose = secretPurpose.secretSlot;

/** Who our fields belong to. */
export const fieldManager = 'key-custodian';
