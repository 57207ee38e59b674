import { describe, expect, it } from 'vitest';
import { objectViewSchema } from '../../electron/contract/views.ts';
import { toObjectViews, valueKindOf } from '../../electron/ipc/views/object-view.ts';
import { toTokenView } from '../../electron/ipc/views/token-view.ts';
import type { DeviceDescription, TokenObject } from '../../electron/workflows/device-ports.ts';
import type { TokenDescription } from '../../electron/workflows/ports.ts';

const object = (part: Partial<TokenObject>): TokenObject => ({
  objectClass: 'data',
  label: '',
  id: '',
  kind: '',
  bits: 0,
  curve: '',
  size: 0,
  attributes: [],
  subject: '',
  notAfter: '',
  sha256: '',
  ...part,
});

describe('what lies on a token', () => {
  it.each([
    ['vault-unseal-0', 'share'],
    ['vault-unseal-12', 'share'],
    ['vault-unseal-012', ''],
    ['vault-unseal-x', ''],
    ['vault-recovery-3', 'recovery'],
    ['vault-recovery-', ''],
    ['vault-root', 'root'],
    ['vault-test', 'trial'],
    ['key-custodian-trial', 'trial'],
    ['vault-unseal-0 ', ''],
    ['note', ''],
  ])('names the value %s as %s', (label, kind) => {
    expect(valueKindOf(label)).toBe(kind);
  });

  it('says which Vaults need a share or its key, and that nothing else is needed', () => {
    const views = toObjectViews(
      [
        object({ label: 'vault-unseal-0' }),
        object({ label: 'vault-root' }),
        object({ objectClass: 'private-key', label: 'bank-vaults', id: '01' }),
        object({ objectClass: 'private-key', label: 'other', id: '02' }),
        object({ objectClass: 'certificate', label: 'vault-unseal-0', id: '01' }),
      ],
      [{ name: 'prod', keyLabel: 'bank-vaults' }],
    );
    expect(views.map(({ objectClass, label, usedBy, valueKind }) => [objectClass, label, usedBy, valueKind])).toEqual([
      ['private-key', 'bank-vaults', ['prod'], ''],
      ['private-key', 'other', [], ''],
      ['certificate', 'vault-unseal-0', [], ''],
      ['data', 'vault-root', [], 'root'],
      ['data', 'vault-unseal-0', ['prod'], 'share'],
    ]);
    for (const view of views) objectViewSchema.parse(view);
  });

  it('marks doubles of one class and label, and nothing else', () => {
    const views = toObjectViews(
      [
        object({ label: 'vault-unseal-1', sha256: 'aa' }),
        object({ label: 'vault-unseal-1', sha256: 'bb' }),
        object({ label: 'vault-unseal-2' }),
        object({ objectClass: 'private-key', label: 'k', id: '01' }),
        object({ objectClass: 'public-key', label: 'k', id: '01' }),
        object({ objectClass: 'certificate', id: '01' }),
        object({ objectClass: 'certificate', id: '02' }),
      ],
      [],
    );
    expect(views.filter(({ doubled }) => doubled).map(({ label }) => label)).toEqual([
      'vault-unseal-1',
      'vault-unseal-1',
    ]);
  });

  it('orders numbered labels by number, whatever the token’s order', () => {
    const labels = ['vault-unseal-10', 'vault-unseal-9', 'vault-unseal-0'];
    expect(
      toObjectViews(
        labels.map((label) => object({ label })),
        [],
      ).map(({ label }) => label),
    ).toEqual(['vault-unseal-0', 'vault-unseal-9', 'vault-unseal-10']);
  });
});

describe('the memory of a token', () => {
  const token: TokenDescription = {
    storeId: 'opensc',
    slotId: 0,
    slotDescription: '',
    initialized: true,
    label: '',
    reportedLabel: '',
    serial: 'DENK0100001',
    manufacturer: '',
    model: '',
    firmwareVersion: '',
    userPinSet: true,
    pinLengthMinimum: 6,
    pinLengthMaximum: 15,
    userPinState: 'ok',
    soPinState: 'ok',
    writeProtected: false,
    loggedIn: false,
  };
  const store = { id: 'opensc', name: 'OpenSC', modulePath: '/opensc-pkcs11.so', rehearsal: false };
  const objects = { keyPairs: [], dataObjects: [], all: [], freeMemory: 100, totalMemory: 200 };
  const device = {
    serial: 'DENK0100001',
    readerName: '',
    label: '',
    firmwareVersion: '3.5',
    freeMemory: 50_000,
    pinState: 'set',
    pinTriesLeft: 3,
    soPinState: 'set',
    soPinTriesLeft: 15,
    dkek: { kind: 'none', shares: 0, outstanding: 0, keyCheckValue: '' },
    options: [],
  } as const;

  it('is unknown before the token was looked into, and the card’s own word goes first', () => {
    const free = (observed: Omit<Parameters<typeof toTokenView>[1], 'token'>): number =>
      toTokenView(store, { token, ...observed }, []).freeMemory;
    expect(free({ objects: undefined, device: undefined })).toBe(-1);
    expect(free({ objects, device: undefined })).toBe(100);
    expect(free({ objects, device })).toBe(50_000);
    expect(free({ objects, device: { ...device, freeMemory: -1 } })).toBe(100);
  });

  it('is new where the card has neither PIN, whatever OpenSC says', () => {
    const initialized = (part: Partial<Pick<DeviceDescription, 'pinState' | 'soPinState'>>): boolean =>
      toTokenView(store, { token, objects, device: { ...device, ...part } }, []).initialized;
    expect(initialized({})).toBe(true);
    expect(initialized({ pinState: 'not-initialized' })).toBe(true);
    expect(initialized({ pinState: 'not-initialized', soPinState: 'not-initialized' })).toBe(false);
    expect(toTokenView(store, { token, objects, device: undefined }, []).initialized).toBe(true);
  });
});
