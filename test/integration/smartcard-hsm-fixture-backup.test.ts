/** What only such a device has, on the software card: DKEK shares, wrapped keys, AES, public key authentication. */
import { spawn } from 'node:child_process';
import { constants, createCipheriv, createECDH, publicEncrypt, randomBytes, sign } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { defaultVendor } from '../fixtures/smartcard-hsm/card.ts';
import {
  generateKey,
  initialise,
  openCardDesk,
  otherTestPin,
  statusOf,
  testPin,
  testSoPin,
  withLogin,
  type CardDesk,
} from '../fixtures/smartcard-hsm/card-desk.ts';
import { createTestVendor } from '../fixtures/smartcard-hsm/crypto/device-identity.ts';
import { ecCardKey, privateKeyObject } from '../fixtures/smartcard-hsm/crypto/keys.ts';
import { runTool, type ToolResult } from '../fixtures/smartcard-hsm/tools.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

const testPassword = 'password of a test share';
/** sc-hsm-tool derives the key of a share file with ten million rounds of MD5: some 10 to 30 s. */
const slowTool = { deadline: 150_000 };

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

const hex = (text: string): string => Buffer.from(text).toString('hex');

/** Status word and data of one answer in what OpenSC's tools print: "9000 0102…". */
function readAnswer(printed: string): string {
  const status = /SW1=0x(..), SW2=0x(..)/.exec(printed);
  // Rows of up to sixteen bytes, each followed by the same bytes as characters.
  const rows = printed.split('\n').flatMap((line) => /^(?:[0-9A-F]{2} ){1,16}/.exec(line) ?? []);
  const data = rows.join('').replaceAll(' ', '');
  return `${status?.[1] ?? ''}${status?.[2] ?? ''} ${data.toLowerCase()}`.trim();
}

/** Raw commands in one session, after selection and log-in; their answers in order. */
async function transmit(commands: readonly string[]): Promise<readonly string[]> {
  const before = ['00A4040006E82B06010401', `0020008106${hex(testPin)}`];
  const { output } = await runTool(
    'opensc-tool',
    [...before, ...commands].flatMap((command) => ['-s', command]),
  );
  const answers = output.split('Received ').slice(1);
  return answers.slice(before.length).map(readAnswer);
}

/** A session that stays open between commands, so that one can answer to what came before. */
function openExplorer(reader: number): { send(command: string): Promise<string>; close(): Promise<void> } {
  const child = spawn('opensc-explorer', ['--reader', `${reader}`], { stdio: 'pipe' });
  let printed = '';
  let arrived = (): void => undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString();
    arrived();
  });
  const until = async (marked: RegExp): Promise<void> => {
    while (!marked.test(printed)) await new Promise<void>((resolve) => (arrived = resolve));
  };
  return {
    send: async (command) => {
      printed = '';
      child.stdin.write(`apdu ${command.replaceAll(' ', '')}\n`);
      await until(/Received [\s\S]*OpenSC \[/);
      return readAnswer(printed.slice(printed.indexOf('Received ')));
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end('quit\n');
      await ended;
    },
  };
}

function withShare(action: 'create' | 'import', reader: number): Promise<ToolResult> {
  const file = [`--${action}-dkek-share`, desk.path('share'), '--password', testPassword];
  return runTool('sc-hsm-tool', ['--reader', `${reader}`, ...file], slowTool);
}

test(
  'a key travels to a second card under the same DKEK and decrypts the same there',
  { timeout: 400_000 },
  async () => {
    const first = await desk.newInitialisedCard({ serial: 'ZZTEST00001' }, 0, ['--dkek-shares', '1']);
    await desk.newInitialisedCard({ serial: 'ZZTEST00002' }, 1, ['--dkek-shares', '1']);
    expect(await statusOf(0)).toContain('DKEK import pending, 1 share(s) still missing');
    await expect(generateKey('rsa:2048', '01', 0)).rejects.toThrow('CKR_');

    expect(await withShare('create', 0)).toMatchObject({ exitCode: 0 });
    const checkValue = /DKEK key check value : ([0-9A-F]{16})/;
    const imported = checkValue.exec((await withShare('import', 0)).output)?.[1];
    expect(imported).toMatch(/^[0-9A-F]{16}$/);
    // The other card gets the same share without the ten million rounds: one share alone is the whole DKEK.
    const share = first.state.dkek?.key.toString('hex') ?? '';
    const raw = ['-s', '00A4040006E82B06010401', '-s', `8052000020${share}00`];
    await runTool('opensc-tool', ['--reader', '1', ...raw]);
    for (const reader of [0, 1] as const) expect(checkValue.exec(await statusOf(reader))?.[1]).toBe(imported);

    await generateKey('rsa:2048', '01', 0);
    await generateKey('EC:secp384r1', '02', 0);
    const reference = { '01': '1', '02': '2' };
    for (const number of Object.values(reference)) {
      const key = ['--key-reference', number, '--pin', testPin];
      const wrapped = await runTool('sc-hsm-tool', ['--reader', '0', '--wrap-key', desk.path(number), ...key]);
      expect(wrapped).toMatchObject({ exitCode: 0 });
      const unwrapped = await runTool('sc-hsm-tool', ['--reader', '1', '--unwrap-key', desk.path(number), ...key]);
      expect(unwrapped.output).toContain('Key successfully imported');
    }

    const secret = randomBytes(32);
    const publicKey = await desk.readPublicKey('01', 0);
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    await writeFile(desk.path('encrypted'), publicEncrypt({ key: publicKey, padding, oaepHash: 'sha256' }, secret));
    for (const reader of [0, 1] as const) {
      const mechanism = ['--mechanism', 'RSA-PKCS-OAEP', '--hash-algorithm', 'SHA256', '--mgf', 'MGF1-SHA256'];
      const files = ['--input-file', desk.path('encrypted'), '--output-file', desk.path(`decrypted-${reader}`)];
      expect(await withLogin(['--decrypt', '--id', '01', ...mechanism, ...files], { reader })).toMatchObject({
        exitCode: 0,
      });
      expect(await readFile(desk.path(`decrypted-${reader}`))).toEqual(secret);
    }
    expect((await desk.readPublicKey('02', 1)).equals(await desk.readPublicKey('02', 0))).toBe(true);

    // Initialised anew, the card has another DKEK, and the blob is worth nothing to it.
    expect(first.state.keys.size).toBe(3);
    await initialise(['--dkek-shares', '0'], 0);
    const stranger = ['--unwrap-key', desk.path('1'), '--key-reference', '1', '--pin', testPin];
    expect((await runTool('sc-hsm-tool', ['--reader', '0', ...stranger])).output).toContain('does not match DKEK');
  },
);

