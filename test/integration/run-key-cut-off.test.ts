/** A device that is pulled out at each command that makes the wrapping key: nothing stays on it that the run does not know of. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openDeviceRunDesk, setUpPlan, storeId, type DeviceRunDesk } from '../fixtures/device-run-desk.ts';
import { initialiseForShares, testDkek, withDkek } from '../fixtures/device-cards.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { createCard, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import type { SavedCard } from '../fixtures/smartcard-hsm/state.ts';
import type { ObservedCommand } from '../fixtures/smartcard-hsm/trace.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const serial = 'ZZTEST00001';
const token = { storeId, serial };

let readers: CardReaders;
let desk: DeviceRunDesk;
let ready: SavedCard;
let card: Card;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000 });
  const made = createCard({ serial });
  await made.plugIn(0);
  await initialiseForShares(made, 0, 'office');
  made.unplug();
  ready = withDkek(made, testDkek).save();
});

afterEach(async () => {
  card.unplug();
  await desk.close();
});

afterAll(() => readers.stop());

const { device: _erased, ...plan } = { ...setUpPlan(serial, 'office'), initialize: false, currentLabel: 'office' };

/** The n-th command that changes something on the card, the key generation being the first. */
const nthChange = (wanted: number) => {
  let seen = 0;
  return ({ instruction }: ObservedCommand): boolean => {
    if (instruction === 'generateKeyPair' || (seen > 0 && instruction === 'updateBinary')) seen += 1;
    else return false;
    return seen === wanted;
  };
};

describe('pulled out while the key is made,', () => {
  test.each([
    ['before it is', 1, 'before', 0],
    ['after it is, before anything describes it', 1, 'after', 1],
    ['with half of its request written', 3, 'after', 1],
    ['with its description begun', 6, 'after', 1],
    ['after its description, so that it is whole', 7, 'after', 0],
  ] as const)('%s: the run makes it once more or finds it', async (_place, change, moment, nameless) => {
    desk = await openDeviceRunDesk();
    card = loadCard(ready);
    await card.plugIn(0);
    const pulled = card.unplugAtApdu(nthChange(change), moment);
    const stopped = await desk.carryThrough(plan);
    await pulled.happened;
    expect(failedSteps(stopped)).toHaveLength(1);
    await card.plugIn(0);
    if (nameless > 0) {
      // What was made and never named is said before it is deleted, and nothing more is made until then.
      const found = await desk.goOn(stopped.state.runId);
      expect(failedSteps(found)).toEqual(['generate-key: Device_KeyNameless']);
      expect([...card.state.keys.keys()]).toEqual([0, 1]);
      expect(found.state.deviations.map(({ text }) => text)).toEqual([expect.stringContaining('number 1')]);
    }
    const ended = await desk.goOn(stopped.state.runId);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    // The one that attests the device, and the one wrapping key.
    expect([...card.state.keys.keys()]).toHaveLength(2);
    expect(ended.state.facts['namelessKeysDeleted']).toBe(nameless > 0 ? '1' : undefined);
    const { keyPairs } = valueOf(await desk.harness.tokens.listObjects(token));
    expect(keyPairs.map(({ label }) => label)).toEqual(['bank-vaults']);
    expect(card.state.userPin?.triesLeft).toBe(3);
  });
});
