/** What is decided before a Vault is initialised: checks in plain words, warnings, and the plan. Pure. */
import type { AppView } from '../../../electron/contract/views.ts';
import type { RootTokenDestination, ShareDestination } from '../../../electron/workflows/ports.ts';
import type { VaultInitPlan } from '../../../electron/workflows/plans.ts';
import { text } from '../../text/en.ts';
import { checkSecret, freshSecretForm, secretInWords, type SecretForm } from './secret-form.ts';
import { tokenKey, type Checked } from './token-setup-form.ts';

const words = text.plans.vaultInit;

/** A PGP key that was chosen and read; the public half only. */
export interface ChosenPgpKey {
  readonly fingerprint: string;
  readonly userId: string;
  readonly algorithm: string;
  readonly expires: string;
  readonly publicKeyArmored: string;
}

/** One share's destination as it is being decided; fields of another kind are kept for changing one's mind. */
export interface DestinationForm {
  readonly kind: 'token' | 'secret' | 'pgp' | 'shown';
  readonly custodian: string;
  readonly pgpKey: ChosenPgpKey | undefined;
}

export interface VaultInitForm {
  readonly vaultId: string;
  readonly token: string;
  readonly keyLabel: string;
  readonly shares: number;
  readonly threshold: number;
  /** May be longer than `shares`, so that lowering and raising it loses nothing. */
  readonly destinations: readonly DestinationForm[];
  /** Where what goes into a Secret goes. */
  readonly secret: SecretForm;
  readonly rootToken: {
    readonly kind: 'token' | 'secret' | 'pgp' | 'revoked';
    readonly custodian: string;
    readonly pgpKey: ChosenPgpKey | undefined;
  };
}

export interface VaultInitErrors {
  readonly vault?: string;
  readonly token?: string;
  readonly keyLabel?: string;
  readonly shares?: string;
  readonly threshold?: string;
  readonly rootToken?: string;
  readonly secret?: string;
  /** By share index. */
  readonly destinations: Readonly<Record<number, string>>;
}

export const onToken: DestinationForm = { kind: 'token', custodian: '', pgpKey: undefined };

export function destinationAt(form: VaultInitForm, index: number): DestinationForm {
  return form.destinations[index] ?? onToken;
}

export function changeDestination(form: VaultInitForm, index: number, change: Partial<DestinationForm>): VaultInitForm {
  const destinations = Array.from({ length: Math.max(form.destinations.length, index + 1) }, (_, at) =>
    at === index ? { ...destinationAt(form, at), ...change } : destinationAt(form, at),
  );
  return { ...form, destinations };
}

export function freshVaultInitForm(view: AppView, vaultId: string): VaultInitForm {
  const vault =
    view.vaults.find((each) => each.id === vaultId) ?? view.vaults.find((each) => each.state === 'uninitialized');
  return {
    vaultId: vault?.id ?? '',
    ...pickToken(view, vault?.id ?? ''),
    keyLabel: '',
    shares: 5,
    threshold: 3,
    destinations: [],
    secret: freshSecretForm(null),
    rootToken: { kind: 'revoked', custodian: '', pgpKey: undefined },
  };
}

/** The form with what is listed now: a Vault or token that comes after the page opened is taken when it comes. */
export function vaultInitFormFor(view: AppView, vaultId: string, form: VaultInitForm | undefined): VaultInitForm {
  if (form === undefined) return freshVaultInitForm(view, vaultId);
  const chosen = form.vaultId === '' ? freshVaultInitForm(view, vaultId).vaultId : form.vaultId;
  if (form.token !== '' && chosen === form.vaultId) return form;
  return { ...form, vaultId: chosen, ...(form.token === '' ? pickToken(view, chosen) : {}) };
}

/** The token that offers itself for a Vault: one with a wrapping key, of the same kind (rehearsal or not). */
export function pickToken(view: AppView, vaultId: string): { readonly token: string } {
  const rehearsal = view.vaults.find((each) => each.id === vaultId)?.rehearsal ?? false;
  const usable = view.tokens.filter((token) => token.initialized && token.rehearsal === rehearsal);
  const token = usable.find((each) => each.wrappingKeys.some((key) => key.complete && !key.doubled)) ?? usable[0];
  return { token: token === undefined ? '' : tokenKey(token) };
}

/** The chosen label, or the one that offers itself: bank-vaults where it is there, else the first whole pair. */
export function effectiveKeyLabel(view: AppView, form: VaultInitForm): string {
  const keys =
    view.tokens.find((each) => tokenKey(each) === form.token)?.wrappingKeys.filter((key) => key.complete) ?? [];
  if (keys.some((key) => key.label === form.keyLabel)) return form.keyLabel;
  return (keys.find((key) => key.label === 'bank-vaults') ?? keys[0])?.label ?? '';
}

