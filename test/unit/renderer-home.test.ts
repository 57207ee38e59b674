import { describe, expect, it } from 'vitest';
import type { AppView, StoreView } from '../../electron/contract/views.ts';
import { tokenSetupFormFor } from '../../renderer/features/plans/token-setup-form.ts';
import { unsealFormFor } from '../../renderer/features/plans/unseal-form.ts';
import { vaultInitFormFor } from '../../renderer/features/plans/vault-init-form.ts';
import { bannerOf } from '../../renderer/views/banner.ts';
import { closedStores, rehearsalPath } from '../../renderer/views/glance.ts';
import { appView, runView, tokenView, vaultView } from './renderer-views.ts';

const store = (part: Partial<StoreView> = {}): StoreView => ({
  id: 'softhsm',
  name: 'SoftHSM',
  modulePath: '/usr/lib/softhsm/libsofthsm2.so',
  rehearsal: false,
  removable: false,
  state: 'ready',
  problem: null,
  ...part,
});
const closed = store({
  state: 'failed',
  problem: { code: 'Token_GeneralError', message: 'Not open to this user.', next: 'Join the group.' },
});

describe('the first answer on Home', () => {
  const kind = (part: Partial<AppView>): string => bannerOf(appView(part)).kind;

  it('says that all is well only once everything was looked at and nothing waits', () => {
    expect(kind({ vaults: [vaultView('unsealed')] })).toBe('well');
    expect(kind({ vaults: [vaultView('unsealed')], runs: [runView({})] })).toBe('waits');
    expect(kind({ vaults: [vaultView('looking')] })).toBe('looking');
    expect(kind({ vaults: [vaultView('unsealed')], stores: [store({ state: 'looking' })] })).toBe('looking');
  });

  it('names what is being looked at', () => {
    const banner = bannerOf(
      appView({ vaults: [vaultView('looking'), vaultView('unsealed')], stores: [store({ state: 'looking' })] }),
    );
    expect(banner.names).toEqual(['looking', 'SoftHSM']);
  });

  it('puts what is sealed or missing before what is only not known yet', () => {
    expect(kind({ vaults: [vaultView('sealed'), vaultView('looking')] })).toBe('sealed');
    expect(kind({ vaults: [vaultView('unreachable'), vaultView('looking')] })).toBe('missing');
  });

  it('claims nothing about servers where none is known', () => {
    expect(kind({})).toBe('empty');
    expect(kind({ stores: [store({ state: 'looking' })] })).toBe('looking');
    expect(kind({ tokens: [tokenView()] })).toBe('no-vault');
    expect(kind({ runs: [runView({ status: 'completed' })] })).toBe('no-vault');
    expect(kind({ vaults: [vaultView('uninitialized')] })).toBe('fresh');
  });
});

describe('a token store that does not open', () => {
  it('is a quiet hint while nothing was ever kept in it', () => {
    expect(closedStores(appView({ stores: [closed, store({ id: 'other' })] }))).toEqual([
      { store: closed, quiet: true },
    ]);
  });

  it('is an alarm where shares lie in it, and where the person added it', () => {
    const vault = { ...vaultView('unsealed'), tokenStoreId: 'softhsm' };
    expect(closedStores(appView({ stores: [closed], vaults: [vault] }))).toEqual([{ store: closed, quiet: false }]);
    expect(closedStores(appView({ stores: [{ ...closed, removable: true }] }))[0]?.quiet).toBe(false);
    expect(bannerOf(appView({ stores: [closed], vaults: [vault] })).kind).toBe('waits');
    expect(bannerOf(appView({ stores: [closed], vaults: [vaultView('unsealed')] })).kind).toBe('well');
  });
});

