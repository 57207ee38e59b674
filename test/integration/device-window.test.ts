/** What the window sees of devices that come and go: real pcscd, real OpenSC, the software card. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appViewSchema, type AppView } from '../../electron/contract/views.ts';
import type { Core } from '../../electron/core/core.ts';
import { createCore } from '../../electron/core/create-core.ts';
import { createClusterObserver } from '../../electron/ipc/cluster-observer.ts';
import { createPresenceObserver, type PresenceObserver } from '../../electron/ipc/presence-observer.ts';
import { isAtWorkOn } from '../../electron/ipc/reader-stores.ts';
import { createRunObserver } from '../../electron/ipc/run-observer.ts';
import { createTokenObserver, type TokenObserver } from '../../electron/ipc/token-observer.ts';
import { toAppView } from '../../electron/ipc/views/app-view.ts';
import { createScriptedPrompt } from '../fixtures/run-harness.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { launchHostFromSource, valueOf } from '../fixtures/token-port.ts';
import { startCardReaders, virtualReaderNames, type CardReaders } from '../servers/pcscd.ts';

const patience = { timeout: 20_000, interval: 50 };

let dataDirectory = '';
let readers: CardReaders;
let core: Core;
let tokens: TokenObserver;
let presence: PresenceObserver;
let cards: Card[] = [];
/** Told after every change: nothing here polls the core. */
let view: () => AppView;

beforeEach(async () => {
  readers = await startCardReaders({ patience: 300_000 });
  dataDirectory = await mkdtemp(join(tmpdir(), 'key-custodian-devices-'));
  core = valueOf(
    await createCore({
      appVersion: '0.0.0',
      dataDirectory,
      cacheDirectory: join(dataDirectory, 'cache'),
      serverSourcesDirectory: join(dataDirectory, 'none'),
      launch: launchHostFromSource,
      prompt: createScriptedPrompt().port,
    }),
  );
  const runs = createRunObserver(core);
  const clusters = createClusterObserver(core, runs, () => changed());
  const build = (): AppView =>
    appViewSchema.parse(
      toAppView({ core, tokens, presence, clusters, runs: runs.runs, locked: false, trayAvailable: true }),
    );
  let last: AppView | undefined;
  const changed = (): void => {
    last = build();
  };
  tokens = createTokenObserver(core, changed, (storeId) => isAtWorkOn(runs.runs, storeId));
  presence = createPresenceObserver(core, tokens, changed);
  view = () => last ?? build();
  presence.start();
  await expect.poll(() => view().presence.readers.length, patience).toBe(virtualReaderNames.length);
});

afterEach(async () => {
  for (const card of cards) card.unplug();
  cards = [];
  await presence.stop();
  await core.close();
  await readers.stop();
  await rm(dataDirectory, { recursive: true, force: true });
});

async function plugIn(serial: string, reader: 0 | 1): Promise<Card> {
  const card = createCard({ serial });
  cards.push(card);
  await card.plugIn(reader);
  return card;
}

const onCards = (): readonly string[] =>
  view()
    .tokens.filter(({ storeId }) => storeId === 'opensc')
    .map(({ serial }) => serial);
const serials = (): readonly string[] =>
  view().tokens.flatMap((token) => (token.device === null ? [] : [token.serial]));

describe('devices that come and go', () => {
  test('show by themselves with what only they have, and are gone when they are pulled out', async () => {
    expect(onCards()).toEqual([]);
    const card = await plugIn('DECC0900001', 0);
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
    const token = view().tokens.find(({ serial }) => serial === 'DECC0900001');
    expect(token).toMatchObject({ storeId: 'opensc', slotDescription: virtualReaderNames[0] });
    // OpenSC 0.23 adds the name of the PIN, which bank-vaults compares and nobody has to read.
    const { label = '', reportedLabel = '' } = token ?? {};
    expect(label).not.toBe('');
    expect([label, `${label} (UserPIN)`]).toContain(reportedLabel);
    expect(label).not.toContain('UserPIN');
    expect(token?.device).toMatchObject({ readerName: virtualReaderNames[0], pinState: expect.any(String) as string });
    expect(token?.freeMemory).toBeGreaterThan(0);
    card.unplug();
    await expect.poll(onCards, patience).toEqual([]);
    await expect.poll(() => view().presence.readers.map(({ state }) => state), patience).toEqual(['empty', 'empty']);
    await card.plugIn(1);
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
    expect(view().tokens.find(({ serial }) => serial === 'DECC0900001')?.slotDescription).toBe(virtualReaderNames[1]);
  });

  test('two are two, and nothing is claimed to be wrong with either', async () => {
    await Promise.all([plugIn('DECC0900001', 0), plugIn('DECC0900002', 1)]);
    await expect.poll(() => [...serials()].sort(), patience).toEqual(['DECC0900001', 'DECC0900002']);
    await expect.poll(() => presence.current.isSettled, patience).toBe(true);
    expect(view().presence).toMatchObject({ state: 'ready', problems: [] });
  });

  test('everything on one is read when it is looked into, and nothing stays after a lock', async () => {
    await plugIn('DECC0900001', 0);
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
    valueOf(await tokens.inspect({ storeId: 'opensc', serial: 'DECC0900001' }));
    expect(view().tokens.find(({ serial }) => serial === 'DECC0900001')?.inspected).toBe(true);
    tokens.forget();
    await Promise.all([presence.stop(), core.lock()]);
    expect(view().tokens).toEqual([]);
    presence.start();
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
  });

  test('the service that ends takes its devices along, and brings them back', async () => {
    await plugIn('DECC0900001', 0);
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
    await readers.kill();
    await expect.poll(onCards, patience).toEqual([]);
    await readers.start();
    await expect.poll(serials, patience).toEqual(['DECC0900001']);
  });
});
