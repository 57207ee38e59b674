/**
 * DKEK shares and wrapped keys between this program and sc-hsm-tool, both ways, on two software cards: key check
 * values equal, and what one wrapped the other unwraps and decrypts with.
 */
import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { DkekOpening } from '../../electron/workflows/device-ports.ts';
import { openDeviceBench, runScHsmTool, testPin, testSoPin, type DeviceBench } from '../fixtures/devices.ts';
import { temporaryDirectory } from '../fixtures/run-harness.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';

const source = 'ZZTEST00001';
const target = 'ZZTEST00002';
const testPassword = 'correct horse battery';

let bench: DeviceBench;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let cards: readonly [Card, Card];

beforeAll(async () => {
  bench = await openDeviceBench();
  directory = await temporaryDirectory('device-backup');
});

beforeEach(async () => {
  cards = [createCard({ serial: source }), createCard({ serial: target })];
  await Promise.all([cards[0].plugIn(0), cards[1].plugIn(1)]);
});

afterEach(async () => {
  for (const card of cards) card.unplug();
  await bench.closeHost();
});

afterAll(async () => {
  await bench.close();
  await directory.dispose();
});

const sealPassword = (text: string) => bench.seal(text, secretPurpose.dkekPassword);
const byPassword = async (text: string): Promise<DkekOpening> => ({
  kind: 'password',
  password: await sealPassword(text),
});

test('DKEK shares of ours and of sc-hsm-tool, imported by both, give one key check value', async () => {
  for (const serial of [source, target]) {
    valueOf(await bench.initialize(serial, { dkek: { kind: 'shares', count: 2 } }));
  }
  const ours = valueOf(
    await bench.port.createDkekShare('opensc', { kind: 'password', password: await sealPassword(testPassword) }),
  );
  expect(ours.fileSha256).toBe(createHash('sha256').update(ours.file).digest('hex'));
  const [oursPath, theirsPath] = ['ours.pbe', 'theirs.pbe'].map((name) => join(directory.path, name));
  if (oursPath === undefined || theirsPath === undefined) throw new Error('no paths');
  await writeFile(oursPath, ours.file);
  // The tool takes twenty seconds for what takes us three: no more of it than it needs.
  const patience = { deadline: 120_000 };
  await runScHsmTool(1, ['--create-dkek-share', theirsPath, '--password', testPassword], patience);
  const theirs = new Uint8Array(await readFile(theirsPath));

  // A wrong password and a file that is none: nothing is sent.
  const before = cards[0].state.dkek;
  const wrong = await bench.port.importDkekShare(bench.token(source), ours.file, await byPassword('wrong'));
  expect(codeOf(wrong)).toBe('Device_SharePasswordWrong');
  const noShare = await bench.port.importDkekShare(bench.token(source), new Uint8Array(64), await byPassword('any'));
  expect(codeOf(noShare)).toBe('Device_ShareFileInvalid');
  expect(cards[0].state.dkek).toEqual(before);

  const first = valueOf(
    await bench.port.importDkekShare(bench.token(source), ours.file, await byPassword(testPassword)),
  );
  expect(first).toEqual({ kind: 'awaiting-shares', shares: 2, outstanding: 1, keyCheckValue: '' });
  const second = valueOf(await bench.port.importDkekShare(bench.token(source), theirs, await byPassword(testPassword)));
  expect(second).toMatchObject({ kind: 'ready', shares: 2, outstanding: 0 });
  const third = await bench.port.importDkekShare(bench.token(source), theirs, await byPassword(testPassword));
  expect(codeOf(third)).toBe('Device_DkekNotExpected');

  await runScHsmTool(1, ['--import-dkek-share', oursPath, '--password', testPassword], patience);
  expect((await bench.device(target)).dkek.outstanding).toBe(1);
  valueOf(await bench.port.importDkekShare(bench.token(target), theirs, await byPassword(testPassword)));
  const { output } = await runScHsmTool(1, []);
  expect(output).toContain(`DKEK key check value : ${second.keyCheckValue.toUpperCase()}`);
  expect((await bench.device(target)).dkek).toEqual(second);
});

