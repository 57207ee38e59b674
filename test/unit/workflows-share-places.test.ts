import { expect, test } from 'vitest';
import type { DeviceClonePlan } from '../../electron/workflows/device-plans.ts';
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