test('without a DKEK nothing leaves the card; with a random one it comes back to this card only', async () => {
  await desk.newInitialisedCard();
  expect(await statusOf()).not.toContain('DKEK');
  await generateKey('EC:prime256v1', '01');
  const wrap = ['--wrap-key', desk.path('blob'), '--key-reference', '1', '--pin', testPin];
  expect((await runTool('sc-hsm-tool', wrap)).output).toContain('Card not initialized for key wrap');

  await initialise(['--dkek-shares', '0']);
  expect(await statusOf()).toMatch(/DKEK shares {10}: 0\nDKEK key check value : [0-9A-F]{16}/);
  await generateKey('EC:prime256v1', '01');
  expect(await runTool('sc-hsm-tool', wrap)).toMatchObject({ exitCode: 0 });
  expect(await withLogin(['--delete-object', '--type', 'privkey', '--id', '01'])).toMatchObject({ exitCode: 0 });
  const back = ['--unwrap-key', desk.path('blob'), '--key-reference', '1', '--pin', testPin, '--force'];
  expect((await runTool('sc-hsm-tool', back)).output).toContain('Key successfully imported');
  expect((await withLogin(['--list-objects', '--type', 'privkey'])).output).toContain('key 01');
});

describe('by raw commands', () => {
  test('AES keys are made, encrypt, and are wrapped and unwrapped', async () => {
    const card = await desk.newInitialisedCard({}, 0, ['--dkek-shares', '0']);
    const block = '000102030405060708090a0b0c0d0e0f';
    const made = await transmit(['804809B2', `8078091010${block}00`]);
    const key = card.state.keys.get(9);
    if (key?.kind !== 'aes') throw new Error('There is no AES key.');
    const cipher = createCipheriv('aes-256-cbc', Buffer.from(key.value, 'hex'), Buffer.alloc(16)).setAutoPadding(false);
    const encrypted = cipher.update(block, 'hex', 'hex');
    expect(made).toEqual(['9000', `9000 ${encrypted}`]);
    const wrapped = await transmit(['8072099200']);
    expect(wrapped[0]).toMatch(/^9000 [0-9a-f]{100,}$/);
  });

  test('a key derived from an EC key is one of its own: OpenSC agrees on a secret with it', async () => {
    const card = await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    const own = card.state.keys.get(1);
    if (own?.kind !== 'ec') throw new Error('There is no EC key.');
    expect(await transmit(['8076010203980007', '80760902029807', '8076010201ff', '8076010200'])).toEqual([
      '9000',
      '6A88',
      '6A80',
      '6700',
    ]);
    const sum = (BigInt(`0x${own.privateScalar}`) + 7n).toString(16).padStart(64, '0');
    expect(card.state.keys.get(2)).toEqual(ecCardKey('prime256v1', Buffer.from(sum, 'hex')));
    const other = createECDH('prime256v1');
    const point = other.generateKeys('hex');
    const [ofDerived, ofOwn] = await transmit([`8062028041${point}00`, `8062018041${point}00`]);
    const mine = createECDH('prime256v1');
    mine.setPrivateKey(sum, 'hex');
    expect(ofDerived?.slice(7, 71)).toBe(mine.computeSecret(point, 'hex').toString('hex'));
    expect(ofOwn).not.toBe(ofDerived);
    const refused = await runTool('opensc-tool', ['-s', '00A4040006E82B06010401', '-s', '80760102029807']);
    expect(readAnswer(refused.output.split('Received ').at(-1) ?? '')).toBe('6982');
  });

  test('free memory goes down with each key', async () => {
    const card = await desk.newInitialisedCard();
    const before = (await transmit(['8064050000']))[0];
    const numbers = [card.freeMemory, 77824 - card.freeMemory, 77824];
    expect(before).toBe(`9000 ${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`);
    await generateKey('rsa:2048', '01');
    expect((await transmit(['8064050000']))[0]).not.toBe(before);
  });

  test('a transport PIN has to be changed before anything else', async () => {
    await desk.newCard();
    const options = '80020003';
    const data = `${options}8106${hex(testPin)}8208${'35'.repeat(8)}910103`;
    const header = `80500000${(data.length / 2).toString(16).padStart(2, '0')}`;
    await runTool('opensc-tool', ['-s', '00A4040006E82B06010401', '-s', `${header}${data}`]);
    expect(await statusOf()).toContain('Transport-PIN active. Please change to user selected PIN first.');
    expect((await withLogin(['--list-objects'])).exitCode).toBe(1);
    const change = ['--change-pin', '--pin', testPin, '--new-pin', otherTestPin];
    expect(await runTool('pkcs15-tool', change)).toMatchObject({ exitCode: 0 });
    expect(await statusOf()).toContain('User PIN tries left  : 3');
    expect(await withLogin(['--list-objects'], { pin: otherTestPin })).toMatchObject({ exitCode: 0 });
  });
});

