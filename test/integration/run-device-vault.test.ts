/** The whole path on a SmartCard-HSM: set up, a Vault with its shares on it, pulled out and plugged in, unsealed. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { openDeviceRunDesk, setUpPlan, storeId, type DeviceRunDesk } from '../fixtures/device-run-desk.ts';
import { failedSteps, initPlanOf, unsealPlanOf } from '../fixtures/run-desk.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';

const serial = 'ZZTEST00001';

let readers: CardReaders;
let vault: TestVault;
let desk: DeviceRunDesk;
let card: Card;

beforeAll(async () => {
  vault = await startVaultServer();
  readers = await startCardReaders({ patience: 600_000 });
  desk = await openDeviceRunDesk();
  card = createCard({ serial });
  await card.plugIn(0);
});

afterAll(async () => {
  card.unplug();
  await desk.close();
  await readers.stop();
  await vault.stop();
});

test('a device is set up, keeps the shares of a Vault, and unseals it after it was pulled out', async () => {
  const setUp = await desk.carryThrough(setUpPlan(serial, 'office', { dkek: { kind: 'random' } }), serial);
  expect(failedSteps(setUp)).toEqual([]);
  const token = { storeId, serial, label: 'office' };
  const initialized = await desk.carryThrough(initPlanOf(vault, serial, { token }));
  expect(failedSteps(initialized)).toEqual([]);
  expect(initialized.state.status).toBe('completed');

  card.unplug();
  await vault.restart();
  const unsealing = unsealPlanOf(vault, serial, {
    sources: [{ kind: 'token', token, keyLabel: 'bank-vaults' }],
  });
  const withoutDevice = await desk.carryThrough(unsealing);
  expect(failedSteps(withoutDevice)).toEqual(['log-in: Token_NotFound']);
  await card.plugIn(0);
  desk.person.asked.splice(0);
  const unsealed = await desk.goOn(withoutDevice.state.runId);
  expect(failedSteps(unsealed)).toEqual([]);
  expect(unsealed.state).toMatchObject({ status: 'completed', facts: { sealedNodes: 0 } });
  expect(desk.person.asked).toEqual([`pin user ${serial}`]);
  expect(card.state.userPin?.triesLeft).toBe(3);
});
