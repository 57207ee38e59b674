import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import type { Core, KnownVault } from '../core/core.ts';
import type { ClusterPin, ValueSecret } from '../workflows/cluster-ports.ts';
import { success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { Plan, UnsealPlan } from '../workflows/plans.ts';
import { referenceOf } from './care-command.ts';
import { chooseToken, storeOf } from './chosen-token.ts';
import type { ChosenToken } from './chosen-token.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { chooseVault } from './chosen-vault.ts';
import { addClusterOptions, fromSecretShape } from './cluster-options.ts';
import { readEveryFrom, unsealSources } from './destinations.ts';
import type { Written } from './destinations.ts';
import {
  addRunOptions,
  addShareOptions,
  addTokenOptions,
  addVaultOptions,
  repeatable,
  runShape,
  shareShape,
  tokenShape,
  vaultShape,
} from './options.ts';
import type { Read } from './outcome.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { Session } from './session.ts';

const unsealShape = {
  ...runShape,
  ...shareShape,
  ...tokenShape,
  ...vaultShape,
  ...fromSecretShape,
  keyLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').optional(),
  label: z.string().min(1, 'needs a label').optional(),
  from: z.array(z.string()).default([]),
};
type UnsealOptions = z.output<z.ZodObject<typeof unsealShape>>;

const readSources = ({ from, fromSecret }: UnsealOptions): Read<readonly Written[]> =>
  readEveryFrom(from.length === 0 && fromSecret === undefined ? ['token'] : from);

interface SecretPlace {
  readonly cluster: ClusterPin;
  readonly secret: ValueSecret;
}

/** The Secret that the options name, or that is known to hold shares which are nowhere else; undefined for none. */
async function secretOf(
  core: Core,
  options: UnsealOptions,
  vault: KnownVault,
): Promise<Result<SecretPlace | undefined>> {
  const { fromSecret: secret, from } = options;
  if (secret === undefined) {
    const known = from.length === 0 && vault.secret?.alsoOnToken === false ? vault.secret : undefined;
    return success(known === undefined ? undefined : { cluster: known.cluster, secret: known.secret });
  }
  const cluster = await chooseCluster(core, options);
  return cluster.ok ? success({ cluster: cluster.value, secret }) : cluster;
}

async function secretSource(
  { cluster, secret }: SecretPlace,
  token: () => Promise<Result<ChosenToken & { readonly keyLabel: string }>>,
): Promise<Result<UnsealPlan['sources'][number]>> {
  const chosen = await token();
  if (!chosen.ok) return chosen;
  const { keyLabel } = chosen.value;
  return success({ kind: 'secret', cluster, secret, token: referenceOf(chosen.value), keyLabel });
}

async function makePlan(session: Session, options: UnsealOptions, written: readonly Written[]): Promise<Result<Plan>> {
  const { core } = session;
  const chosen = chooseVault(core, options);
  if (!chosen.ok) return chosen;
  const { vault, known } = chosen.value;
  const token = async (): Promise<Result<ChosenToken & { readonly keyLabel: string }>> => {
    const store = await storeOf(core, options.module);
    if (!store.ok) return store;
    const recorded =
      vault.tokenStoreId === '' ? undefined : core.stores().find((candidate) => candidate.id === vault.tokenStoreId);
    const nothingSaid = options.serial === undefined && options.label === undefined && options.module === undefined;
    const chosenToken = await chooseToken(core, {
      store: nothingSaid ? recorded : store.value,
      serial: nothingSaid && vault.tokenSerial !== '' ? vault.tokenSerial : options.serial,
      label: options.label,
    });
    if (!chosenToken.ok) return chosenToken;
    return success({
      ...chosenToken.value,
      keyLabel: options.keyLabel ?? (vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel),
    });
  };
  const place = await secretOf(core, options, vault);
  if (!place.ok) return place;
  // Shares that are in a Secret alone are not looked for on the token.
  const onTokenToo = options.from.length > 0 || options.fromSecret !== undefined || place.value === undefined;
  const sources = await unsealSources(onTokenToo ? written : [], session.by, token);
  if (!sources.ok) return sources;
  const fromSecret = place.value === undefined ? undefined : await secretSource(place.value, token);
  if (fromSecret?.ok === false) return fromSecret;
  if (!known) {
    const added = await core.settings.addVault(vault);
    if (!added.ok) return added;
  }
  const plan: UnsealPlan = {
    workflow: 'unseal',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: [...core.connections(vault)],
    sources: fromSecret === undefined ? sources.value : [fromSecret.value, ...sources.value],
  };
  return success(plan);
}

/** `custodian vault unseal`. */
export function addVaultUnsealCommand(vault: Command, registry: Registry): void {
  const unseal = vault
    .command('unseal')
    .description('unseal every node of a Vault cluster')
    .option('--label <label>', 'the token, by its label')
    .option('--key-label <label>', 'the wrapping key pair on it (default: as recorded, else bank-vaults)')
    .addOption(
      new Option(
        '--from <where>',
        'where shares come from: token, pgp:FILE[:NAME] or typed[:NAME]; may be repeated (default: token)',
      ).argParser(repeatable),
    )
    .option('--from-secret <namespace/name>', 'shares from this Secret of a cluster, decrypted on the token here');
  addClusterOptions(addRunOptions(addShareOptions(addVaultOptions(addTokenOptions(unseal)))));
  addRunAction(unseal, registry, unsealShape, (options) => {
    const sources = readSources(options);
    if (!sources.ok) return sources;
    return success({
      workflow: 'unseal',
      options,
      plan: (session) => makePlan(session, options, sources.value),
      summary: () => 'The Vault is unsealed.',
    });
  });
}
