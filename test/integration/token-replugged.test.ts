/** A log-in ends with the plug: wherever the same device turns up again, listing it says so. */
import { expect, test } from 'vitest';
import { setUpSmartCardHsm, type SmartCardHsmToken } from '../fixtures/token-kinds.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { waitForReader } from '../servers/pcscd.ts';

async function listed(device: SmartCardHsmToken): Promise<{ readonly loggedIn: boolean } | undefined> {
  const [store] = await device.port.listTokens();
  if (store === undefined) throw new Error('The store is gone.');
  return valueOf(store.result).find((token) => token.serial === device.serial);
}

test.each([
  ['the same reader', 0],
  ['another reader', 1],
] as const)('a device that comes back in %s is logged out, and takes its PIN', async (_where, reader) => {
  const device = await setUpSmartCardHsm();
  try {
    await device.logIn();
    expect(await listed(device)).toMatchObject({ loggedIn: true });
    device.card.unplug();
    await waitForReader(0, 'empty');
    await device.card.plugIn(reader);
    await waitForReader(reader, 'card');
    await expect.poll(() => listed(device), { timeout: 30_000, interval: 200 }).toMatchObject({ loggedIn: false });
    await device.logIn();
    valueOf(await device.port.generateKeyPair(device.token, 'bank-vaults', 2048));
  } finally {
    await device.dispose();
  }
});

test('listing a device ends nobody’s log-in', async () => {
  const device = await setUpSmartCardHsm();
  try {
    await device.logIn();
    for (let round = 0; round < 3; round += 1) {
      expect(await listed(device)).toMatchObject({ loggedIn: true });
      valueOf(await device.port.listDevices(device.store.id));
    }
    valueOf(await device.port.generateKeyPair(device.token, 'bank-vaults', 2048));
  } finally {
    await device.dispose();
  }
});
