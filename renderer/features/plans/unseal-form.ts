/** What is decided before an unseal: which sources, enough of them, and the plan. Pure. */
import type { AppView, TokenView, VaultNodeView, VaultView } from '../../../electron/contract/views.ts';
import type { UnsealPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { tokenOfVault } from '../../views/glance.ts';
import { checkSecret, freshSecretForm, secretInWords, type SecretForm } from './secret-form.ts';
import { tokenKey, type Checked } from './token-setup-form.ts';

const words = text.plans.unseal;

export type SourceForm =
  | { readonly kind: 'token'; readonly token: string; readonly keyLabel: string }
  /** Ciphertexts from a Secret, decrypted on the token. */
  | { readonly kind: 'secret'; readonly token: string; readonly keyLabel: string; readonly secret: SecretForm }
  | { readonly kind: 'pgp'; readonly custodian: string; readonly fileName: string; readonly messageBase64: string }
  | { readonly kind: 'typed'; readonly custodian: string };

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

/** The token that this app stored the shares on; else one that is set up, for a rehearsal or where only one is here. */
export function proposeSources(view: AppView, vault: VaultView): readonly SourceForm[] {
  const recorded = tokenOfVault(view, vault);
  if (recorded !== undefined && vault.secret !== null) {
    const keyLabel = vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel;
    return [{ kind: 'secret', token: tokenKey(recorded), keyLabel, secret: freshSecretForm(vault.secret) }];
  }
  if (recorded !== undefined)
    return [
      { kind: 'token', token: tokenKey(recorded), keyLabel: vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel },
    ];
  if (vault.tokenSerial !== '') return [];
  const holding = view.tokens.filter(
    (token) => token.initialized && token.rehearsal === vault.rehearsal && storedShares(token) > 0,
  );
  const [only, another] = holding;
  return only !== undefined && another === undefined
    ? [{ kind: 'token', token: tokenKey(only), keyLabel: 'bank-vaults' }]
    : [];
}

/** How many of bank-vaults' share objects lie on a token, as last read. */
export function storedShares(token: TokenView): number {
  return token.dataObjects.filter((object) => /^vault-unseal-\d+$/u.test(object.label)).length;
}

export function checkUnseal(view: AppView, form: UnsealForm): Checked<UnsealPlan, UnsealErrors> {
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  if (vault === undefined) return { errors: { vault: words.errorVault, each: {} }, plan: undefined, will: [] };
  const nodes = nodesToUnseal(vault);
  const each: Record<number, string> = {};
  const errors: { -readonly [Field in keyof UnsealErrors]: UnsealErrors[Field] } = { each };
  const first = nodes[0];
  if (first === undefined)
    errors.vault = words.errorNotSealed(vault.name, text.states.vault[vault.state].toLowerCase());
  else if (first.sealType !== '' && first.sealType !== 'shamir') errors.vault = words.errorNotShamir(first.sealType);

  const sources: UnsealPlan['sources'] = [];
  const will = [words.will.read(nodes.length)];
  form.sources.forEach((source, index) => {
    if (source.kind === 'token' || source.kind === 'secret') {
      const token = view.tokens.find((candidate) => tokenKey(candidate) === source.token);
      if (token === undefined) each[index] = words.errorToken;
      else if (source.keyLabel.trim() === '') each[index] = words.errorKeyLabel;
      else {
        const reference = { storeId: token.storeId, serial: token.serial, label: token.label };
        const keyLabel = source.keyLabel.trim();
        if (source.kind === 'token') {
          sources.push({ kind: 'token', token: reference, keyLabel });
          will.push(words.will.token(token.label));
          return;
        }
        const checked = checkSecret(source.secret);
        if (!checked.ok) each[index] = checked.error;
        else {
          sources.push({ kind: 'secret', ...checked.place, token: reference, keyLabel });
          will.push(words.will.secret(secretInWords(source.secret), token.label));
        }
      }
      return;
    }
    const custodian = source.custodian.trim();
    if (custodian === '') each[index] = words.errorCustodian(index + 1);
    else if (source.kind === 'pgp') {
      sources.push({ kind: 'pgp', custodian, messageBase64: source.messageBase64 });
      will.push(words.will.pgp(custodian));
    } else {
      sources.push({ kind: 'typed', custodian });
      will.push(words.will.typed(custodian));
    }
  });
  will.push(words.will.confirm);

  const threshold = first?.threshold ?? 0;
  const already = first?.progress ?? 0;
  const withoutToken = form.sources.every((source) => source.kind !== 'token' && source.kind !== 'secret');
  if (form.sources.length === 0) errors.sources = words.errorSources;
  else if (withoutToken && form.sources.length + already < threshold)
    errors.sources = words.errorTooFew(threshold, form.sources.length);

  const wrong = Object.keys(errors).length > 1 || Object.keys(each).length > 0;
  if (wrong) return { errors, plan: undefined, will };
  const plan: UnsealPlan = {
    workflow: 'unseal',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: nodes.map((node) => ({ address: node.address, trust: vault.trust })),
    sources,
  };
  return { errors, plan, will };
}