test('a share whose password is split among custodians', async () => {
  valueOf(await bench.initialize(source, { dkek: { kind: 'shares', count: 1 } }));
  const made = valueOf(await bench.port.createDkekShare('opensc', { kind: 'split', threshold: 2, total: 3 }));
  const prompt = await createSealingKeyPair();
  const { dkekPieceForDisplay } = secretPurpose;
  const handOut = async (index: number): Promise<string> => {
    const sealed = await bench.port.dkekPiece('opensc', made.splitId, index, prompt.publicKey, dkekPieceForDisplay);
    const shown = await openSecret(prompt, valueOf(sealed), dkekPieceForDisplay);
    return Buffer.from(shown ?? new Uint8Array()).toString('latin1');
  };
  const pieces = [await handOut(0), await handOut(1), await handOut(2)];
  expect(new Set(pieces).size).toBe(3);
  const fourth = await bench.port.dkekPiece('opensc', made.splitId, 3, prompt.publicKey, dkekPieceForDisplay);
  expect(codeOf(fourth)).toBe('Token_SessionLost');
  valueOf(await bench.port.forgetSplit('opensc', made.splitId));
  const forgotten = await bench.port.dkekPiece('opensc', made.splitId, 0, prompt.publicKey, dkekPieceForDisplay);
  expect(codeOf(forgotten)).toBe('Token_SessionLost');

  const byPieces = async (...texts: readonly string[]): Promise<DkekOpening> => ({
    kind: 'pieces',
    pieces: await Promise.all(texts.map(sealPassword)),
  });
  const [one = '', , three = ''] = pieces;
  const token = bench.token(source);
  expect(codeOf(await bench.port.importDkekShare(token, made.file, await byPieces(one, one)))).toBe(
    'Device_SharePieceInvalid',
  );
  expect(codeOf(await bench.port.importDkekShare(token, made.file, await byPieces(one, 'no piece')))).toBe(
    'Device_SharePieceInvalid',
  );
  expect(valueOf(await bench.port.importDkekShare(token, made.file, await byPieces(three, one)))).toMatchObject({
    kind: 'ready',
  });
});

/** Both cards with the same DKEK, without the seconds that a share file costs. */
async function shareDkek(): Promise<void> {
  const { withDevice } = await import('../../native/smartcard-hsm/device.ts');
  const { importDkekShare } = await import('../../native/smartcard-hsm/dkek-import.ts');
  const share = Buffer.alloc(32, 7);
  for (const serial of [source, target]) {
    valueOf(await bench.initialize(serial, { dkek: { kind: 'shares', count: 1 } }));
    valueOf(await withDevice(serial, (device) => importDkekShare(device, share)));
  }
}

interface Trial {
  readonly ciphertext: Buffer;
  readonly expectedSha256: string;
  readonly keyId: string;
}

async function makeKey(serial: string, label: string): Promise<Trial> {
  const key = valueOf(await bench.port.generateKeyPair(bench.token(serial), label, 2048));
  const plaintext = Buffer.from('the same on both');
  const publicKey = createPublicKey({ key: Buffer.from(key.publicKeySpki, 'base64'), format: 'der', type: 'spki' });
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  return {
    ciphertext: publicEncrypt({ key: publicKey, padding, oaepHash: 'sha1' }, plaintext),
    expectedSha256: createHash('sha256').update(plaintext).digest('hex'),
    keyId: key.id,
  };
}

async function decrypts(serial: string, label: string, { ciphertext, expectedSha256 }: Trial): Promise<unknown> {
  return bench.port.verifyDecrypt(bench.token(serial), label, ciphertext, expectedSha256);
}

