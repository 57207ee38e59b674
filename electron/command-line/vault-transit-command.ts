import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import { planTransitSetUp, type AskedCluster } from '../core/transit-set-up.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { TransitSetUpPlan } from '../workflows/vault-setup-plans.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { chooseVault } from './chosen-vault.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addRunOptions, addVaultOptions, runShape, vaultShape } from './options.ts';
import { addRecipeFile, recipeFileShape, renderFile } from './recipe-commands.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
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

/** The cluster as Vault is to reach it: its API server, and the authority behind it. */
async function askedCluster(core: Pick<Core, 'clusters'>, options: TransitOptions): Promise<Result<AskedCluster>> {
  const pin = await chooseCluster(core, options);
  if (!pin.ok) return pin;
  const asked = { pin: pin.value, host: options.host ?? '' };
  if (options.clusterCa === undefined) return success({ ...asked, certificateAuthorityPem: '' });
  try {
    return success({ ...asked, certificateAuthorityPem: await readFile(options.clusterCa, 'utf8') });
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    return failure('App_BadRequest', `${options.clusterCa} cannot be read (${code}).`, 'Name the cluster’s CA (PEM).');
  }
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
  const chosen = chooseVault(core, options);
  if (!chosen.ok) return chosen;
  return planTransitSetUp(core, {
    vault: chosen.value.vault,
    recipe: read.value.input,
    cluster: () => askedCluster(core, options),
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
  addRunOptions(addVaultOptions(addClusterOptions(command)));
  addRunAction(command, registry, transitShape, (options) =>
    success({
      workflow: 'transit-setup',
      options,
      plan: (session) => makePlan(session, command.args[0], options),
      summary: () => 'Vault is ready for the plugin.',
    }),
  );
}
