import { describe, expect, it } from 'vitest';
import type { AppView, TokenView, VaultView } from '../../electron/contract/views.ts';
import { planSchema } from '../../electron/workflows/plans.ts';
import {
  checkTokenSetup,
  freshTokenSetupForm,
  lossesOf,
  tokenKey,
} from '../../renderer/features/plans/token-setup-form.ts';
import { checkUnseal, freshUnsealForm } from '../../renderer/features/plans/unseal-form.ts';
import {
  changeDestination,
  checkVaultInit,
  freshVaultInitForm,
} from '../../renderer/features/plans/vault-init-form.ts';
import { checkAddVault } from '../../renderer/features/vaults/add-vault-form.ts';
import { appView, tokenView, vaultView } from './renderer-views.ts';

const wrappingKey = {
  label: 'bank-vaults',
  id: '01',
  modulusBits: 2048,
  curve: '',
  complete: true,
  doubled: false,
  publicKeySha256: 'ab'.repeat(32),
  publicKeyWords: ['topmost'],
};
const ready: TokenView = tokenView({ inspected: true, wrappingKeys: [wrappingKey] });
const fresh: TokenView = tokenView({ slotId: 7, initialized: false, label: '', serial: '' });
const uninitialized: VaultView = vaultView('uninitialized');
const sealed: VaultView = vaultView('sealed');

function at(view: AppView, token: TokenView): ReturnType<typeof freshTokenSetupForm> {
  return freshTokenSetupForm(view, token);
}

describe('the plan of a token set-up', () => {
  const view = appView({ tokens: [ready, fresh] });

  it('is one that the workflows take', () => {
    const { plan, errors } = checkTokenSetup(view, { ...at(view, fresh), keyKind: 3072 });
    expect(errors).toEqual({});
    expect(planSchema.parse(plan)).toMatchObject({
      initialize: true,
      slotId: 7,
      expectedSerial: '',
      keyLabel: 'bank-vaults',
      modulusBits: 3072,
    });
  });

  it('is one with a curve where a key of a curve is wished for, and says so', () => {
    const { plan, will } = checkTokenSetup(view, { ...at(view, fresh), keyKind: 'P-384' });
    expect(planSchema.parse(plan)).toMatchObject({ curve: 'P-384' });
    expect(will.join(' ')).toContain('EC P-384');
    const { plan: usual } = checkTokenSetup(view, at(view, fresh));
    expect(planSchema.parse(usual)).not.toHaveProperty('curve');
  });

  it('refuses labels that are empty, over 32 bytes or in use', () => {
    const label = (value: string): string | undefined =>
      checkTokenSetup(view, { ...at(view, fresh), label: value }).errors.label;
    expect(label(' ')).toContain('label');
    expect(label('ü'.repeat(17))).toContain('34 bytes');
    expect(label('ü'.repeat(16))).toBeUndefined();
    expect(label(ready.label)).toContain(ready.label);
  });

  it('refuses a second pair under a label in use, unless the token is erased', () => {
    expect(checkTokenSetup(view, { ...at(view, ready), initialize: false }).errors.keyLabel).toContain('bank-vaults');
    expect(checkTokenSetup(view, { ...at(view, ready), initialize: true }).plan).toMatchObject({
      currentLabel: ready.label,
    });
    expect(lossesOf(ready).join()).toContain('bank-vaults');
  });

  it('keeps an initialised token apart by serial, a new one by slot', () => {
    expect(tokenKey(ready)).toContain(ready.serial);
    expect(tokenKey(fresh)).toContain('slot 7');
  });
});

