import { resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { KmsVerifyPlan } from '../workflows/kms-plans.ts';
import { encryptedResourceSchema, etcdAccessSchema } from '../workflows/kms-ports.ts';
import { dnsLabelSchema, namespaceSchema } from '../workflows/recipes/fields.ts';
import { addConfirmOption, commandGroup } from './care-command.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addRunOptions, readOptions, repeatable, runShape, soPinShape } from './options.ts';
import { misused } from './outcome.ts';
import type { Registry } from './registry.ts';
import { executeRunCommand } from './run-command.ts';
import type { Session } from './session.ts';

const file = z.string().min(1, 'needs the path of a file').optional();

const encryptionShape = {
  ...runShape,
  ...clusterShape,
  confirm: soPinShape.confirm,
  provider: dnsLabelSchema.optional(),
  etcd: z.string().optional(),
  etcdCa: file,
  etcdCert: file,
  etcdKey: file,
  etcdPrefix: z.string().default('/registry'),
  namespace: namespaceSchema.default('default'),
  resource: z.array(encryptedResourceSchema).default([]),
  reencrypt: z.boolean().default(false),
};
type EncryptionOptions = z.output<z.ZodObject<typeof encryptionShape>>;

async function makePlan({ core }: Session, options: EncryptionOptions): Promise<Result<KmsVerifyPlan>> {
  const { provider, etcdCa, etcdCert, etcdKey } = options;
  const etcd = etcdAccessSchema.safeParse({
    address: options.etcd,
    caPath: etcdCa === undefined ? undefined : resolve(etcdCa),
    certificatePath: etcdCert === undefined ? undefined : resolve(etcdCert),
    keyPath: etcdKey === undefined ? undefined : resolve(etcdKey),
    prefix: options.etcdPrefix,
  });
  if (provider === undefined || !etcd.success) {
    return failure(
      'App_BadRequest',
      'The plugin’s name and the way to etcd are needed.',
      'Give --provider NAME --etcd https://HOST:2379 --etcd-ca FILE --etcd-cert FILE --etcd-key FILE.',
    );
  }
  const cluster = await chooseCluster(core, options);
  if (!cluster.ok) return cluster;
  return success({
    workflow: 'kms-verify',
    rehearsal: false,
    cluster: cluster.value,
    provider,
    etcd: etcd.data,
    namespace: options.namespace,
    resources: options.resource.length === 0 ? ['secrets'] : [...new Set(options.resource)],
    reencrypt: options.reencrypt,
  });
}

/** `custodian cluster encryption`. */
export function addClusterEncryptionCommand(program: Command, registry: Registry): void {
  const command = addConfirmOption(
    commandGroup(program, 'cluster', 'Kubernetes clusters of the kubeconfigs in use')
      .command('encryption')
      .description('see in etcd that a KMS plugin encrypts, count what it does not yet, and encrypt that')
      .option('--provider <name>', 'the plugin’s name in EncryptionConfiguration')
      .option('--etcd <url>', 'https://host:2379 of one member of the cluster’s etcd')
      .option('--etcd-ca <path>', 'its CA certificate (PEM)')
      .option('--etcd-cert <path>', 'a client certificate that may read it (PEM)')
      .option('--etcd-key <path>', 'the file of that certificate’s key (PEM)')
      .option('--etcd-prefix <prefix>', 'kube-apiserver’s --etcd-prefix (default: /registry)')
      .option('--namespace <name>', 'where the canary Secret is written (default: default)')
      .option('--resource <kind>', 'secrets or configmaps; may be repeated (default: secrets)', repeatable)
      .option('--reencrypt', 'have what is not under the key in force written again'),
  );
  addRunOptions(addClusterOptions(command)).action(async () => {
    const options = readOptions(encryptionShape, command);
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    registry.settle(
      await executeRunCommand({
        command,
        registry,
        options: options.value,
        workflow: 'kms-verify',
        plan: (session) => makePlan(session, options.value),
        summary: () => 'What is written now is encrypted by the plugin; the counts are in the transcript.',
      }),
    );
  });
}
