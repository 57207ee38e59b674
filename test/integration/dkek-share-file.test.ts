/**
 * DKEK share files and split passwords both ways between this app and the real sc-hsm-tool, on a card in
 * software. The tool takes up to twenty seconds for each file on a slow machine, so it makes one and reads two.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDkekShareFile, openDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { combinePieces, decodePiece, splitNewPassword } from '../../native/smartcard-hsm/dkek/password-split.ts';
import { createCard, type Card } from '../fixtures/smartcard-hsm/card.ts';
import { runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const testSoPin = '3537363231383830';
const testPin = '648219';
const testPassword = 'test password é';

/** Milliseconds: at most four keys of thirty million rounds, two of them by the tool, on a machine that is busy. */
const patience = 400_000;

let readers: CardReaders;
let card: Card;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-dkek-'));
  readers = await startCardReaders();
  card = createCard();
  await card.plugIn();
});

afterAll(async () => {
  card.unplug();
  await readers.stop();
  await rm(directory, { recursive: true, force: true });
});

function valueOf<Value>(result: { ok: true; value: Value } | { ok: false; error: { message: string } }): Value {
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

/** Lines for its questions are given all at once: it reads them from any stdin. */
async function runScHsmTool(options: readonly string[], answers: readonly string[] = []): Promise<string> {
  const input = answers.map((line) => `${line}\n`).join('');
  const { exitCode, output } = await runTool('sc-hsm-tool', options, { deadline: patience / 2, input });
  if (exitCode !== 0) throw new Error(`sc-hsm-tool ${options[0] ?? ''} ended with ${exitCode}: ${output}`);
  return output;
}

const colonHex = (bytes: Uint8Array): string => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');

/** The key check value as the tool prints it, from the shares themselves. */
function printedCheckValue(shares: readonly Uint8Array[]): string {
  const dkek = new Uint8Array(32);
  for (const share of shares) share.forEach((byte, index) => (dkek[index] = (dkek[index] ?? 0) ^ byte));
  return createHash('sha256').update(dkek).digest('hex').slice(0, 16).toUpperCase();
}

async function initializeCard(shares: number): Promise<void> {
  const options = ['--so-pin', testSoPin, '--pin', testPin, '--dkek-shares', String(shares), '--label', 'shares'];
  await runScHsmTool(['--initialize', ...options]);
}

describe('files of this app', { timeout: patience }, () => {
  it('are imported by sc-hsm-tool, with a password and with a split one, and give the key that was meant', async () => {
    await initializeCard(2);
    const whole = await createDkekShareFile(Buffer.from(testPassword));
    const { password, pieces } = await splitNewPassword(2, 3);
    const split = await createDkekShareFile(password);
    const [wholePath, splitPath] = [join(directory, 'whole.pbe'), join(directory, 'split.pbe')];
    await writeFile(wholePath, whole.file);
    await writeFile(splitPath, split.file);

    const first = await runScHsmTool(['--import-dkek-share', wholePath, '--password', testPassword]);
    expect(first).toContain('1 share(s) still missing');

    const chosen = [pieces[2], pieces[0]].filter((piece) => piece !== undefined);
    const answers = chosen.flatMap((piece) => ['', String(piece.number), colonHex(piece.value)]);
    const second = await runScHsmTool(
      ['--import-dkek-share', splitPath, '--pwd-shares-total', String(chosen.length)],
      [colonHex(chosen[0]?.prime ?? new Uint8Array()), ...answers],
    );
    expect(second.replaceAll(':', '')).toContain(printedCheckValue([whole.share, split.share]));
  });
});

describe('files of sc-hsm-tool', { timeout: patience }, () => {
  it('open here with the pieces that it printed', async () => {
    const path = join(directory, 'tool-split.pbe');
    // "Press <enter>" once at the beginning and twice for each piece.
    const enters = Array.from({ length: 1 + 2 * 4 }, () => '');
    const printed = await runScHsmTool(
      ['--create-dkek-share', path, '--pwd-shares-threshold', '3', '--pwd-shares-total', '4'],
      enters,
    );
    const shown = printed.matchAll(/Prime\s+: (\S+)\s+Share ID\s+: (\d+)\s+Share value\s*: (\S+)/g);
    const pieces = Array.from(shown, ([, prime = '', number = '', value = '']) =>
      valueOf(decodePiece(Buffer.from(`${Number(number).toString(16)} ${prime} ${value}`))),
    );
    expect(pieces.map((piece) => piece.number)).toEqual([1, 2, 3, 4]);
    const file = await readFile(path);
    const password = valueOf(await combinePieces(pieces.slice(1)));
    expect(await openDkekShareFile(file, password)).toMatchObject({ ok: true });
    // Too few give something else, if anything.
    const tooFew = await combinePieces(pieces.slice(2));
    if (tooFew.ok) {
      expect(await openDkekShareFile(file, tooFew.value)).toMatchObject({
        ok: false,
        error: { code: 'Device_SharePasswordWrong' },
      });
    } else {
      expect(tooFew.error.code).toBe('Device_SharePieceInvalid');
    }
  });
});