describe('the plan of an initialisation', () => {
  const view = appView({ tokens: [ready], vaults: [uninitialized] });
  const form = freshVaultInitForm(view, uninitialized.id);

  it('starts as five shares, three needed, all on the token, and warns that this is no split', () => {
    const { plan, warnings } = checkVaultInit(view, form);
    expect(planSchema.parse(plan)).toMatchObject({
      shares: 5,
      threshold: 3,
      keyLabel: 'bank-vaults',
      rootToken: { kind: 'revoked' },
    });
    expect(warnings).toHaveLength(1);
  });

  it('refuses a threshold above the shares, or of one', () => {
    expect(checkVaultInit(view, { ...form, threshold: 6 }).errors.threshold).toContain('above');
    expect(checkVaultInit(view, { ...form, threshold: 1 }).errors.threshold).toContain('at least 2');
    expect(checkVaultInit(view, { ...form, shares: 1, threshold: 1 }).plan).toBeDefined();
  });

  it('asks for a custodian and a key wherever a share goes to a person', () => {
    const shown = changeDestination(form, 1, { kind: 'shown' });
    expect(checkVaultInit(view, shown).errors.destinations[1]).toContain('share 2');
    expect(checkVaultInit(view, changeDestination(shown, 1, { custodian: 'Anna' })).plan?.destinations[1]).toEqual({
      kind: 'shown',
      custodian: 'Anna',
    });
    expect(
      checkVaultInit(view, changeDestination(form, 0, { kind: 'pgp', custodian: 'Anna' })).errors.destinations[0],
    ).toContain('PGP');
  });

  it('refuses a token that already holds shares, a doubled key, and a Vault that is initialised', () => {
    const holding = appView({
      tokens: [{ ...ready, dataObjects: [{ label: 'vault-unseal-0', size: 256 }] }],
      vaults: [uninitialized],
    });
    expect(checkVaultInit(holding, form).errors.token).toContain('vault-unseal-0');
    const doubled = appView({
      tokens: [{ ...ready, wrappingKeys: [{ ...wrappingKey, doubled: true }] }],
      vaults: [uninitialized],
    });
    expect(checkVaultInit(doubled, form).errors.keyLabel).toBeDefined();
    const taken = appView({ tokens: [ready], vaults: [sealed] });
    expect(checkVaultInit(taken, { ...form, vaultId: sealed.id }).errors.vault).toContain('sealed');
  });
});

describe('the plan of an unseal', () => {
  it('finds the token that the shares were stored on', () => {
    const vault = { ...sealed, tokenSerial: ready.serial, tokenStoreId: ready.storeId, keyLabel: 'bank-vaults' };
    const view = appView({ tokens: [ready], vaults: [vault] });
    const { plan } = checkUnseal(view, freshUnsealForm(view, vault.id));
    expect(planSchema.parse(plan)).toMatchObject({ sources: [{ kind: 'token', token: { serial: ready.serial } }] });
  });

  it('counts people until there are enough of them', () => {
    const view = appView({ vaults: [sealed] });
    const typed = (names: readonly string[]): ReturnType<typeof checkUnseal> =>
      checkUnseal(view, { vaultId: sealed.id, sources: names.map((custodian) => ({ kind: 'typed', custodian })) });
    expect(typed(['Anna', 'Jonas']).errors.sources).toContain('3 shares');
    expect(typed(['Anna', 'Jonas', ' ']).errors.each[2]).toBeDefined();
    expect(typed(['Anna', 'Jonas', 'Mara']).plan?.sources).toHaveLength(3);
    expect(typed([]).errors.sources).toBeDefined();
  });
});

describe('a server that is added', () => {
  const form = {
    name: 'prod',
    addresses: 'https://a.example:8200',
    trust: 'system',
    caPath: '',
    certificateSha256: '',
    compared: false,
  } as const;

  it('takes https, and http on this machine only', () => {
    expect(checkAddVault(form)).toEqual({});
    expect(checkAddVault({ ...form, addresses: 'http://127.0.0.1:8200' })).toEqual({});
    expect(checkAddVault({ ...form, addresses: 'http://a.example:8200' }).addresses).toContain('https');
    expect(checkAddVault({ ...form, addresses: 'a.example' }).addresses).toBeDefined();
    expect(checkAddVault({ ...form, addresses: 'https://a\nhttps://a/' }).addresses).toContain('twice');
  });

  it('pins nothing that was not compared', () => {
    expect(checkAddVault({ ...form, trust: 'pinned', certificateSha256: 'ab'.repeat(32) }).trust).toBeDefined();
    expect(checkAddVault({ ...form, trust: 'pinned', certificateSha256: 'ab'.repeat(32), compared: true })).toEqual({});
    expect(checkAddVault({ ...form, trust: 'ca-file' }).trust).toBeDefined();
  });
});