export function checkVaultInit(
  view: AppView,
  form: VaultInitForm,
): Checked<VaultInitPlan, VaultInitErrors> & { readonly warnings: readonly string[] } {
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const token = view.tokens.find((each) => tokenKey(each) === form.token);
  const keyLabel = effectiveKeyLabel(view, form);
  const key = token?.wrappingKeys.find((each) => each.label === keyLabel);
  const node = vault?.nodes.find((each) => each.state === 'uninitialized') ?? vault?.nodes[0];
  const destinations: Record<number, string> = {};
  const errors: { -readonly [Field in keyof VaultInitErrors]: VaultInitErrors[Field] } = { destinations };

  if (vault === undefined) errors.vault = words.errorVault;
  else if (vault.state !== 'uninitialized' && node?.state !== 'uninitialized') {
    errors.vault = words.errorVaultState(vault.name, text.states.vault[vault.state].toLowerCase());
  }
  if (token === undefined) errors.token = words.errorToken;
  else {
    const taken = token.dataObjects
      .map((object) => object.label)
      .filter((label) => /^vault-(root|test|unseal-\d+)$/u.test(label));
    if (taken.length > 0) errors.token = words.errorObjects(taken.join(', '));
    if (token.inspected && key === undefined) errors.keyLabel = words.keysNone;
    else if (key === undefined) errors.keyLabel = words.errorKey;
    else if (key.doubled) errors.keyLabel = words.errorKeyDoubled;
  }
  if (!Number.isInteger(form.shares) || form.shares < 1 || form.shares > 255) errors.shares = words.errorSharesRange;
  if (form.threshold > form.shares) errors.threshold = words.errorThresholdAbove;
  else if (form.shares > 1 && form.threshold < 2) errors.threshold = words.errorThresholdLow;

  const chosen: ShareDestination[] = [];
  for (let index = 0; index < form.shares; index += 1) {
    const destination = destinationAt(form, index);
    const custodian = destination.custodian.trim();
    if (destination.kind === 'token' || destination.kind === 'secret') chosen.push({ kind: destination.kind });
    else if (custodian === '') destinations[index] = words.errorCustodian(index + 1);
    else if (destination.kind === 'shown') chosen.push({ kind: 'shown', custodian });
    else if (destination.pgpKey === undefined) destinations[index] = words.errorPgpKey(index + 1);
    else
      chosen.push({
        kind: 'pgp',
        custodian,
        publicKeyArmored: destination.pgpKey.publicKeyArmored,
        fingerprint: destination.pgpKey.fingerprint,
      });
  }

  let rootToken: RootTokenDestination = { kind: 'revoked' };
  if (form.rootToken.kind === 'token' || form.rootToken.kind === 'secret') rootToken = { kind: form.rootToken.kind };
  if (form.rootToken.kind === 'pgp') {
    const custodian = form.rootToken.custodian.trim();
    if (custodian === '') errors.rootToken = words.errorRootCustodian;
    else if (form.rootToken.pgpKey === undefined) errors.rootToken = words.errorRootKey;
    else {
      const { publicKeyArmored, fingerprint } = form.rootToken.pgpKey;
      rootToken = { kind: 'pgp', custodian, publicKeyArmored, fingerprint };
    }
  }

  const needsSecret = usesSecret(form);
  const secret = checkSecret(form.secret);
  if (needsSecret && vault?.rehearsal === true) errors.secret = words.errorSecretRehearsal;
  else if (needsSecret && !secret.ok) errors.secret = secret.error;

  const wrong = Object.keys(errors).length > 1 || Object.keys(destinations).length > 0;
  const warnings = warn(form);
  const will = vault === undefined ? [] : describe(vault.name, form, chosen, rootToken);
  if (wrong || vault === undefined || token === undefined || node === undefined)
    return { errors, plan: undefined, will, warnings };
  const plan: VaultInitPlan = {
    workflow: 'vault-init',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connection: { address: node.address, trust: vault.trust },
    token: { storeId: token.storeId, serial: token.serial, label: token.label },
    keyLabel,
    shares: form.shares,
    threshold: form.threshold,
    ...(needsSecret && secret.ok ? { secret: secret.place } : {}),
    destinations: chosen,
    rootToken,
  };
  return { errors, plan, will, warnings };
}

/** Whether anything goes into the Secret. */
export function usesSecret(form: VaultInitForm): boolean {
  return (
    form.rootToken.kind === 'secret' ||
    Array.from({ length: form.shares }, (_, index) => destinationAt(form, index)).some(({ kind }) => kind === 'secret')
  );
}

/** Split knowledge that is none: one person or one device with enough to open the Vault. */
function warn(form: VaultInitForm): readonly string[] {
  const perPerson = new Map<string, number>();
  let onTokenCount = 0;
  for (let index = 0; index < form.shares; index += 1) {
    const destination = destinationAt(form, index);
    const name = destination.custodian.trim();
    // What is in the Secret opens with the same token.
    if (destination.kind === 'token' || destination.kind === 'secret') onTokenCount += 1;
    else if (name !== '') perPerson.set(name, (perPerson.get(name) ?? 0) + 1);
  }
  const warnings: string[] = [];
  for (const [name, shares] of perPerson) {
    if (shares >= form.threshold) warnings.push(words.warnSamePerson(name, shares, form.threshold));
  }
  if (onTokenCount >= form.threshold) warnings.push(words.warnTokenAlone);
  return warnings;
}

function describe(
  vaultName: string,
  form: VaultInitForm,
  chosen: readonly ShareDestination[],
  rootToken: RootTokenDestination,
): readonly string[] {
  const stored = chosen.filter((each) => each.kind === 'token').length;
  const inSecret = chosen.filter((each) => each.kind === 'secret').length;
  const encrypted = chosen.filter((each) => each.kind === 'pgp').length;
  const shown = chosen.flatMap((each) => (each.kind === 'shown' ? [each.custodian] : []));
  return [
    words.will.check(vaultName),
    words.will.trial,
    words.will.init(form.threshold, form.shares),
    ...(stored > 0 ? [words.will.token(stored)] : []),
    ...(inSecret > 0 ? [words.will.secret(inSecret, secretInWords(form.secret))] : []),
    ...(encrypted > 0 ? [words.will.pgp(encrypted)] : []),
    ...(shown.length > 0 ? [words.will.shown(shown.join(', '))] : []),
    rootToken.kind === 'token'
      ? words.will.rootToken
      : rootToken.kind === 'secret'
        ? words.will.rootSecret(secretInWords(form.secret))
        : rootToken.kind === 'pgp'
          ? words.will.rootPgp(rootToken.custodian)
          : words.will.rootRevoked,
    words.will.end,
  ];
}
