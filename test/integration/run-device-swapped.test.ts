/** An initialisation of a Vault while the card service ends under it, and while another device comes back in place of its own. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import { openDeviceRunDesk, setUpPlan, storeId, type DeviceRunDesk } from '../fixtures/device-run-desk.ts';
import { failedSteps, initPlanOf } from '../fixtures/run-desk.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { startCardReaders, waitForReader, type CardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let readers: CardReaders;
let vault: TestVault;
let desk: DeviceRunDesk;
let card: Card;
let plugged: Card[];
/** What happens, once, when that step's start is in the journal. */
let disturbance: { readonly step: string; readonly act: () => Promise<unknown> } | undefined;

beforeEach(async () => {
  disturbance = undefined;
  vault = await startVaultServer({ storage: 'inmem', tls: false });
  readers = await startCardReaders({ patience: 600_000 });
  desk = await openDeviceRunDesk(undefined, (options) => ({
    ...options,
    journal: {
      ...options.journal,
      append: async (runId, event) => {
        const appended = await options.journal.append(runId, event);
        const due = disturbance;
        if (due !== undefined && JSON.stringify(event).includes(`"type":"step-started","step":"${due.step}"`)) {
          disturbance = undefined;
          await due.act();
        }
        return appended;
      },
    },
  }));
  plugged = [];
  card = await plugIn('ZZTEST00051');
  await setUp(card, 'office');
});
afterEach(async () => {
  for (const each of plugged) each.unplug();
  await desk.close();
  await readers.stop();
  await vault.stop();
});

async function plugIn(serial: string): Promise<Card> {
  const made = createCard({ serial });
  await made.plugIn(0);
  plugged.push(made);
  return made;
}

async function setUp(device: Card, label: string): Promise<void> {
  const run = await desk.carryThrough(setUpPlan(device.serial, label), device.serial);
  expect(failedSteps(run)).toEqual([]);
}

function initialise(): Promise<RunSnapshot> {
  const token = { storeId, serial: card.serial, label: 'office' };
  return desk.carryThrough(initPlanOf(vault, card.serial, { token }));
}

test.each(['trial-object', 'store-vault-unseal-1'])(
  'the card service ends at %s: the run says so, and goes on when it is back, with one PIN and no try burnt',
  async (step) => {
    disturbance = { step, act: () => readers.kill() };
    const disturbed = await initialise();
    expect(failedSteps(disturbed).map((failed) => failed.split(':')[0])).toEqual([step]);
    await readers.start();
    await waitForReader(0, 'card');
    desk.person.asked.splice(0);
    const ended = await desk.goOn(disturbed.state.runId);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(desk.person.asked).toEqual([`pin user ${card.serial}`]);
    expect(card.state.userPin?.triesLeft).toBe(3);
  },
);

test('another device in its place is noticed by its serial, before a PIN is asked for', async () => {
  disturbance = {
    step: 'store-vault-unseal-1',
    act: async () => {
      card.unplug();
      await waitForReader(0, 'empty');
    },
  };
  const disturbed = await initialise();
  expect(failedSteps(disturbed)).toEqual(['store-vault-unseal-1: Token_Gone']);
  const other = await plugIn('ZZTEST00052');
  await waitForReader(0, 'card');
  await setUp(other, 'office');
  desk.person.asked.splice(0);
  const refused = await desk.goOn(disturbed.state.runId);
  expect(failedSteps(refused)).toEqual(['store-vault-unseal-1: Token_NotFound']);
  expect(desk.person.asked).toEqual([]);
  expect(other.state.userPin?.triesLeft).toBe(3);
  other.unplug();
  await waitForReader(0, 'empty');
  await card.plugIn(0);
  await waitForReader(0, 'card');
  const ended = await desk.goOn(disturbed.state.runId);
  expect(failedSteps(ended)).toEqual([]);
  expect(ended.state.status).toBe('completed');
  expect(desk.person.asked).toEqual([`pin user ${card.serial}`]);
});
