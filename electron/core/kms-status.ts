/** How a cluster's KMS plugins stand: asked of its API servers and, where etcd may be read, counted there. */
import { createHash } from 'node:crypto';
import type { ClusterPin } from '../workflows/cluster-ports.ts';
import { success, type AppFailureCode, type ClusterFailureCode, type Result } from '../workflows/failures.ts';
import type { EtcdPlace, KmsPort, StoredCount } from '../workflows/kms-ports.ts';
import { encryptedResources, judgeKms, type KmsState } from '../workflows/kms-status.ts';

export interface KmsStatusWish {
  readonly cluster: ClusterPin;
  /** undefined: nothing is counted. */
  readonly etcd: EtcdPlace | undefined;
  /** Counted beside what the API servers say that their plugins encrypt. */
  readonly resources: readonly string[];
}

const hashOf = (keyId: string): string => `sha256:${createHash('sha256').update(keyId).digest('hex')}`;

/** Reads only. The servers are asked before etcd is counted: a key that none uses then is written under no more. */
export async function readKmsStatus(
  kms: Pick<KmsPort, 'countStored' | 'readApiServers'>,
  { cluster, etcd, resources }: KmsStatusWish,
): Promise<Result<KmsState, ClusterFailureCode | AppFailureCode>> {
  const asked = await kms.readApiServers(cluster);
  if (!asked.ok) return asked;
  const counts: StoredCount[] = [];
  if (etcd !== undefined) {
    for (const resource of new Set([...encryptedResources(asked.value.servers), ...resources])) {
      const counted = await kms.countStored(cluster, etcd, resource);
      if (!counted.ok) return counted;
      counts.push(counted.value);
    }
  }
  return success(judgeKms(asked.value, counts, hashOf));
}
