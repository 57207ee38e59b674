import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { Plan, UnsealPlan } from '../workflows/plans.ts';
import { chooseToken, storeOf } from './chosen-token.ts';
import { chooseVault } from './chosen-vault.ts';
import { readFrom, unsealSources } from './destinations.ts';
import type { Written } from './destinations.ts';
import {
  addRunOptions,
  addShareOptions,
  addTokenOptions,
  addVaultOptions,
  readOptions,
  repeatable,
  runShape,
  shareShape,
  tokenShape,
  vaultShape,
} from './options.ts';
import { misused } from './outcome.ts';
import type { Read } from './outcome.ts';
import type { Registry } from './registry.ts';
import { executeRunCommand } from './run-command.ts';
import type { Session } from './session.ts';

const unsealShape = {
  ...runShape,
  ...shareShape,
  ...tokenShape,
  ...vaultShape,
  keyLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').optional(),
  label: z.string().min(1, 'needs a label').optional(),
  from: z.array(z.string()).default([]),
};
type UnsealOptions = z.output<z.ZodObject<typeof unsealShape>>;

function readSources(from: readonly string[]): Read<readonly Written[]> {
  const sources: Written[] = [];
  for (const text of from.length === 0 ? ['token'] : from) {
    const read = readFrom(text);
    if (!read.ok) return read;
    sources.push(read.value);
  }
  return success(sources);
}

async function makePlan(session: Session, options: UnsealOptions, written: readonly Written[]): Promise<Result<Plan>> {
  const { core } = session;
  const chosen = chooseVault(core, options);
  if (!chosen.ok) return chosen;
  const { vault, known } = chosen.value;
  const sources = await unsealSources(written, session.by, async () => {
    const store = await storeOf(core, options.module);
    if (!store.ok) return store;
    const recorded =
      vault.tokenStoreId === '' ? undefined : core.stores().find((candidate) => candidate.id === vault.tokenStoreId);
    const nothingSaid = options.serial === undefined && options.label === undefined && options.module === undefined;
    const token = await chooseToken(core, {
      store: nothingSaid ? recorded : store.value,
      serial: nothingSaid && vault.tokenSerial !== '' ? vault.tokenSerial : options.serial,
      label: options.label,
    });
    if (!token.ok) return token;
    return success({
      ...token.value,
      keyLabel: options.keyLabel ?? (vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel),
    });
  });
  if (!sources.ok) return sources;
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
    sources: sources.value,
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
    );
  addRunOptions(addShareOptions(addVaultOptions(addTokenOptions(unseal)))).action(async () => {
    const options = readOptions(unsealShape, unseal);
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    const sources = readSources(options.value.from);
    if (!sources.ok) {
      registry.settle(misused(sources.error));
      return;
    }
    registry.settle(
      await executeRunCommand({
        command: unseal,
        registry,
        options: options.value,
        workflow: 'unseal',
        plan: (session) => makePlan(session, options.value, sources.value),
        summary: () => 'The Vault is unsealed.',
      }),
    );
  });
}
