import { describe, expect, it } from 'vitest';
import { parsePath, pageKey, paths } from '../../renderer/stores/navigation-store.ts';
import { changesToAnnounce } from '../../renderer/views/announcements.ts';
import { bannerOf } from '../../renderer/views/banner.ts';
import {
  absentDevices,
  conditionOfToken,
  isSmartCardHsm,
  memoryOf,
  modelWords,
  pinMark,
  triesMark,
  twinsOf,
  vaultsOnToken,
  wrappingLabels,
} from '../../renderer/views/devices.ts';
import { evidenceLines } from '../../renderer/views/evidence.ts';
import { glanceAt } from '../../renderer/views/glance.ts';
import { inGroups } from '../../renderer/views/groups.ts';
import { openRunsOf, tokenOfRun } from '../../renderer/views/run-token.ts';
import {
  deviceView,
  endedDrill,
  newDevice,
  secondDevice,
  smartCardHsm,
  vaultOnDevice,
  viewWithDevices,
  viewWithNothing,
  viewWithProblems,
  worriedDevice,
} from '../screens/device-views.ts';
import { tokenView } from './renderer-views.ts';

describe('the tries that are left', () => {
  it('are fine above two, a warning at two, a danger at one, and locked at none', () => {
    const tone = (left: number): string => triesMark('set', left).tone;
    expect([3, 2, 1, 0].map(tone)).toEqual(['good', 'warn', 'bad', 'bad']);
    expect(triesMark('set', 1).words).toBe('One try left');
    expect(triesMark('set', 0).words).toBe('Locked');
    expect(triesMark('locked', 3).words).toBe('Locked');
  });

  it('are not made up where the device does not tell them', () => {
    expect(triesMark('set', -1)).toMatchObject({ tone: 'mute', words: 'Set' });
    const loggedIn = smartCardHsm({ userPinState: 'count-low', device: deviceView({ pinTriesLeft: -1 }) });
    expect(pinMark(loggedIn).words).toBe('Wrong PIN was tried');
  });

  it('say the worst first on the card', () => {
    expect(conditionOfToken(smartCardHsm()).words).toBe('Ready');
    expect(conditionOfToken(worriedDevice).words).toBe('PIN: one try left');
    expect(
      conditionOfToken({
        ...worriedDevice,
        device: { ...deviceView(), dkek: worriedDevice.device?.dkek ?? deviceView().dkek },
      }).words,
    ).toBe('Waits for DKEK shares');
    expect(conditionOfToken(newDevice).words).toBe('Not initialised');
  });
});

describe('a device', () => {
  it('is told by its own facts, or by its maker where those could not be read', () => {
    expect(isSmartCardHsm(smartCardHsm())).toBe(true);
    expect(isSmartCardHsm(smartCardHsm({ device: null }))).toBe(true);
    expect(isSmartCardHsm(tokenView({ manufacturer: 'SoftHSM project', model: 'SoftHSM v2' }))).toBe(false);
  });

  it('is named by USB where it is seen there', () => {
    const view = viewWithDevices();
    expect(modelWords(view, smartCardHsm())).toBe('Nitrokey HSM 2');
    expect(modelWords(view, worriedDevice)).toBe('SmartCard-HSM');
  });

  it('shows its memory, and when it is nearly full', () => {
    expect(memoryOf(smartCardHsm())).toMatchObject({ low: false, words: '52 kB free of 76 kB' });
    expect(memoryOf(smartCardHsm({ totalMemory: -1 }))?.total).toBe(76_000);
    expect(memoryOf(worriedDevice)).toMatchObject({ low: true, words: '5.1 kB free of 76 kB' });
    expect(memoryOf(tokenView({ freeMemory: -1, totalMemory: -1 }))).toBeUndefined();
  });

  it('has as twins those with the same complete DKEK', () => {
    const view = viewWithDevices();
    expect(twinsOf(view, smartCardHsm()).map((each) => each.serial)).toEqual([secondDevice.serial]);
    expect(twinsOf(view, worriedDevice)).toEqual([]);
    expect(inGroups('4f0c91d2a7b35e68')).toBe('4F0C 91D2 A7B3 5E68');
  });

  it('offers wrapping keys that are whole, bank-vaults’ own first', () => {
    const [key] = smartCardHsm().wrappingKeys;
    if (key === undefined) throw new Error('no key');
    const token = smartCardHsm({
      wrappingKeys: [{ ...key, label: 'a' }, { ...key, label: 'half', complete: false }, key],
    });
    expect(wrappingLabels(token)).toEqual(['bank-vaults', 'a']);
  });

  it('has a page whose parts are one page', () => {
    const path = paths.token('open/sc', 'DENK 1', 'objects');
    expect(parsePath(path)).toEqual({ page: 'token', storeId: 'open/sc', serial: 'DENK 1', tab: 'objects' });
    expect(pageKey(path)).toBe(pageKey(paths.token('open/sc', 'DENK 1', 'erase')));
    expect(parsePath(paths.tokenAct('pin-change', smartCardHsm(), 'unblock-pin'))).toMatchObject({
      page: 'plan-token-act',
      act: 'pin-change',
      serial: 'DENK0105160',
      subject: 'unblock-pin',
    });
    expect(parsePath('/tokens')).toEqual({ page: 'tokens' });
    expect(parsePath('/tokens/opensc/X/nonsense')).toMatchObject({ page: 'token', tab: 'overview' });
  });
});

