/** A device pulled out of every step of its set-up, of a change of its PINs and of its reset, twice each. */
import { afterAll, afterEach, beforeAll, test } from 'vitest';
import { loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { openPullDesk, type PullDesk } from '../fixtures/unplugged/pull-through.ts';
import { scenesAt } from '../fixtures/unplugged/scenes.ts';
import { prepareDevices, type PreparedDevices } from '../fixtures/unplugged/stage.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

let readers: CardReaders;
let prepared: PreparedDevices;
let pulling: PullDesk;
let card: Card;

beforeAll(async () => {
  readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  prepared = await prepareDevices();
});

afterEach(async () => {
  card.unplug();
  await pulling.desk.close();
});

afterAll(() => readers.stop());

test.each(scenesAt('set-up'))('$name goes on each time', async ({ plan }) => {
  pulling = await openPullDesk();
  card = loadCard(prepared.saved);
  await card.plugIn(0);
  await pulling.pullThrough(plan({ ...prepared.things, connections: [] }), [{ card, reader: 0 }]);
});
