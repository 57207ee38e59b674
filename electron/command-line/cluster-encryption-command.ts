import type { Command } from 'commander';
import { z } from 'zod';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { KmsVerifyPlan } from '../workflows/kms-plans.ts';
import type { ClusterPin } from '../workflows/cluster-ports.ts';
import { encryptedResourceSchema, resourceNameSchema } from '../workflows/kms-ports.ts';
import { dnsLabelSchema, namespaceSchema } from '../workflows/recipes/fields.ts';
import { addConfirmOption, commandGroup } from './care-command.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addEtcdOptions, etcdShape, findEtcd } from './etcd-options.ts';
import { addRunOptions, repeatable, runShape, soPinShape } from './options.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { Session } from './session.ts';

/** EncryptionConfiguration's own: *.apps for a group, *. for the core group, *.* for everything. */
const wildcardSchema = z.string().regex(/^\*\.(\*|[a-z0-9.-]{0,253})$/u);

const encryptionShape = {
  ...runShape,
  ...clusterShape,
  confirm: soPinShape.confirm,
  provider: dnsLabelSchema.optional(),
  ...etcdShape,
  namespace: namespaceSchema.default('default'),
  resource: z
    .array(z.union([resourceNameSchema, wildcardSchema], 'needs a kind as EncryptionConfiguration names it'))
    .default([]),
  reencrypt: z.boolean().default(false),
};
type EncryptionOptions = z.output<z.ZodObject<typeof encryptionShape>>;

/** Kinds by name; what a wildcard stands for is asked of the cluster. */
async function findResources(
  { core }: Session,
  cluster: ClusterPin,
  wanted: readonly string[],
): Promise<Result<readonly string[]>> {
  if (!wanted.some((name) => name.startsWith('*'))) return success([...new Set(wanted)]);
  const listed = await core.kms.listResources(cluster);
  if (!listed.ok) return listed;
  const meant = wanted.flatMap((name) => {
    if (!name.startsWith('*')) return [name];
    if (name === '*.*') return listed.value;
    const group = name.slice('*.'.length);
    return listed.value.filter((one) => one.split('.').slice(1).join('.') === group);
  });
  return meant.length > 0
    ? success([...new Set(meant)])
    : failure(
        'Cluster_KindMissing',
        `The cluster keeps no kind that ${wanted.join(', ')} stands for.`,
        'Name kinds as EncryptionConfiguration does: secrets, deployments.apps, *.apps, *.*.',
      );
}

async function makePlan(session: Session, options: EncryptionOptions): Promise<Result<KmsVerifyPlan>> {
  const { provider } = options;
  const etcd = findEtcd(options);
  if (provider === undefined || etcd === undefined) {
    return failure(
      'App_BadRequest',
      'The plugin’s name and the way to etcd are needed.',
      'Give --provider NAME, and either --etcd-pod or --etcd https://HOST:2379 --etcd-ca FILE --etcd-cert FILE --etcd-key FILE.',
    );
  }
  const cluster = await chooseCluster(session.core, options);
  if (!cluster.ok) return cluster;
  const named = await findResources(
    session,
    cluster.value,
    options.resource.length === 0 ? ['secrets'] : options.resource,
  );
  if (!named.ok) return named;
  const isUsual = (name: string): boolean => encryptedResourceSchema.safeParse(name).success;
  const others = named.value.filter((name) => !isUsual(name));
  return success({
    workflow: 'kms-verify',
    rehearsal: false,
    cluster: cluster.value,
    provider,
    etcd,
    namespace: options.namespace,
    resources: encryptedResourceSchema.options.filter((name) => named.value.includes(name)),
    ...(others.length === 0 ? {} : { others }),
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
      .option('--namespace <name>', 'where the canary Secret is written (default: default)')
      .option(
        '--resource <kind>',
        'secrets, deployments.apps, *.apps, *.*, as in EncryptionConfiguration; may be repeated (default: secrets)',
        repeatable,
      )
      .option('--reencrypt', 'have what is not under the key in force written again'),
  );
  addRunOptions(addEtcdOptions(addClusterOptions(command)));
  addRunAction(command, registry, encryptionShape, (options) =>
    success({
      workflow: 'kms-verify',
      options,
      plan: (session) => makePlan(session, options),
      summary: () => 'What is written now is encrypted by the plugin; the counts are in the transcript.',
    }),
  );
}
