import { expect, test } from 'vitest';
import type { SecretStorePlan } from '../../electron/workflows/cluster-plans.ts';
import type { DeviceClonePlan } from '../../electron/workflows/device-plans.ts';
import type { Plan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import { placesAfter } from '../../electron/workflows/share-places.ts';

const before = { tokenStoreId: 'opensc', tokenSerial: 'DENK0100001', keyLabel: 'bank-vaults' };
const plan: DeviceClonePlan = {
  workflow: 'device-clone',
  rehearsal: false,
  token: { storeId: 'opensc', serial: 'DENK0100001', label: 'A' },
  target: { storeId: 'opensc', serial: 'DENK0100002', label: 'B' },
  replace: true,
};
const no = (): boolean => false;

test('a replacement takes a Vault’s shares to the new device', () => {
  expect(placesAfter({ plan, status: 'completed' }, before, no)).toEqual({ ...before, tokenSerial: 'DENK0100002' });
});

test('a clone, an unfinished replacement and another device’s move nothing', () => {
  expect(placesAfter({ plan: { ...plan, replace: false }, status: 'completed' }, before, no)).toBe(before);
  expect(placesAfter({ plan, status: 'abandoned' }, before, no)).toBe(before);
  const other = { ...before, tokenSerial: 'DENK0100009' };
  expect(placesAfter({ plan, status: 'completed' }, other, no)).toBe(other);
  expect(placesAfter({ plan, status: 'completed' }, undefined, no)).toBeUndefined();
});

const cluster = {
  context: 'prod',
  kubeconfigPaths: ['/k'],
  clusterName: 'prod',
  server: 'https://10.0.0.1:6443',
  caSha256: '',
  userName: 'ada',
  clusterUid: '',
};
const secret = { namespace: 'vault', name: 'vault-unseal-keys' };
const token = { storeId: 'opensc', serial: 'DENK0100001', label: 'A' };
const init: VaultInitPlan = {
  workflow: 'vault-init',
  rehearsal: false,
  vaultId: 'v',
  vaultName: 'V',
  connection: { address: 'https://v', trust: { kind: 'system' } },
  token,
  keyLabel: 'bank-vaults',
  shares: 2,
  threshold: 2,
  // Labels are of the Secret that is made, and nothing of the place.
  secret: { cluster, secret, labels: { app: 'vault' } },
  destinations: [{ kind: 'secret' }, { kind: 'secret' }],
  rootToken: { kind: 'secret' },
};

test('an initialisation into a Secret is remembered, with whether the token has shares, too; the next one forgets it', () => {
  const yes = (): boolean => true;
  const all = placesAfter({ plan: init, status: 'completed' }, before, yes);
  expect(all).toEqual({ ...before, secret: { cluster, secret, alsoOnToken: false } });
  const mixed: VaultInitPlan = { ...init, destinations: [{ kind: 'token' }, { kind: 'secret' }] };
  expect(placesAfter({ plan: mixed, status: 'completed' }, before, yes)).toMatchObject({
    secret: { alsoOnToken: true },
  });
  const { secret: _, ...onToken } = { ...init, destinations: [{ kind: 'token' as const }, { kind: 'token' as const }] };
  const anew = placesAfter({ plan: { ...onToken, rootToken: { kind: 'token' } }, status: 'completed' }, all, yes);
  expect({ ...all, ...anew }).toEqual({ ...before, secret: undefined });
});

test('shares copied into a Secret are known of the Vaults on that token and key, until these get another key', () => {
  const store: SecretStorePlan = {
    workflow: 'secret-store',
    rehearsal: false,
    cluster,
    secret,
    secretLabels: {},
    token,
    keyLabel: 'bank-vaults',
    labels: ['vault-unseal-0'],
    vaultName: '',
  };
  const stored = placesAfter({ plan: store, status: 'completed' }, before, no);
  expect(stored).toEqual({ ...before, secret: { cluster, secret, alsoOnToken: true } });
  expect(placesAfter({ plan: { ...store, labels: ['vault-root'] }, status: 'completed' }, before, no)).toBe(before);
  expect(placesAfter({ plan: { ...store, keyLabel: 'other' }, status: 'completed' }, before, no)).toBe(before);
  expect(placesAfter({ plan, status: 'completed' }, stored, no)).toEqual({ ...stored, tokenSerial: 'DENK0100002' });
  const rewrap: Plan = {
    workflow: 'values-rewrap',
    rehearsal: false,
    token,
    fromKeyLabel: 'bank-vaults',
    toKeyLabel: 'new',
    modulusBits: 2048,
    labels: ['vault-unseal-0'],
    removeOldKey: false,
  };
  const rewrapped = placesAfter({ plan: rewrap, status: 'completed' }, stored, no);
  expect(rewrapped).toEqual({ ...before, keyLabel: 'new', secret: undefined });
  const onlyInSecret = { ...before, secret: { cluster, secret, alsoOnToken: false } };
  expect(placesAfter({ plan: rewrap, status: 'completed' }, onlyInSecret, no)).toBe(onlyInSecret);
});
