import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { etcdAccessSchema, etcdInPodSchema, type EtcdPlace } from '../workflows/kms-ports.ts';

const file = z.string().min(1, 'needs the path of a file').optional();

/** How a cluster's etcd is read. */
export const etcdShape = {
  etcd: z.string().optional(),
  etcdCa: file,
  etcdCert: file,
  etcdKey: file,
  etcdPrefix: z.string().default('/registry'),
  etcdPod: z.union([z.literal(true), z.string()]).optional(),
};
type EtcdOptions = z.output<z.ZodObject<typeof etcdShape>>;

/** None of these options was given. */
export function saysNothingOfEtcd({ etcd, etcdCa, etcdCert, etcdKey, etcdPod }: EtcdOptions): boolean {
  return [etcd, etcdCa, etcdCert, etcdKey, etcdPod].every((option) => option === undefined);
}

/** etcd's address with a client certificate, or the Pod that it runs in; undefined where neither is named in full. */
export function findEtcd(options: EtcdOptions): EtcdPlace | undefined {
  const { etcd: address, etcdCa, etcdCert, etcdKey, etcdPod, etcdPrefix: prefix } = options;
  if (etcdPod !== undefined) {
    const isAlone = [address, etcdCa, etcdCert, etcdKey].every((option) => option === undefined);
    const inPod = etcdInPodSchema.safeParse({ pod: etcdPod === true ? '' : etcdPod, prefix });
    return isAlone && inPod.success ? inPod.data : undefined;
  }
  const access = etcdAccessSchema.safeParse({
    address,
    caPath: etcdCa === undefined ? undefined : resolve(etcdCa),
    certificatePath: etcdCert === undefined ? undefined : resolve(etcdCert),
    keyPath: etcdKey === undefined ? undefined : resolve(etcdKey),
    prefix,
  });
  return access.success ? access.data : undefined;
}

export function addEtcdOptions(command: Command): Command {
  return command
    .option('--etcd <url>', 'https://host:2379 of one member of the cluster’s etcd')
    .option('--etcd-ca <path>', 'its CA certificate (PEM)')
    .option('--etcd-cert <path>', 'a client certificate that may read it (PEM)')
    .option('--etcd-key <path>', 'the file of that certificate’s key (PEM)')
    .option('--etcd-prefix <prefix>', 'kube-apiserver’s --etcd-prefix (default: /registry)')
    .option('--etcd-pod [name]', 'read etcd inside its Pod of kube-system instead, by kubectl exec');
}