describe('public key authentication', () => {
  test('registers keys of other cards and opens to enough of their signatures', async () => {
    const guarded = await desk.newCard({ serial: 'ZZTEST00001' }, 0);
    const keys = ['--public-key-auth', '2', '--required-pub-keys', '1'];
    const secrets = ['--so-pin', testSoPin, '--pin', testPin];
    await runTool('sc-hsm-tool', ['--reader', '0', '--initialize', ...secrets, ...keys]);
    expect(await statusOf(0)).toContain('Public key authentication active.');
    const holder = await desk.newInitialisedCard({ serial: 'ZZTEST00002' }, 1);
    await generateKey('EC:brainpoolP256r1', '01', 1);
    const exported = ['--export-for-pub-key-auth', desk.path('key.pka'), '--key-reference', '1'];
    expect(await runTool('sc-hsm-tool', ['--reader', '1', ...exported])).toMatchObject({ exitCode: 0 });
    const registered = await runTool('sc-hsm-tool', ['--reader', '0', '--register-public-key', desk.path('key.pka')]);
    expect(registered.output).toMatch(
      /Number of public keys: {5}2\nMissing public keys: {7}1\nRequired pubkeys for auth: 1/,
    );
    const status = await runTool('sc-hsm-tool', ['--reader', '0', '--public-key-auth-status']);
    expect(status.output).toContain('Authenticated public keys: 0');

    // OpenSC has no command for the authentication itself, so its explorer sends what a holder's program would send.
    const key = holder.state.keys.get(1);
    if (key?.kind !== 'ec') throw new Error('There is no key.');
    const { deviceReference } = guarded.state;
    const holderReference = hex('ZZTEST0000200001');
    const explorer = openExplorer(0);
    expect(await explorer.send(`002281A4 12 8310 ${holderReference}`)).toBe('9000');
    const challenge = (await explorer.send('0084000010')).split(' ')[1] ?? '';
    const signed = Buffer.concat([Buffer.from(deviceReference), Buffer.from(challenge, 'hex')]);
    const signature = sign('sha256', signed, { key: privateKeyObject(key), dsaEncoding: 'ieee-p1363' });
    expect(await explorer.send('00200081')).toBe('6400');
    expect(await explorer.send(`00820000 40 ${Buffer.alloc(64).toString('hex')}`)).toBe('6985');
    expect(await explorer.send(`00820000 40 ${signature.toString('hex')}`)).toBe('9000');
    expect(await explorer.send('00200081')).toBe('9000');
    expect(await explorer.send('8054000004')).toBe('9000 02010101');
    await explorer.close();
  });

  test('refuses the key of a card of another vendor', async () => {
    const guarded = await desk.newCard({ serial: 'ZZTEST00001', vendor: await createTestVendor() }, 0);
    const secrets = ['--so-pin', testSoPin, '--pin', testPin];
    await runTool('sc-hsm-tool', ['--reader', '0', '--initialize', ...secrets, '--public-key-auth', '1']);
    await desk.newInitialisedCard({ serial: 'ZZTEST00002', vendor: await defaultVendor() }, 1);
    await generateKey('EC:brainpoolP256r1', '01', 1);
    const exported = ['--export-for-pub-key-auth', desk.path('key.pka'), '--key-reference', '1'];
    await runTool('sc-hsm-tool', ['--reader', '1', ...exported]);
    const refused = await runTool('sc-hsm-tool', ['--reader', '0', '--register-public-key', desk.path('key.pka')]);
    expect(refused).toMatchObject({ exitCode: 1 });
    expect(guarded.state.publicKeyAuthentication?.registered).toEqual([]);
  });
});