test('wrapped keys: ours unwrapped by sc-hsm-tool, its own by us, and all decrypt the same', async () => {
  await shareDkek();
  valueOf(await bench.login(source));
  const first = await makeKey(source, 'first');
  const second = await makeKey(source, 'second');

  const wrapped = valueOf(await bench.port.wrapKey(bench.token(source), first.keyId));
  expect(wrapped.label).toBe('first');
  expect(wrapped.keyCheckValue).toBe((await bench.device(source)).dkek.keyCheckValue);
  const oursPath = join(directory.path, 'first.bin');
  await writeFile(oursPath, wrapped.file);
  const unwrapped = await runScHsmTool(1, ['--unwrap-key', oursPath, '--key-reference', '1', '--pin', testPin]);
  expect(unwrapped.output).toContain('Key successfully imported');

  const theirsPath = join(directory.path, 'second.bin');
  await runScHsmTool(0, ['--wrap-key', theirsPath, '--key-reference', '2', '--pin', testPin]);
  const theirs = new Uint8Array(await readFile(theirsPath));
  await bench.closeHost();
  const token = bench.token(target);
  expect(codeOf(await bench.port.unwrapKey(token, theirs))).toBe('Token_NotLoggedIn');
  valueOf(await bench.login(target));
  expect(valueOf(await bench.port.unwrapKey(token, theirs))).toEqual({ label: 'second', keyId: second.keyId });
  // In the same login: again, and once more under a changed file.
  expect(codeOf(await bench.port.unwrapKey(token, theirs))).toBe('Device_KeyExists');
  expect(codeOf(await bench.port.unwrapKey(token, theirs.subarray(0, 200)))).toBe('Device_KeyFileInvalid');

  // The module is started anew by itself, logs in again with the PIN of that log-in, and sees the key.
  expect(await decrypts(target, 'second', second)).toEqual({ ok: true, value: { matches: true } });
  expect(
    codeOf(await bench.port.verifyDecrypt(bench.token(source), 'first', first.ciphertext, first.expectedSha256)),
  ).toBe('Token_NotLoggedIn');
  valueOf(await bench.login(source));
  for (const serial of [source, target]) {
    expect(await decrypts(serial, 'first', first)).toEqual({ ok: true, value: { matches: true } });
    expect(await decrypts(serial, 'second', second)).toEqual({ ok: true, value: { matches: true } });
  }
});

test('several keys in one login, into the first free places', async () => {
  await shareDkek();
  valueOf(await bench.login(source));
  const trials = [await makeKey(source, 'a'), await makeKey(source, 'b'), await makeKey(source, 'c')];
  const files = [];
  for (const { keyId } of trials) files.push(valueOf(await bench.port.wrapKey(bench.token(source), keyId)).file);
  valueOf(await bench.login(target));
  for (const file of files) valueOf(await bench.port.unwrapKey(bench.token(target), file));
  expect([...cards[1].state.keys.keys()]).toEqual([0, 1, 2, 3]);
  const pinsBefore = cards[1].exchanges.filter(({ command }) => command.ins === 0x20 && command.data.length > 0).length;
  expect(pinsBefore).toBeLessThanOrEqual(3);
  valueOf(await bench.login(target));
  const objects = valueOf(await bench.port.listObjects(bench.token(target)));
  expect(objects.keyPairs.map(({ label }) => label).sort()).toEqual(['a', 'b', 'c']);
});

test('a key under another DKEK, a device without one, one that waits for shares, and a key that is not there', async () => {
  await shareDkek();
  valueOf(await bench.login(source));
  const { keyId } = await makeKey(source, 'first');
  expect(codeOf(await bench.port.wrapKey(bench.token(source), 'ab'.repeat(20)))).toBe('Token_KeyMissing');
  const { file } = valueOf(await bench.port.wrapKey(bench.token(source), keyId));
  const damaged = Uint8Array.from(file);
  // Inside the key blob, behind its key check value.
  damaged[100] = (damaged[100] ?? 0) ^ 1;
  const choices = [
    [{ kind: 'random' } as const, 'Device_DkekMismatch'],
    [{ kind: 'none' } as const, 'Device_DkekAbsent'],
    [{ kind: 'shares', count: 1 } as const, 'Device_DkekIncomplete'],
  ] as const;
  for (const [dkek, code] of choices) {
    valueOf(await bench.initialize(target, { currentSoPin: testSoPin, newSoPin: null, dkek }));
    valueOf(await bench.login(target));
    const files = cards[1].state.files.size;
    expect(codeOf(await bench.port.unwrapKey(bench.token(target), file))).toBe(code);
    expect(cards[1].state.files.size).toBe(files);
  }
  await shareDkekOfTarget();
  valueOf(await bench.login(target));
  const files = [...cards[1].state.files.keys()];
  expect(codeOf(await bench.port.unwrapKey(bench.token(target), damaged))).toBe('Device_KeyFileInvalid');
  expect([...cards[1].state.files.keys()]).toEqual(files);
  expect(cards[1].state.keys.size).toBe(1);
  valueOf(await bench.port.unwrapKey(bench.token(target), file));
});

async function shareDkekOfTarget(): Promise<void> {
  const { withDevice } = await import('../../native/smartcard-hsm/device.ts');
  const { importDkekShare } = await import('../../native/smartcard-hsm/dkek-import.ts');
  valueOf(await withDevice(target, (device) => importDkekShare(device, Buffer.alloc(32, 7))));
}