describe('a device that is not here', () => {
  const away = { tokens: [], presence: viewWithNothing.presence };

  it('is known by the Vaults whose shares it holds', () => {
    expect(vaultsOnToken(viewWithDevices(), smartCardHsm()).map((vault) => vault.name)).toEqual(['Production']);
    const view = viewWithDevices(away);
    expect(absentDevices(view)).toMatchObject([{ serial: 'DENK0105160', vaults: [{ name: 'Production' }] }]);
    expect(absentDevices(viewWithDevices())).toEqual([]);
  });

  it('is not called missing while its store still looks or does not open', () => {
    const [store] = viewWithDevices().stores;
    if (store === undefined) throw new Error('no store');
    expect(absentDevices(viewWithDevices({ ...away, stores: [{ ...store, state: 'looking' }] }))).toEqual([]);
    expect(absentDevices(viewWithDevices({ ...away, stores: [{ ...store, state: 'failed' }] }))).toEqual([]);
  });

  it('is said on Home: calmly while the Vault is open, with the Vault once it is sealed', () => {
    expect(bannerOf(viewWithDevices(away))).toMatchObject({ kind: 'absent', names: ['DENK0105160'], waits: 0 });
    expect(bannerOf(viewWithDevices({ ...away, vaults: [vaultOnDevice('sealed')] }))).toMatchObject({
      kind: 'sealed',
      absent: [{ serial: 'DENK0105160' }],
    });
    expect(bannerOf(viewWithDevices()).kind).toBe('well');
  });

  it('waits for a person where it is plugged in and cannot be used, but not for one that is no HSM', () => {
    const glance = glanceAt(viewWithProblems);
    expect(glance.unusable.map((problem) => problem.kind)).toEqual(['held-by-scdaemon']);
    expect(glance.waits).toBe(2);
  });
});

describe('a device that comes or goes', () => {
  it('is announced by its name, and so is one that cannot be used; a moved slot is not', () => {
    const one = viewWithDevices({ tokens: [smartCardHsm()] });
    const two = viewWithDevices({ tokens: [smartCardHsm({ slotId: 9 }), secondDevice] });
    expect(changesToAnnounce(one, two)).toEqual(['vault-backup is here']);
    expect(changesToAnnounce(two, one)).toEqual(['vault-backup was unplugged']);
    const { presence } = viewWithProblems;
    expect(changesToAnnounce(one, { ...one, presence })).toContain('GnuPG holds Nitrokey HSM 2');
  });
});

describe('a run on a token', () => {
  it('leads back to its token by the serial that it noted', () => {
    const view = viewWithDevices();
    expect(tokenOfRun(view, endedDrill)?.serial).toBe('DENK0105160');
    expect(tokenOfRun(viewWithNothing, endedDrill)).toBeUndefined();
    const unnoted = { ...endedDrill, steps: [] };
    expect(tokenOfRun(view, unnoted)?.serial).toBe('DENK0105160');
    expect(tokenOfRun(view, { ...unnoted, workflow: 'unseal' })).toBeUndefined();
  });

  it('is shown on its page while it is open', () => {
    const open = { ...endedDrill, status: 'open' as const };
    expect(openRunsOf(viewWithDevices({ runs: [open, endedDrill] }), smartCardHsm())).toEqual([open]);
    expect(openRunsOf(viewWithDevices({ runs: [open] }), secondDevice)).toEqual([]);
  });

  it('leaves evidence that reads well', () => {
    const kinds = endedDrill.steps.flatMap((step) => evidenceLines(step)).map((line) => line.kind);
    expect(kinds).toEqual(['check-value', 'words', 'plain', 'plain', 'path', 'hash', 'plain']);
  });
});
