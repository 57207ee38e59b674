/** What is asked of a cluster and of its etcd about encryption at rest. Pure: schemas and types. */
import { z } from 'zod';
import type { ClusterPin } from './cluster-ports.ts';
import type { AppFailureCode, ClusterFailureCode, Result } from './failures.ts';

type KmsResult<Value> = Promise<Result<Value, ClusterFailureCode | AppFailureCode>>;

const path = z.string().min(1).max(4096);
/** kube-apiserver's --etcd-prefix. */
const prefix = z
  .string()
  .max(200)
  .regex(/^(\/[A-Za-z0-9._-]+)+$/u);

/** One member of the cluster's etcd, and the client certificate that may read it: kubeadm keeps both below /etc/kubernetes/pki/etcd. */
export const etcdAccessSchema = z.strictObject({
  address: z.url({ protocol: /^https$/u }).max(2048),
  caPath: path,
  certificatePath: path,
  keyPath: path,
  prefix,
});
export type EtcdAccess = z.infer<typeof etcdAccessSchema>;

/**
 * etcd as kubeadm runs it, a Pod in kube-system with the label component=etcd: read by `kubectl exec` of its own
 * etcdctl, with the addresses and certificates that its command line names.
 */
export const etcdInPodSchema = z.strictObject({
  /** '' for the first one that is ready. */
  pod: z
    .string()
    .max(253)
    .regex(/^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/u),
  prefix,
});
export type EtcdInPod = z.infer<typeof etcdInPodSchema>;
export const etcdPlaceSchema = z.union([etcdAccessSchema, etcdInPodSchema]);
export type EtcdPlace = z.infer<typeof etcdPlaceSchema>;

/** The kinds that have steps of their own. */
export const encryptedResourceSchema = z.enum(['secrets', 'configmaps']);
export type EncryptedResource = z.infer<typeof encryptedResourceSchema>;

/** As EncryptionConfiguration names one: secrets, deployments.apps, vaults.vault.banzaicloud.com. */
export const resourceNameSchema = z
  .string()
  .max(253)
  .regex(/^[a-z][a-z0-9-]*(\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/u);

/** How values lie in etcd. */
export const storedUnderSchema = z.strictObject({
  /** 'kms:v2:NAME', 'aescbc:v1:KEY' as EncryptionConfiguration names them; 'identity' for what is not encrypted. */
  provider: z.string().max(300),
  /** KMS v2: what the plugin calls its key; '' otherwise. */
  keyId: z.string().max(1100),
  count: z.number().int().nonnegative(),
});
export const storedCountSchema = z.strictObject({
  resource: resourceNameSchema,
  total: z.number().int().nonnegative(),
  under: z.array(storedUnderSchema).max(1000),
});
export type StoredCount = z.infer<typeof storedCountSchema>;

export const canarySchema = z.strictObject({
  provider: z.string().max(300),
  keyId: z.string().max(1100),
  /** What the value begins with in etcd, printable: 'k8s:enc:kms:v2:NAME:' */
  beginsWith: z.string().max(300),
  /** The canary's own text was found in the bytes: it is not encrypted, whatever it begins with. */
  readable: z.boolean(),
});
export type Canary = z.infer<typeof canarySchema>;

export const rewrittenSchema = z.strictObject({
  rewritten: z.number().int().nonnegative(),
  /** Deleted by others since they were listed. */
  gone: z.number().int().nonnegative(),
  /** Where the next page begins; '' at the end. */
  continueFrom: z.string().max(4096),
});
export type Rewritten = z.infer<typeof rewrittenSchema>;

/** 'sha256:' and 64 digits: API servers tell key ids and their own ids by these alone (k8s.io/apiserver, envelope metrics). */
const hash = z.string().regex(/^sha256:[0-9a-f]{64}$/u);
/** Unix time in seconds, by the API server's clock. */
const seenAt = z.number().nonnegative();

export const keyUseSchema = z.strictObject({
  /** 'told': Status told it; 'wrote', 'read': a value on its way to or from etcd. */
  use: z.enum(['told', 'wrote', 'read']),
  provider: z.string().max(253),
  keyIdHash: hash,
  at: seenAt,
});

/** One kube-apiserver: what its metrics and its health say of KMS v2 plugins, since it was started. */
export const apiServerSchema = z.strictObject({
  /** Its machine's name, as its lease says; else the address where it was asked. */
  name: z.string().max(253),
  /** https://HOST:PORT; '' for one that was not reached. */
  address: z.string().max(2048),
  reached: z.boolean(),
  /** All of its KMS plugins answer as they should. */
  healthy: z.boolean(),
  /** Why it is not reached, or not healthy: one line; '' for nothing. */
  problem: z.string().max(1000),
  uses: z.array(keyUseSchema).max(2000),
  /** What a plugin was asked to encrypt or decrypt: 'secrets' under 'kms:v2:NAME'. */
  resources: z.array(z.strictObject({ resource: resourceNameSchema, provider: z.string().max(253) })).max(2000),
});
export type ApiServer = z.infer<typeof apiServerSchema>;

export const apiServersSchema = z.strictObject({
  servers: z.array(apiServerSchema).max(100),
  /** Their leases could be read: there are no others than these. */
  complete: z.boolean(),
});
export type ApiServers = z.infer<typeof apiServersSchema>;

export interface KmsPort {
  /** Asks each API server what it knows of its KMS plugins. Nothing is changed. */
  readApiServers(pin: ClusterPin): KmsResult<ApiServers>;
  /** Writes a Secret with a known text, reads its bytes in etcd, and removes it. */
  tryCanary(pin: ClusterPin, etcd: EtcdPlace, namespace: string): KmsResult<Canary>;
  /** Reads every value of a kind in etcd and says under what it lies. Values are looked at and dropped, page by page. */
  countStored(pin: ClusterPin, etcd: EtcdPlace, resource: string): KmsResult<StoredCount>;
  /**
   * Has the API server write a page of objects again, each as it is: it encrypts with the key in force. An object that
   * lies under that key already is not touched. No content passes through this program.
   */
  rewritePage(pin: ClusterPin, resource: string, continueFrom: string): KmsResult<Rewritten>;
  /** What the API server keeps and can write again, custom resources included, as EncryptionConfiguration names them. */
  listResources(pin: ClusterPin): KmsResult<readonly string[]>;
}
