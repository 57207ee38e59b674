/** The software card when things go wrong: pulled out, slow, failing, its service gone; and two cards at once. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCard, loadCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import {
  generateKey,
  initialise,
  openCardDesk,
  statusOf,
  testPin,
  withLogin,
  wrongTestPin,
  type CardDesk,
} from '../fixtures/smartcard-hsm/card-desk.ts';
import { runPkcs11Tool, runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { describeExchange } from '../fixtures/smartcard-hsm/trace.ts';
import { startCardReaders, waitForReader, type CardReaders } from '../servers/pcscd.ts';

let readers: CardReaders;
let desk: CardDesk;

beforeAll(async () => {
  readers = await startCardReaders();
});
afterAll(() => readers.stop());
beforeEach(async () => {
  desk = await openCardDesk();
});
afterEach(() => desk.close());

describe('pulled out', () => {
  test('in mid-initialisation: the tool says nothing, the status does', async () => {
    const card = await desk.newInitialisedCard();
    const pulled = card.unplugAtApdu('initializeDevice');
    expect(await initialise(['--label', 'Never'])).toMatchObject({ exitCode: 0 });
    await expect(pulled.happened).resolves.toMatchObject({ carriedOut: false, status: undefined });
    expect(card.isPluggedIn).toBe(false);
    await desk.plugIn(card);
    expect((await runPkcs11Tool(['--list-slots'])).output).toContain('Test (UserPIN)');
  });

  test('after the command, before its answer: it was carried out all the same', async () => {
    const card = await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    const pulled = card.unplugAtApdu('initializeDevice', 'after');
    await initialise();
    await expect(pulled.happened).resolves.toMatchObject({ carriedOut: true, status: undefined });
    await desk.plugIn(card);
    expect((await withLogin(['--list-objects', '--type', 'privkey'])).output).not.toContain('key 01');
    expect(card.state.keys.has(1)).toBe(false);
  });

  test.each(['before', 'after'] as const)('at log-in, %s the command: no try is burnt', async (moment) => {
    const card = await desk.newInitialisedCard();
    card.unplugAtApdu(({ instruction, command }) => instruction === 'verify' && command.data.length > 0, moment);
    expect((await withLogin(['--list-objects'])).exitCode).toBe(1);
    await desk.plugIn(card);
    expect(card.state.userPin?.triesLeft).toBe(3);
    expect(await withLogin(['--list-objects'])).toMatchObject({ exitCode: 0 });
  });

  test('while a key is made: with the key on the card, but no description, nobody lists it', async () => {
    const card = await desk.newInitialisedCard();
    card.unplugAtApdu('generateKeyPair', 'after');
    await expect(generateKey('EC:prime256v1', '01')).rejects.toThrow('CKR_');
    expect(card.state.keys.has(1)).toBe(true);
    await desk.plugIn(card);
    expect((await withLogin(['--list-objects'])).output).not.toContain('key 01');
  });

  test('by hand, while it works for long', async () => {
    const card = await desk.newInitialisedCard();
    card.delay('generateKeyPair', 20_000);
    const making = generateKey('EC:prime256v1', '01');
    const noticed = expect(making).rejects.toThrow('CKR_');
    while (card.exchanges.at(-1)?.instruction !== 'enumerateObjects' || card.state.keys.size > 1)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await new Promise((resolve) => setTimeout(resolve, 300));
    card.unplug();
    await noticed;
    expect(await waitForReader(0, 'empty')).toBe(true);
    card.delay('generateKeyPair', 0);
    await desk.plugIn(card);
    await generateKey('EC:prime256v1', '01');
  });

  test('at the n-th command from now, and it is found again', async () => {
    const card = await desk.newInitialisedCard();
    const pulled = card.unplugAtApdu(5);
    await statusOf().then(() => runTool('pkcs15-tool', ['--dump']));
    const exchange = await pulled.happened;
    expect(card.exchanges.indexOf(exchange)).toBe(card.exchanges.length - 1);
    await desk.plugIn(card);
    expect(await statusOf()).toContain('User PIN tries left  : 3');
  });

  test('and put back at once is a removal and an insertion', async () => {
    const card = await desk.newInitialisedCard();
    for (let time = 0; time < 3; time += 1) {
      card.unplug();
      await card.plugIn(0);
      expect(await statusOf()).toContain('User PIN tries left  : 3');
    }
  });
});

describe('with a will of its own', () => {
  test('fails with a status word, so often as told', async () => {
    const card = await desk.newInitialisedCard();
    card.failAtApdu('verify', 0x6f00, 2);
    expect(await statusOf()).toContain('Public key authentication active.');
    expect(await statusOf()).toContain('User PIN tries left  : 3');
  });

  test('is slow, for one instruction or all, and pcscd waits', async () => {
    const card = await desk.newInitialisedCard();
    card.delay('generateKeyPair', 5000);
    const before = Date.now();
    await generateKey('EC:prime256v1', '01');
    expect(Date.now() - before).toBeGreaterThanOrEqual(5000);
    card.delay('every', 40);
    const count = card.exchanges.length;
    const start = Date.now();
    await runPkcs11Tool(['--list-objects']);
    expect(Date.now() - start).toBeGreaterThanOrEqual((card.exchanges.length - count) * 40);
  });

  test('is saved and loaded with everything that it remembers', async () => {
    const card = await desk.newInitialisedCard({ serial: 'ZZTEST00007' });
    await generateKey('rsa:2048', '01');
    await withLogin(['--list-objects'], { pin: wrongTestPin });
    await writeFile(desk.path('card'), JSON.stringify(card.save()));
    card.unplug();
    const loaded = loadCard(JSON.parse(await readFile(desk.path('card'), 'utf8')) as ReturnType<Card['save']>);
    expect(loaded.state).toEqual(card.state);
    await desk.plugIn(loaded);
    expect(await statusOf()).toContain('User PIN tries left  : 2');
    expect((await withLogin(['--test'])).output).toContain('No errors');
  });

  test('writes what happened without its secrets', async () => {
    const card = await desk.newInitialisedCard();
    await withLogin(['--list-objects']);
    const trace = card.exchanges.map(describeExchange).join('\n');
    expect(trace).toMatch(/^\d+ verify 00200081 \+6 → 0 9000$/m);
    expect(trace).not.toContain(Buffer.from(testPin).toString('hex'));
  });
});

test('pcscd dies and comes back: the card is still in its reader', async () => {
  if (!readers.started) {
    // The machine's own service is left alone.
    await expect(readers.kill()).rejects.toThrow('not started by the test');
    return;
  }
  const card = await desk.newInitialisedCard();
  await readers.kill();
  expect((await runTool('opensc-tool', ['--list-readers'])).output).toContain('No smart card readers found.');
  await readers.start();
  expect(await waitForReader(0, 'card')).toBe(true);
  expect(await statusOf()).toContain('User PIN tries left  : 3');
  expect(card.isPluggedIn).toBe(true);
});

test('two cards at once are two devices', async () => {
  await desk.newInitialisedCard({ serial: 'ZZTEST00001' }, 0, ['--label', 'First']);
  await desk.newInitialisedCard({ serial: 'ZZTEST00002' }, 1, ['--label', 'Second']);
  expect((await runPkcs11Tool(['--list-slots'])).output).toMatch(
    /Virtual PCD 00 00\n {2}token label {8}: First [\s\S]*ZZTEST00001[\s\S]*Virtual PCD 00 01\n {2}token label {8}: Second [\s\S]*ZZTEST00002/,
  );
  await Promise.all([generateKey('rsa:2048', '01', 0), generateKey('EC:prime256v1', '02', 1)]);
  expect((await withLogin(['--list-objects'], { reader: 0 })).output).toMatch(/key 01/);
  expect((await withLogin(['--list-objects'], { reader: 1 })).output).toMatch(/key 02/);
});

test('two cards do not go into one reader', async () => {
  await desk.newCard();
  await expect(createCard({ serial: 'ZZTEST00002' }).plugIn(0)).rejects.toThrow('Reader 0 is not free');
});

describe('as a process of its own', () => {
  let child: ChildProcess;
  let lines: Interface;

  afterEach(async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill();
    await ended;
    lines.close();
  });

  async function startCard(...argumentList: readonly string[]): Promise<(line: string) => Promise<unknown>> {
    const entry = fileURLToPath(new URL('../fixtures/smartcard-hsm/start-card.ts', import.meta.url));
    child = spawn(process.execPath, [entry, ...argumentList], { stdio: ['pipe', 'pipe', 'inherit'] });
    if (child.stdout === null) throw new Error('The card has no output.');
    lines = createInterface({ input: child.stdout });
    const answer = (): Promise<unknown> =>
      new Promise((resolve) => lines.once('line', (line: string) => resolve(JSON.parse(line) as unknown)));
    expect(await answer()).toEqual({ pluggedIn: true });
    return (line) => {
      const answered = answer();
      child.stdin?.write(`${line}\n`);
      return answered;
    };
  }

  test('is plugged, pulled out at a command, asked and saved by lines of text', async () => {
    const tell = await startCard('--serial', 'ZZTEST00009', '--state', desk.path('state'));
    await initialise();
    expect(await tell('status')).toMatchObject({ serial: 'ZZTEST00009', pluggedIn: true, pinTriesLeft: 3 });
    expect(await tell('unplug-at verify')).toEqual({ planned: 'unplug' });
    await withLogin(['--list-objects']);
    expect(await tell('status')).toMatchObject({ pluggedIn: false, pinTriesLeft: 3 });
    expect(await tell('plug')).toEqual({ pluggedIn: true });
    expect(await withLogin(['--list-objects'])).toMatchObject({ exitCode: 0 });
    expect(await tell('nonsense')).toHaveProperty('error');
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.stdin?.end('quit\n');
    expect(await ended).toBe(0);

    const again = await startCard('--state', desk.path('state'));
    expect(await again('status')).toMatchObject({ serial: 'ZZTEST00009', initialised: true });
  });
});
