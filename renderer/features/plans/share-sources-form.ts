/** Where shares come from, for an unseal and for a migration of the seal: checks in plain words. Pure. */
import type { AppView, TokenView, VaultView } from '../../../electron/contract/views.ts';
import type { UnsealPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { tokenOfVault } from '../../views/glance.ts';
import { checkSecret, freshSecretForm, secretInWords, type SecretForm } from './secret-form.ts';
import { tokenKey } from './token-setup-form.ts';

const words = text.plans.unseal;

export type SourceForm =
  | { readonly kind: 'token'; readonly token: string; readonly keyLabel: string }
  /** Ciphertexts from a Secret, decrypted on the token. */
  | { readonly kind: 'secret'; readonly token: string; readonly keyLabel: string; readonly secret: SecretForm }
  | { readonly kind: 'pgp'; readonly custodian: string; readonly fileName: string; readonly messageBase64: string }
  | { readonly kind: 'typed'; readonly custodian: string };

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
function storedShares(token: TokenView): number {
  return token.dataObjects.filter((object) => /^vault-unseal-\d+$/u.test(object.label)).length;
}

export interface CheckedSources {
  /** What is wrong, by source index. */
  readonly each: Readonly<Record<number, string>>;
  /** What is wrong with them together. */
  readonly whole: string | undefined;
  /** Those that are in order. */
  readonly sources: UnsealPlan['sources'];
  readonly will: readonly string[];
}

/** @param shares how many Vault wants, and how many it has had already in the attempt that is going on */
export function checkSources(
  view: AppView,
  forms: readonly SourceForm[],
  shares: { readonly threshold: number; readonly already: number },
): CheckedSources {
  const each: Record<number, string> = {};
  const sources: UnsealPlan['sources'] = [];
  const will: string[] = [];
  forms.forEach((source, index) => {
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
  const withoutToken = forms.every((source) => source.kind !== 'token' && source.kind !== 'secret');
  const whole =
    forms.length === 0
      ? words.errorSources
      : withoutToken && forms.length + shares.already < shares.threshold
        ? words.errorTooFew(shares.threshold, forms.length)
        : undefined;
  return { each, whole, sources, will };
}
