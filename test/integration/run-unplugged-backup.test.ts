/** Two devices, each pulled out of every step of a drill and of a clone that talks to it first, twice each. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { openPullDesk, type PullDesk } from '../fixtures/unplugged/pull-through.ts';
import { scenesAt } from '../fixtures/unplugged/scenes.ts';
import { prepareDevices, type PreparedDevices } from '../fixtures/unplugged/stage.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

let readers: CardReaders;
let prepared: PreparedDevices;
let pulling: PullDesk;
let card: Card;
let other: Card;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  prepared = await prepareDevices();
});

afterEach(async () => {
  card.unplug();
  other.unplug();
  await pulling.desk.close();
});

afterAll(() => readers.stop());

test.each(scenesAt('backup'))('$name goes on each time', async ({ plan }) => {
  pulling = await openPullDesk();
  card = loadCard(prepared.saved);
  other = loadCard(prepared.savedTarget);
  await card.plugIn(0);
  await other.plugIn(1);
  await pulling.pullThrough(plan({ ...prepared.things, connections: [] }), [
    { card, reader: 0 },
    { card: other, reader: 1 },
  ]);
  // Each key came over once.
  expect(other.state.keys.size - 1).toBeLessThanOrEqual(2);
});
