/** What is asked of a cluster and of its etcd about encryption at rest. Pure: schemas and types. */
import { z } from 'zod';
import type { ClusterPin } from './cluster-ports.ts';
import type { AppFailureCode, ClusterFailureCode, Result } from './failures.ts';

type KmsResult<Value> = Promise<Result<Value, ClusterFailureCode | AppFailureCode>>;

const path = z.string().min(1).max(4096);

/** One member of the cluster's etcd, and the client certificate that may read it: kubeadm keeps both below /etc/kubernetes/pki/etcd. */
export const etcdAccessSchema = z.strictObject({
  address: z.url({ protocol: /^https$/u }).max(2048),
  caPath: path,
  certificatePath: path,
  keyPath: path,
  /** kube-apiserver's --etcd-prefix. */
  prefix: z
    .string()
    .max(200)
    .regex(/^(\/[A-Za-z0-9._-]+)+$/u),
});
export type EtcdAccess = z.infer<typeof etcdAccessSchema>;

/** The kinds that are re-encrypted. */
export const encryptedResourceSchema = z.enum(['secrets', 'configmaps']);
export type EncryptedResource = z.infer<typeof encryptedResourceSchema>;

/** How values lie in etcd. */
export const storedUnderSchema = z.strictObject({
  /** 'kms:v2:NAME', 'aescbc:v1:KEY' as EncryptionConfiguration names them; 'identity' for what is not encrypted. */
  provider: z.string().max(300),
  /** KMS v2: what the plugin calls its key; '' otherwise. */
  keyId: z.string().max(1100),
  count: z.number().int().nonnegative(),
});
export const storedCountSchema = z.strictObject({
  resource: encryptedResourceSchema,
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

export interface KmsPort {
  /** Writes a Secret with a known text, reads its bytes in etcd, and removes it. */
  tryCanary(pin: ClusterPin, etcd: EtcdAccess, namespace: string): KmsResult<Canary>;
  /** Reads every value of a kind in etcd and says under what it lies. Values are looked at and dropped, page by page. */
  countStored(etcd: EtcdAccess, resource: EncryptedResource): KmsResult<StoredCount>;
  /**
   * Has the API server write a page of objects again, each as it is: it encrypts with the key in force. An object that
   * lies under that key already is not touched. No content passes through this program.
   */
  rewritePage(pin: ClusterPin, resource: EncryptedResource, continueFrom: string): KmsResult<Rewritten>;
}
