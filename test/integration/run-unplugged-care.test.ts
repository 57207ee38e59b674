/** A device in use, pulled out of every step of its care and plugged in again, twice each; and while nothing is done. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { Plan } from '../../electron/workflows/plans.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { openPullDesk, type PullDesk } from '../fixtures/unplugged/pull-through.ts';
import { scenesAt } from '../fixtures/unplugged/scenes.ts';
import { prepareDevices, type PreparedDevices } from '../fixtures/unplugged/stage.ts';
import { startCardReaders, waitForReader, type CardReaders } from '../servers/pcscd.ts';

let readers: CardReaders;
let prepared: PreparedDevices;
let pulling: PullDesk;
/** One device through all scenes: what one stores another deletes. */
let card: Card;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  prepared = await prepareDevices();
  card = loadCard(prepared.saved);
});

afterEach(async () => {
  card.unplug();
  await pulling.desk.close();
});

afterAll(() => readers.stop());

test.each(scenesAt('care'))('$name goes on each time', async ({ plan }) => {
  pulling = await openPullDesk();
  await card.plugIn(0);
  await pulling.pullThrough(plan({ ...prepared.things, connections: [] }), [{ card, reader: 0 }]);
});

test('between two runs: the next one logs in anew, with one PIN', async () => {
  pulling = await openPullDesk();
  const { desk } = pulling;
  const { token } = prepared.things;
  await card.plugIn(0);
  const plan: Plan = {
    workflow: 'key-test',
    rehearsal: false,
    token,
    keys: [{ label: 'bank-vaults', id: '10' }],
    attest: false,
  };
  for (const _time of ['first', 'second']) {
    const tested = await desk.carryThrough(plan);
    expect(tested.state.status).toBe('completed');
    card.unplug();
    await waitForReader(0, 'empty');
    await card.plugIn(0);
    desk.person.asked.splice(0);
    const again = await desk.carryThrough(plan);
    expect(failedSteps(again)).toEqual([]);
    expect(desk.person.asked).toEqual([`pin user ${token.serial}`]);
  }
  expect(card.state.userPin?.triesLeft).toBe(3);
});
