/**
 * Every kind of step of every workflow on a device, the device pulled out in its middle twice and plugged in again
 * twice: the run says so, goes on without a new start of the app, asks for the PIN once each time, and ends with
 * nothing on the device that it does not know of. From a card that was set up once.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { makeTestCertificate } from '../fixtures/certificate.ts';
import { initialiseForShares, testDkek, withDkek } from '../fixtures/device-cards.ts';
import { clonePlan, openDeviceRunDesk, setUpPlan, storeId, type DeviceRunDesk } from '../fixtures/device-run-desk.ts';
import { testPin } from '../fixtures/device-person.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import type { InstructionName } from '../fixtures/smartcard-hsm/applet.ts';
import { createCard, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import type { SavedCard } from '../fixtures/smartcard-hsm/state.ts';
import { runPkcs11Tool } from '../fixtures/smartcard-hsm/tools.ts';
import { startCardReaders, waitForReader, type CardReaders } from '../servers/pcscd.ts';

const serial = 'ZZTEST00061';
const targetSerial = 'ZZTEST00062';
const token = { storeId, serial, label: 'office' };
const target = { storeId, serial: targetSerial, label: 'spare' };
const common = { rehearsal: false, token };

let readers: CardReaders;
let desk: DeviceRunDesk;
let saved: SavedCard;
let savedTarget: SavedCard;
let certificate: string;
let card: Card;
let other: Card | undefined;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  certificate = Buffer.from(await makeTestCertificate('/O=Test/CN=CA')).toString('base64');
  const prepare = async (name: string, label: string): Promise<Card> => {
    const made = createCard({ serial: name });
    await made.plugIn(0);
    await initialiseForShares(made, 0, label);
    made.unplug();
    return withDkek(made, testDkek);
  };
  savedTarget = (await prepare(targetSerial, 'spare')).save();
  const ready = await prepare(serial, 'office');
  await ready.plugIn(0);
  const generate = ['--login', '--pin', testPin, '--keypairgen'];
  await runPkcs11Tool([...generate, '--key-type', 'rsa:2048', '--label', 'bank-vaults', '--id', '10'], {
    deadline: 60_000,
  });
  await runPkcs11Tool([...generate, '--key-type', 'EC:prime256v1', '--label', 'sign', '--id', '20']);
  ready.unplug();
  saved = ready.save();
});

afterEach(async () => {
  card.unplug();
  other?.unplug();
  other = undefined;
  await desk.close();
});

afterAll(() => readers.stop());

const testOf = (label: string, id: string): Plan => ({
  workflow: 'key-test',
  ...common,
  keys: [{ label, id }],
  attest: true,
});

const store = (): Plan => ({
  workflow: 'certificate-store',
  ...common,
  certificateLabel: 'ca',
  id: 'ca01',
  fileName: 'ca.der',
  fileBase64: certificate,
});

const { device: _erased, ...keyOnly } = setUpPlan(serial, 'office');

/** What is done, at which command the device is pulled out both times, and whose PIN is asked for anew. */
const steps: readonly (readonly [step: string, at: InstructionName, plan: () => Plan])[] = [
  ['initialisation', 'initializeDevice', () => setUpPlan(serial, 'anew', { currentSoPin: 'typed', newSoPin: false })],
  ['log-in', 'verify', () => testOf('bank-vaults', '10')],
  ['key generation', 'generateKeyPair', () => ({ ...keyOnly, initialize: false, keyLabel: 'second' })],
  ['signature', 'sign', () => testOf('sign', '20')],
  ['decryption', 'decipher', () => testOf('bank-vaults', '10')],
  ['wrapping', 'wrapKey', () => clonePlan(token, target)],
  ['write', 'updateBinary', store],
];

/** PINs sent that the card compared, right or wrong. */
const pinsSent = (): number =>
  card.exchanges.filter(({ instruction, command }) => instruction === 'verify' && command.data.length > 0).length;

async function begin(plan: Plan): Promise<string> {
  const started = await desk.harness.runner.start(plan, 'Ada');
  if (!started.ok) throw new Error(started.error.message);
  return started.value.runId;
}

/** Goes on until the device is pulled out at that command; what failed by it. */
async function untilPulled(runId: string, at: InstructionName): Promise<RunSnapshot> {
  const pulled = card.unplugAtApdu(({ instruction, command }) => {
    // Asking for the state of a PIN is no log-in.
    return instruction === at && (at !== 'verify' || command.data.length > 0);
  });
  const stopped = await desk.goOn(runId, serial);
  await pulled.happened;
  expect(failedSteps(stopped)).toHaveLength(1);
  await waitForReader(0, 'empty');
  await card.plugIn(0);
  return stopped;
}

describe('pulled out twice in the middle of', () => {
  test.each(steps)('the %s and plugged in again: the run goes on each time', async (step, at, plan) => {
    desk = await openDeviceRunDesk();
    card = loadCard(saved);
    await card.plugIn(0);
    if (step === 'wrapping') {
      other = loadCard(savedTarget);
      await other.plugIn(1);
    }
    const runId = await begin(plan());
    await untilPulled(runId, at);
    desk.person.asked.splice(0);
    await untilPulled(runId, at);
    // Nobody is asked twice for one log-in; an initialisation asks for what it sets.
    const ofUser = `pin user ${serial}`;
    expect(desk.person.asked.filter((question) => question === ofUser)).toHaveLength(step === 'initialisation' ? 0 : 1);
    desk.person.asked.splice(0);
    const before = pinsSent();
    const ended = await desk.goOn(runId, serial);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(desk.person.asked.filter((question) => question === ofUser)).toHaveLength(1);
    expect(pinsSent() - before).toBeGreaterThan(0);
    expect(card.state.userPin?.triesLeft).toBe(3);
    expect(card.state.soPin?.triesLeft).toBe(15);
    // Every key on it has a description: none was half made.
    const numbers = [...card.state.keys.keys()].filter((number) => number !== 0);
    for (const number of numbers) expect(card.state.files.get(0xc400 | number)?.length ?? 0).toBeGreaterThan(0);
    expect(ended.state.deviations).toEqual([]);
  });

  test('the time between two steps: the next one logs in anew, with one PIN', async () => {
    desk = await openDeviceRunDesk();
    card = loadCard(saved);
    await card.plugIn(0);
    for (const _time of ['first', 'second']) {
      const tested = await desk.carryThrough(testOf('bank-vaults', '10'));
      expect(tested.state.status).toBe('completed');
      card.unplug();
      await waitForReader(0, 'empty');
      await card.plugIn(0);
      desk.person.asked.splice(0);
      const again = await desk.carryThrough(testOf('bank-vaults', '10'));
      expect(failedSteps(again)).toEqual([]);
      expect(desk.person.asked).toEqual([`pin user ${serial}`]);
    }
    expect(card.state.userPin?.triesLeft).toBe(3);
  });
});
