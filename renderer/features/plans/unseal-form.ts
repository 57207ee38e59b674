/** What is decided before an unseal: which sources, enough of them, and the plan. Pure. */
import type { AppView, VaultNodeView, VaultView } from '../../../electron/contract/views.ts';
import type { UnsealPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { checkSources, proposeSources, type SourceForm } from './share-sources-form.ts';
import type { Checked } from './token-setup-form.ts';

const words = text.plans.unseal;

export interface UnsealForm {
  readonly vaultId: string;
  readonly sources: readonly SourceForm[];
}

export interface UnsealErrors {
  readonly vault?: string;
  readonly sources?: string;
  /** By source index. */
  readonly each: Readonly<Record<number, string>>;
}

/** The nodes that will be unsealed: those known to be sealed. */
export function nodesToUnseal(vault: VaultView): readonly VaultNodeView[] {
  return vault.nodes.filter((node) => node.state === 'sealed');
}

export function freshUnsealForm(view: AppView, vaultId: string): UnsealForm {
  const vault = view.vaults.find((each) => each.id === vaultId) ?? view.vaults.find((each) => each.state === 'sealed');
  return { vaultId: vault?.id ?? '', sources: vault === undefined ? [] : proposeSources(view, vault) };
}

/**
 * The form as it stands with what is here now: the page may open before the tokens are listed, or the device be
 * plugged in after it. Its token is proposed when it comes; what a person has chosen or removed is never changed.
 * @param decided undefined until somebody has changed the sources or a token was proposed
 */
export function unsealFormFor(view: AppView, vaultId: string, decided: UnsealForm | undefined): UnsealForm {
  return decided ?? freshUnsealForm(view, vaultId);
}

export function checkUnseal(view: AppView, form: UnsealForm): Checked<UnsealPlan, UnsealErrors> {
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  if (vault === undefined) return { errors: { vault: words.errorVault, each: {} }, plan: undefined, will: [] };
  const nodes = nodesToUnseal(vault);
  const first = nodes[0];
  const { each, whole, sources, will } = checkSources(view, form.sources, {
    threshold: first?.threshold ?? 0,
    already: first?.progress ?? 0,
  });
  const errors: { -readonly [Field in keyof UnsealErrors]: UnsealErrors[Field] } = { each };
  if (first === undefined)
    errors.vault = words.errorNotSealed(vault.name, text.states.vault[vault.state].toLowerCase());
  else if (first.sealType !== '' && first.sealType !== 'shamir') errors.vault = words.errorNotShamir(first.sealType);
  if (whole !== undefined) errors.sources = whole;
  const told = [words.will.read(nodes.length), ...will, words.will.confirm];

  const wrong = Object.keys(errors).length > 1 || Object.keys(each).length > 0;
  if (wrong) return { errors, plan: undefined, will: told };
  const plan: UnsealPlan = {
    workflow: 'unseal',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: nodes.map((node) => ({ address: node.address, trust: vault.trust })),
    sources,
  };
  return { errors, plan, will: told };
}
