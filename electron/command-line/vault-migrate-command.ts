import type { Command } from 'commander';
import { Option } from 'commander';
import { z } from 'zod';
import { success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { sealMigrationPlanSchema, type SealMigrationPlan } from '../workflows/plans.ts';
import { addConfirmOption } from './care-command.ts';
import { chooseToken, storeOf } from './chosen-token.ts';
import type { ChosenToken } from './chosen-token.ts';
import { chooseVault } from './chosen-vault.ts';
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
  soPinShape,
  tokenShape,
  vaultShape,
} from './options.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { Session } from './session.ts';

const migrateShape = {
  ...runShape,
  ...shareShape,
  ...tokenShape,
  ...vaultShape,
  confirm: soPinShape.confirm,
  label: z.string().min(1, 'needs a label').optional(),
  keyLabel: z.string().min(1, 'needs a label').max(255, 'takes at most 255 characters').default('bank-vaults'),
  from: z.array(z.string()).default([]),
  to: sealMigrationPlanSchema.shape.sealType,
};
type MigrateOptions = z.output<z.ZodObject<typeof migrateShape>>;

async function makePlan(
  { core, by }: Session,
  options: MigrateOptions,
  written: readonly Written[],
): Promise<Result<SealMigrationPlan>> {
  const chosen = chooseVault(core, options);
  if (!chosen.ok) return chosen;
  const { vault } = chosen.value;
  const token = async (): Promise<Result<ChosenToken & { readonly keyLabel: string }>> => {
    const store = await storeOf(core, options.module);
    if (!store.ok) return store;
    const one = await chooseToken(core, { store: store.value, serial: options.serial, label: options.label });
    return one.ok ? success({ ...one.value, keyLabel: options.keyLabel }) : one;
  };
  const sources = await unsealSources(written, by, token);
  if (!sources.ok) return sources;
  return success({
    workflow: 'seal-migration',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: [...core.connections(vault)],
    sealType: options.to,
    sources: sources.value,
  });
}

/** `custodian vault migrate-seal`. */
export function addVaultMigrateCommand(vault: Command, registry: Registry): void {
  const migrate = addConfirmOption(
    vault
      .command('migrate-seal')
      .description('migrate the seal from Shamir to an auto-seal or back, one node at a time')
      .requiredOption(
        '--to <seal>',
        'the seal that it is to have: shamir, pkcs11, transit, awskms, gcpckms, azurekeyvault, ocikms or alicloudkms',
      )
      .option('--label <label>', 'the token, by its label')
      .option('--key-label <label>', 'the wrapping key pair on it (default: bank-vaults)')
      .addOption(
        new Option(
          '--from <where>',
          'where shares come from: token, pgp:FILE[:NAME] or typed[:NAME]; may be repeated (default: token)',
        ).argParser(repeatable),
      ),
  );
  addRunOptions(addShareOptions(addVaultOptions(addTokenOptions(migrate))));
  addRunAction(migrate, registry, migrateShape, (options) => {
    const sources = readEveryFrom(options.from.length === 0 ? ['token'] : options.from);
    if (!sources.ok) return sources;
    return success({
      workflow: 'seal-migration',
      options,
      plan: (session) => makePlan(session, options, sources.value),
      summary: () => 'Every node has the new seal. Take what is left of the old one out of their configurations.',
    });
  });
}
