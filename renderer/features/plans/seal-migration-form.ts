/** What is decided before a seal is migrated: to which, in which order, with whose shares. Pure. */
import type { AppView, VaultView } from '../../../electron/contract/views.ts';
import type { SealMigrationPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { checkSources, proposeSources, type SourceForm } from './share-sources-form.ts';

const words = text.plans.sealMigration;

export type SealType = SealMigrationPlan['sealType'];

const autoSeals = ['transit', 'pkcs11', 'awskms', 'gcpckms', 'azurekeyvault', 'ocikms', 'alicloudkms'] as const;

export interface SealMigrationForm {
  readonly vaultId: string;
  readonly sealType: SealType | '';
  /** Of every node, in the order in which they are restarted. */
  readonly addresses: readonly string[];
  readonly sources: readonly SourceForm[];
}

/** What its nodes say that they are sealed by, each once. */
export function sealsOf(vault: VaultView): readonly string[] {
  return [...new Set(vault.nodes.map((node) => node.sealType).filter((seal) => seal !== ''))];
}

/**
 * What a Vault can be migrated to: from Shamir to any auto-seal, from an auto-seal to Shamir. Half way, nodes say both,
 * and one that waits may say the seal that it is migrated to: what was begun can be finished or taken back.
 */
export function targetsOf(vault: VaultView): readonly SealType[] {
  const seals = sealsOf(vault);
  const known = autoSeals.filter((seal) => seals.includes(seal));
  if (known.length === 0) return autoSeals;
  const isUnderWay = seals.includes('shamir') || vault.nodes.some((node) => node.state === 'sealed');
  return isUnderWay ? ['shamir', ...known] : ['shamir'];
}

/** Whether there is a seal to migrate. */
const isMigratable = (vault: VaultView): boolean => !vault.rehearsal && vault.state !== 'uninitialized';

export function freshSealMigrationForm(view: AppView, vaultId: string): SealMigrationForm {
  const vault = view.vaults.find((each) => each.id === vaultId) ?? view.vaults.find(isMigratable);
  if (vault === undefined) return { vaultId: '', sealType: '', addresses: [], sources: [] };
  const [only, another] = targetsOf(vault);
  return {
    vaultId: vault.id,
    sealType: another === undefined ? (only ?? '') : 'transit',
    addresses: vault.nodes.map((node) => node.address),
    sources: proposeSources(view, vault),
  };
}

/** @param by -1 for earlier, 1 for later */
export function moveNode(form: SealMigrationForm, address: string, by: -1 | 1): SealMigrationForm {
  const from = form.addresses.indexOf(address);
  const to = from + by;
  if (from === -1 || to < 0 || to >= form.addresses.length) return form;
  return { ...form, addresses: form.addresses.toSpliced(from, 1).toSpliced(to, 0, address) };
}

export interface CheckedMigration {
  readonly errors: readonly string[];
  /** What is wrong with a source, by its index. */
  readonly each: Readonly<Record<number, string>>;
  readonly plan: SealMigrationPlan | undefined;
  readonly will: readonly string[];
}

export function checkSealMigration(view: AppView, form: SealMigrationForm): CheckedMigration {
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  if (vault === undefined) return { errors: [words.errorVault], each: {}, plan: undefined, will: [] };
  const threshold = Math.max(0, ...vault.nodes.map((node) => node.threshold));
  const { each, whole, sources, will } = checkSources(view, form.sources, { threshold, already: 0 });
  const { sealType } = form;
  const errors = [
    ...(vault.rehearsal ? [words.errorRehearsal] : []),
    ...(vault.state === 'uninitialized' ? [words.errorUninitialized(vault.name)] : []),
    ...(sealType === '' || !targetsOf(vault).includes(sealType) ? [words.errorSeal] : []),
    ...(whole === undefined ? [] : [whole]),
    ...Object.values(each),
  ];
  const told = [
    ...form.addresses.map((address, index) => words.will.node(index + 1, address)),
    ...will,
    ...(sealType === '' ? [] : [words.will.confirm(sealType)]),
    ...(sealType === '' ? [] : [sealType === 'shamir' ? words.will.unseal : words.will.recovery]),
  ];
  if (errors.length > 0 || sealType === '') return { errors, each, plan: undefined, will: told };
  const plan: SealMigrationPlan = {
    workflow: 'seal-migration',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: form.addresses.map((address) => ({ address, trust: vault.trust })),
    sealType,
    sources,
  };
  return { errors, each, plan, will: told };
}