describe('the third part of a rehearsal', () => {
  const before = [
    runView({ id: 'a', workflow: 'token-setup', rehearsal: true, status: 'completed' }),
    runView({ id: 'b', workflow: 'vault-init', rehearsal: true, status: 'completed' }),
  ];
  const ready = { state: 'ready', progressText: '', progressFraction: 1, problem: null, storeId: 's' } as const;
  const third = (state: 'sealed' | 'unsealed' | 'unreachable'): unknown =>
    rehearsalPath(
      appView({
        runs: before,
        vaults: [{ ...vaultView(state), rehearsal: true }],
        rehearsal: { ...ready, vaultId: `vault-${state}` },
      }),
    )[2];

  it('begins with a restart while the Vault is open, and with the unseal once it is sealed', () => {
    expect(third('unsealed')).toMatchObject({ state: 'next', sealFirst: true });
    expect(third('sealed')).toMatchObject({ state: 'next', sealFirst: false });
    expect(third('unreachable')).toMatchObject({ state: 'next', sealFirst: false });
  });
});

describe('a plan page that opens before the tokens are listed', () => {
  const fresh = tokenView({
    storeId: 'rehearsal',
    rehearsal: true,
    slotId: 7,
    initialized: false,
    label: '',
    serial: '',
  });

  it('takes the token when it comes', () => {
    const early = tokenSetupFormFor(appView(), 'rehearsal', '', undefined);
    expect(early.token).toBe('');
    const late = tokenSetupFormFor(appView({ tokens: [fresh] }), 'rehearsal', '', early);
    expect(late).toMatchObject({ token: 'rehearsal|slot 7', initialize: true, label: 'rehearsal' });
  });

  it('takes the one in the named slot, and keeps what was typed meanwhile', () => {
    const other = { ...fresh, slotId: 8 };
    const early = { ...tokenSetupFormFor(appView(), 'rehearsal', '8', undefined), label: 'mine', keyLabel: 'key' };
    const late = tokenSetupFormFor(appView({ tokens: [fresh, other] }), 'rehearsal', '8', early);
    expect(late).toMatchObject({ token: 'rehearsal|slot 8', label: 'mine', keyLabel: 'key' });
  });

  it('changes nothing that was chosen, and takes no token of another store', () => {
    const view = appView({ tokens: [fresh, tokenView()] });
    const chosen = {
      ...tokenSetupFormFor(view, 'rehearsal', '7', undefined),
      token: 'softhsm|serial 3f9a21c07be14d55',
    };
    expect(tokenSetupFormFor(view, 'rehearsal', '7', chosen)).toBe(chosen);
    expect(tokenSetupFormFor(appView({ tokens: [tokenView()] }), 'rehearsal', '', undefined).token).toBe('');
    expect(tokenSetupFormFor(appView({ tokens: [fresh] }), '', '', undefined).token).toBe('');
  });

  it('an unseal takes the token with the shares when it is plugged in, and leaves removed sources alone', () => {
    const vault = { ...vaultView('sealed'), tokenSerial: tokenView().serial, tokenStoreId: 'softhsm' };
    const before = unsealFormFor(appView({ vaults: [vault] }), vault.id, undefined);
    expect(before).toEqual({ vaultId: vault.id, sources: [] });
    const view = appView({ vaults: [vault], tokens: [tokenView()] });
    expect(unsealFormFor(view, vault.id, undefined).sources).toMatchObject([{ kind: 'token' }]);
    const removed = { vaultId: vault.id, sources: [] };
    expect(unsealFormFor(view, vault.id, removed)).toBe(removed);
  });

  it('an initialisation takes its Vault and token when they come', () => {
    const early = { ...vaultInitFormFor(appView(), 'vault-uninitialized', undefined), shares: 7 };
    const view = appView({ vaults: [vaultView('uninitialized')], tokens: [tokenView()] });
    expect(vaultInitFormFor(view, 'vault-uninitialized', early)).toMatchObject({
      vaultId: 'vault-uninitialized',
      token: 'softhsm|serial 3f9a21c07be14d55',
      shares: 7,
    });
  });
});
