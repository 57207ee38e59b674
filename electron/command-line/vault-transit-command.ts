import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { reviewerSecret, wantedForKmsPlugin, type ReviewingCluster } from '../workflows/recipes/transit-setup.ts';
import type { TransitSetUpPlan } from '../workflows/vault-setup-plans.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { chooseVault } from './chosen-vault.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addRunOptions, addVaultOptions, readOptions, runShape, vaultShape } from './options.ts';
import { misused } from './outcome.ts';
import { addRecipeFile, recipeFileShape, renderFile } from './recipe-commands.ts';
import type { Registry } from './registry.ts';
import { executeRunCommand } from './run-command.ts';
import type { Session } from './session.ts';

const transitShape = {
  ...runShape,
  ...vaultShape,
  ...clusterShape,
  ...recipeFileShape,
  host: z.url({ protocol: /^https$/u, error: 'needs an https address' }).optional(),
  clusterCa: z.string().min(1, 'needs the path of a file').optional(),
  replace: z.boolean().default(false),
};
type TransitOptions = z.output<z.ZodObject<typeof transitShape>>;

/** The cluster as Vault is to reach it: its API server, the authority behind it, and who asks it. */
async function reviewingCluster(
  core: Pick<Core, 'clusters' | 'review'>,
  options: TransitOptions,
  secret: { readonly namespace: string; readonly name: string },
): Promise<Result<ReviewingCluster>> {
  const pin = await chooseCluster(core, options);
  if (!pin.ok) return pin;
  let certificateAuthorityPem: string;
  if (options.clusterCa === undefined) {
    const authority = await core.review.readAuthority(pin.value);
    if (!authority.ok) return authority;
    ({ certificateAuthorityPem } = authority.value);
  } else {
    try {
      certificateAuthorityPem = await readFile(options.clusterCa, 'utf8');
    } catch (cause) {
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
      if (code === undefined) throw cause;
      return failure(
        'App_BadRequest',
        `${options.clusterCa} cannot be read (${code}).`,
        'Name the cluster’s CA (PEM).',
      );
    }
  }
  return success({
    host: options.host ?? pin.value.server,
    certificateAuthorityPem,
    // The Pod's token has an audience of Vault's, so it cannot ask for itself.
    reviewer: { kind: 'service-account', cluster: pin.value, secret },
  });
}

async function makePlan(
  { core }: Session,
  file: string | undefined,
  options: TransitOptions,
): Promise<Result<TransitSetUpPlan>> {
  if (file === undefined)
    return failure(
      'App_BadRequest',
      'The file of the recipe kms-plugin is needed.',
      'Begin with: custodian recipe defaults kms-plugin.',
    );
  const read = await renderFile(core, file, options.set);
  if (!read.ok) return read;
  const { input } = read.value;
  if (input.recipe !== 'kms-plugin' || input.backend.kind !== 'transit')
    return failure(
      'App_BadRequest',
      'This recipe sets nothing up in Vault.',
      'Give a recipe kms-plugin whose backend is transit.',
    );
  const { backend } = input;
  const chosen = chooseVault(core, options);
  if (!chosen.ok) return chosen;
  const { vault } = chosen.value;
  const [connection] = core.connections(vault);
  if (connection === undefined)
    return failure('App_BadRequest', 'This Vault has no address.', 'Give one with --address.');
  const cluster =
    backend.login === 'service-account'
      ? await reviewingCluster(core, options, reviewerSecret({ namespace: input.namespace, backend }))
      : success(undefined);
  if (!cluster.ok) return cluster;
  return success({
    workflow: 'transit-setup',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connection,
    namespace: backend.vaultNamespace,
    wanted: [...wantedForKmsPlugin(input, cluster.value)],
    tried: { policy: backend.policy, mount: backend.mount, key: backend.key },
    replaceDiffering: options.replace,
  });
}

/** `custodian vault setup-transit`. */
export function addVaultTransitCommand(vault: Command, registry: Registry): void {
  const command = addRecipeFile(
    vault
      .command('setup-transit')
      .description('make what a KMS plugin needs in Vault: Transit, its key, policy and log-in (recipe kms-plugin)'),
    '[file]',
  )
    .option('--host <url>', 'the cluster’s API server as Vault reaches it (default: the kubeconfig’s)')
    .option('--cluster-ca <path>', 'the cluster’s CA (PEM; default: its ConfigMap kube-root-ca.crt)')
    .option('--replace', 'put a policy, role or configuration right that is there and differs');
  addRunOptions(addVaultOptions(addClusterOptions(command))).action(async (file: string | undefined) => {
    const options = readOptions(transitShape, command);
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    registry.settle(
      await executeRunCommand({
        command,
        registry,
        options: options.value,
        workflow: 'transit-setup',
        plan: (session) => makePlan(session, file, options.value),
        summary: () => 'Vault is ready for the plugin.',
      }),
    );
  });
}
