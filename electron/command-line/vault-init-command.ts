import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { Plan, VaultInitPlan } from '../workflows/plans.ts';
import { chooseToken, storeOf } from './chosen-token.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { chooseVault } from './chosen-vault.ts';
import { addClusterOptions, secretLabelOption, toSecretShape } from './cluster-options.ts';
import { readRootToken, readShareTo, rootTokenDestination, shareDestinations } from './destinations.ts';
import type { Written } from './destinations.ts';
import {
  addRunOptions,
  addTokenOptions,
  addVaultOptions,
  keyShape,
  repeatable,
  runShape,
  splitShape,
  tokenShape,
  vaultShape,
} from './options.ts';
import type { Read } from './outcome.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { Session } from './session.ts';

const initShape = {
  ...runShape,
  ...tokenShape,
  ...vaultShape,
  ...splitShape,
  ...toSecretShape,
  keyLabel: keyShape.keyLabel,
  label: z.string().min(1, 'needs a label').optional(),
  shareTo: z.array(z.string()).default([]),
  rootToken: z.string().optional(),
};
type InitOptions = z.output<z.ZodObject<typeof initShape>>;

interface Split {
  readonly destinations: readonly Written[];
  readonly rootToken: Written;
}

/** What can be seen to be wrong before anything is touched. */
export function readSplit(
  options: Pick<InitOptions, 'shares' | 'threshold' | 'shareTo'> & Partial<Pick<InitOptions, 'rootToken' | 'toSecret'>>,
): Read<Split> {
  const { shares, threshold, shareTo, toSecret } = options;
  const usual = toSecret === undefined ? 'token' : 'secret';
  if (shares < 1 || shares > 255)
    return failure('App_BadRequest', '--shares takes 1 to 255.', 'Five with a threshold of three is usual.');
  if (threshold < 1 || threshold > shares) {
    return failure(
      'App_BadRequest',
      `The threshold of ${String(threshold)} cannot be met with ${String(shares)} ${shares === 1 ? 'share' : 'shares'}.`,
      'Take a --threshold that is at most --shares.',
    );
  }
  if (shares > 1 && threshold < 2) {
    return failure(
      'App_BadRequest',
      'With more than one share, a threshold of 1 would let every holder act alone.',
      'Take a --threshold of at least 2.',
    );
  }
  if (shareTo.length > 0 && shareTo.length !== shares) {
    return failure(
      'App_BadRequest',
      `There are ${String(shares)} shares and ${String(shareTo.length)} times --share-to.`,
      'Give --share-to once for each share, or not at all to keep all on the token.',
    );
  }
  const destinations: Written[] = [];
  for (let index = 0; index < shares; index += 1) {
    const read = readShareTo(shareTo[index] ?? usual);
    if (!read.ok) return read;
    destinations.push(read.value);
  }
  const rootToken = readRootToken(options.rootToken ?? usual);
  if (!rootToken.ok) return rootToken;
  const needsSecret = [...destinations, rootToken.value].some(({ kind }) => kind === 'secret');
  if (needsSecret !== (toSecret !== undefined)) {
    return failure(
      'App_BadRequest',
      needsSecret ? 'A value is to go to a Secret, and none is named.' : 'A Secret is named, and nothing goes to it.',
      'Give --to-secret NAMESPACE/NAME together with --share-to secret or --root-token secret.',
    );
  }
  return success({ destinations, rootToken: rootToken.value });
}

async function makePlan(session: Session, options: InitOptions, split: Split): Promise<Result<Plan>> {
  const { core } = session;
  if (split.destinations.some((destination) => destination.kind === 'shown') && session.terminal === undefined) {
    return failure(
      'App_BadRequest',
      'A share is to be shown to a custodian, and there is no terminal to show it on.',
      'Run this in a terminal. A share is never written to a pipe or file.',
    );
  }
  const chosenVault = chooseVault(core, options);
  if (!chosenVault.ok) return chosenVault;
  const { vault } = chosenVault.value;
  const [connection, second] = core.connections(vault);
  if (connection === undefined)
    return failure('App_Internal', 'The server has no address.', 'Add it anew with --address.');
  if (second !== undefined && options.address.length !== 1) {
    return failure(
      'App_BadRequest',
      'A cluster is initialised through one of its nodes.',
      'Say which with one --address; the others join it.',
    );
  }
  const store = await storeOf(core, options.module);
  if (!store.ok) return store;
  const chosen = await chooseToken(core, { store: store.value, serial: options.serial, label: options.label });
  if (!chosen.ok) return chosen;
  const cluster = options.toSecret === undefined ? undefined : await chooseCluster(core, options);
  if (cluster?.ok === false) return cluster;
  const destinations = await shareDestinations(core, split.destinations);
  if (!destinations.ok) return destinations;
  const rootToken = await rootTokenDestination(core, split.rootToken);
  if (!rootToken.ok) return rootToken;
  if (!chosenVault.value.known) {
    const reached = await core.vault.sealStatus(connection);
    if (!reached.ok) return reached;
    const added = await core.settings.addVault(vault);
    if (!added.ok) return added;
  }
  const plan: VaultInitPlan = {
    workflow: 'vault-init',
    rehearsal: vault.rehearsal || chosen.value.store.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connection,
    token: { storeId: chosen.value.store.id, serial: chosen.value.token.serial, label: chosen.value.token.label },
    keyLabel: options.keyLabel,
    shares: options.shares,
    threshold: options.threshold,
    ...(cluster === undefined || options.toSecret === undefined
      ? {}
      : {
          secret: {
            cluster: cluster.value,
            secret: options.toSecret,
            ...(Object.keys(options.secretLabel).length === 0 ? {} : { labels: options.secretLabel }),
          },
        }),
    destinations: destinations.value,
    rootToken: rootToken.value,
  };
  return success(plan);
}

/** `custodian vault init`. */
export function addVaultInitCommand(vault: Command, registry: Registry): void {
  const init = vault
    .command('init')
    .description('initialise a Vault and bring every share to its place')
    .option('--label <label>', 'the token, by its label')
    .option('--key-label <label>', 'the wrapping key pair on it (default: bank-vaults)')
    .option('--shares <n>', 'into how many shares the unseal key is split (default: 5)')
    .option('--threshold <n>', 'how many of them unseal (default: 3)')
    .addOption(
      new Option(
        '--share-to <where>',
        'where a share goes: token, secret, pgp:FILE:NAME or shown:NAME; once for each share (default: all on the token, or in the Secret that --to-secret names)',
      ).argParser(repeatable),
    )
    .option(
      '--root-token <where>',
      'token, secret, revoked, or pgp:FILE:NAME (default: token, or the Secret that --to-secret names)',
    )
    .option('--to-secret <namespace/name>', 'the Secret of a cluster for shares, encrypted under the token’s key')
    .option(...secretLabelOption, repeatable);
  addClusterOptions(addRunOptions(addVaultOptions(addTokenOptions(init))));
  addRunAction(init, registry, initShape, (options) => {
    const split = readSplit(options);
    if (!split.ok) return split;
    return success({
      workflow: 'vault-init',
      options,
      plan: (session) => makePlan(session, options, split.value),
      summary: () =>
        'The Vault is initialised and unsealed, and every share is in its place.\nNote the words of the journal’s head on paper: they prove later that this record was not changed.',
    });
  });
}
