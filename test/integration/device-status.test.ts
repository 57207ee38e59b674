/** What a SmartCard-HSM says of itself through the token host, beside what sc-hsm-tool reads from the same card. */
import { createRequire } from 'node:module';
import type * as PcscMini from 'pcsc-mini';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { factorySoPin, openDeviceBench, runScHsmTool, testPin, type DeviceBench } from '../fixtures/devices.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';

let bench: DeviceBench;
const cards: Card[] = [];

async function plugIn(serial: string, readerIndex: 0 | 1 = 0): Promise<Card> {
  const card = createCard({ serial });
  await card.plugIn(readerIndex);
  cards.push(card);
  return card;
}

beforeAll(async () => {
  bench = await openDeviceBench();
});

afterEach(async () => {
  for (const card of cards.splice(0)) card.unplug();
  await bench.closeHost();
});

afterAll(() => bench.close());

/** PINs sent: VERIFY with data. */
function pinsSent(card: Card): number {
  return card.exchanges.filter(({ instruction, command }) => instruction === 'verify' && command.data.length > 0)
    .length;
}

test('a device as it comes from its vendor', async () => {
  const card = await plugIn('ZZTEST00001');
  expect(await bench.device('ZZTEST00001')).toEqual({
    serial: 'ZZTEST00001',
    readerName: 'Virtual PCD 00 00',
    label: 'SmartCard-HSM',
    firmwareVersion: '3.5',
    freeMemory: card.freeMemory,
    pinState: 'not-initialized',
    pinTriesLeft: -1,
    soPinState: 'not-initialized',
    soPinTriesLeft: -1,
    dkek: { kind: 'none', shares: 0, outstanding: 0, keyCheckValue: '' },
    options: [],
  });
  const { output } = await runScHsmTool(0, []);
  expect(output).toContain('Version              : 3.5');
  expect(output).toContain('has never been initialized');
});

test.each([
  [['--dkek-shares', '0'], { kind: 'ready', shares: 0, outstanding: 0 }],
  [['--dkek-shares', '2'], { kind: 'awaiting-shares', shares: 2, outstanding: 2 }],
  [[], { kind: 'none', shares: 0, outstanding: 0 }],
] as const)('the status of a device that sc-hsm-tool set up with %j is what the tool says', async (choice, dkek) => {
  const card = await plugIn('ZZTEST00002');
  const set = ['--initialize', '--so-pin', factorySoPin, '--pin', testPin, '--label', 'Unseal A', ...choice];
  await runScHsmTool(0, set);
  // A wrong PIN, so that there is something to count.
  await runTool('pkcs11-tool', [
    '--module',
    '/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so',
    '--login',
    '--pin',
    '000000',
    '--list-objects',
  ]);
  const before = card.exchanges.length;
  const status = await bench.device('ZZTEST00002');
  const { output } = await runScHsmTool(0, []);
  expect(output).toContain('User PIN tries left  : 2');
  expect(output).toContain('SO-PIN tries left    : 15');
  expect(output).toContain('User PIN reset with SO-PIN enabled');
  expect(status).toMatchObject({
    label: 'Unseal A',
    pinState: 'set',
    pinTriesLeft: 2,
    soPinState: 'set',
    soPinTriesLeft: 15,
    options: ['pin-reset-with-so-pin'],
    dkek,
  });
  if (status.dkek.kind === 'ready') {
    expect(output).toContain(`DKEK key check value : ${status.dkek.keyCheckValue.toUpperCase()}`);
  } else expect(status.dkek.keyCheckValue).toBe('');
  if (status.dkek.outstanding > 0) expect(output).toContain('2 share(s) still missing');
  // No try was used, and the card was told no PIN.
  expect(card.exchanges.slice(before).filter(({ command }) => command.ins === 0x20 && command.data.length > 0)).toEqual(
    [],
  );
});

test('looking at a device ends nobody’s login', async () => {
  const card = await plugIn('ZZTEST00003');
  valueOf(await bench.initialize('ZZTEST00003'));
  valueOf(await bench.login('ZZTEST00003'));
  const pins = pinsSent(card);
  const selections = card.exchanges.filter(({ command }) => command.ins === 0xa4 && command.p1 === 0x04).length;
  const status = await bench.device('ZZTEST00003');
  expect(status).toMatchObject({ pinState: 'set', pinTriesLeft: -1, soPinTriesLeft: 15, firmwareVersion: '3.5' });
  expect(status.options).toEqual(['pin-reset-with-so-pin']);
  expect(card.exchanges.filter(({ command }) => command.ins === 0xa4 && command.p1 === 0x04)).toHaveLength(selections);
  // Still logged in: a key can be made without another PIN.
  valueOf(await bench.port.generateKeyPair(bench.token('ZZTEST00003'), 'still logged in', 2048));
  expect(pinsSent(card)).toBe(pins);
});

test('two devices are told by their serials, whichever reader they are in', async () => {
  await plugIn('ZZTEST00004', 1);
  await plugIn('ZZTEST00005', 0);
  const listed = valueOf(await bench.port.listDevices('opensc'));
  expect(listed.map(({ serial, readerName }) => [serial, readerName])).toEqual([
    ['ZZTEST00005', 'Virtual PCD 00 00'],
    ['ZZTEST00004', 'Virtual PCD 00 01'],
  ]);
  expect(codeOf(await bench.port.attest(bench.token('ZZTEST09999')))).toBe('Token_NotFound');
});

test('no device, no service, a reader that another program holds to itself', async () => {
  expect(valueOf(await bench.port.listDevices('opensc'))).toEqual([]);
  await plugIn('ZZTEST00006');
  const { Client, CardMode, CardDisposition } = createRequire(import.meta.url)('pcsc-mini') as typeof PcscMini;
  const client = new Client();
  const reader = await new Promise<PcscMini.Reader>((resolve) => {
    client.on('reader', (one) => {
      if (one.name() === 'Virtual PCD 00 00') resolve(one);
    });
    client.start();
  });
  const held = await reader.connect(CardMode.EXCLUSIVE);
  try {
    expect(codeOf(await bench.port.listDevices('opensc'))).toBe('Device_ReaderInUse');
    expect(codeOf(await bench.initialize('ZZTEST00006'))).toBe('Device_ReaderInUse');
  } finally {
    await held.disconnect(CardDisposition.LEAVE);
    client.stop();
  }
  expect((await bench.device('ZZTEST00006')).serial).toBe('ZZTEST00006');
  await bench.readers.kill();
  expect(codeOf(await bench.port.listDevices('opensc'))).toBe('Device_PcscUnavailable');
  await bench.readers.start();
  await expect.poll(async () => codeOf(await bench.port.listDevices('opensc')), { timeout: 10_000 }).toBe('ok');
  await expect.poll(async () => valueOf(await bench.port.listDevices('opensc')).length, { timeout: 10_000 }).toBe(1);
});
