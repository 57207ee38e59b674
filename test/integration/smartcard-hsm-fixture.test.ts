/**
 * The SmartCard-HSM in software against what it stands in for: only real OpenSC judges it, through real pcscd and
 * vsmartcard's virtual reader. What a real device does beyond that is unknown here (fixtures/smartcard-hsm/README.md).
 */
import { constants, createECDH, publicEncrypt, randomBytes, verify } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  generateKey,
  initialise,
  openCardDesk,
  otherTestPin,
  statusOf,
  testPin,
  testSoPin,
  withLogin,
  wrongTestPin,
  wrongTestSoPin,
  type CardDesk,
} from '../fixtures/smartcard-hsm/card-desk.ts';
import { runPkcs11Tool, runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { startCardReaders, type CardReaders } from '../servers/pcscd.ts';

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

describe('a card as it comes', () => {
  test('is recognised by its answer to reset', async () => {
    await desk.newCard();
    expect((await runTool('opensc-tool', ['--atr'])).output).toContain(
      '3b:de:96:ff:81:91:fe:1f:c3:80:31:81:54:48:53:4d:31:73:80:21:40:81:07:92',
    );
    expect((await runTool('opensc-tool', ['--name'])).output).toContain('SmartCard-HSM Applet for JCOP version 3.5');
    expect(await statusOf()).toContain('SmartCard-HSM has never been initialized.');
  });

  test('carries its serial in the device certificate', async () => {
    await desk.newCard({ serial: 'ZZTEST00042' });
    expect((await runTool('pkcs15-tool', ['--dump'])).output).toContain('Serial number  : ZZTEST00042');
  });

  test('tells the version that it was given', async () => {
    await desk.newCard({ firmware: { major: 2, minor: 6 } });
    expect(await statusOf()).toContain('Version              : 2.6');
    expect((await runTool('opensc-tool', ['-s', '00A4040006E82B06010401', '-s', '804809B2'])).output).toContain(
      'SW1=0x6D, SW2=0x00',
    );
  });
});

describe('initialisation', () => {
  test('sets PIN, SO-PIN, retry limit, label and options, and erases what was there', async () => {
    const card = await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    expect(await initialise(['--pin', 'longer12', '--pin-retry', '10'])).toMatchObject({ exitCode: 0 });
    expect(await statusOf()).toMatch(
      /User PIN reset with SO-PIN enabled\nSO-PIN tries left {4}: 15\nUser PIN tries left {2}: 10\n$/,
    );
    const listed = await runPkcs11Tool(['--list-slots']);
    expect(listed.output).toMatch(/token label {8}: Test \(UserPIN\)[\s\S]*ZZTEST00001/);
    expect([...card.state.keys.keys()]).toEqual([0]);
  });

  test('asks for the SO-PIN of before and counts wrong ones', async () => {
    const card = await desk.newInitialisedCard();
    const refused = await initialise(['--so-pin', wrongTestSoPin]);
    expect(refused.output).toContain('PIN code or key incorrect');
    expect(await statusOf()).toContain('SO-PIN tries left    : 14');
    expect(await initialise()).toMatchObject({ exitCode: 0 });
    expect(card.state.soPin?.triesLeft).toBe(15);
  });

  test('is locked for good after fifteen wrong SO-PINs', async () => {
    const card = await desk.newInitialisedCard();
    for (let attempt = 0; attempt < 15; attempt += 1) await initialise(['--so-pin', wrongTestSoPin]);
    expect(await statusOf()).toContain('SO-PIN locked');
    expect((await initialise()).output).toContain('Authentication method blocked');
    expect(card.state.soPin?.triesLeft).toBe(0);
  });

  test('by C_InitToken and C_InitPIN works as well', async () => {
    await desk.newCard();
    const token = await runPkcs11Tool(['--init-token', '--so-pin', testSoPin, '--label', 'By PKCS#11']);
    expect(token.output).toContain('Token successfully initialized');
    const pin = ['--login', '--login-type', 'so', '--so-pin', testSoPin, '--init-pin', '--new-pin', testPin];
    expect((await runPkcs11Tool(pin)).output).toContain('User PIN successfully initialized');
    expect((await withLogin(['--list-slots'])).output).toContain('By PKCS#11 (UserPIN)');
  });
});

describe('PINs', () => {
  test('are verified and changed', async () => {
    await desk.newInitialisedCard();
    expect(await runTool('pkcs15-tool', ['--verify-pin', '--pin', testPin])).toMatchObject({ exitCode: 0 });
    const change = ['--change-pin', '--pin', testPin, '--new-pin', otherTestPin];
    expect(await runTool('pkcs15-tool', change)).toMatchObject({ exitCode: 0 });
    const back = await runPkcs11Tool(['--login', '--pin', otherTestPin, '--change-pin', '--new-pin', testPin]);
    expect(back.output).toContain('PIN successfully changed');
    expect((await withLogin(['--list-objects'])).exitCode).toBe(0);
  });

  test('block after the retry limit and are set anew with the SO-PIN', async () => {
    await desk.newInitialisedCard();
    for (const left of [2, 1]) {
      expect((await withLogin(['--list-objects'], { pin: wrongTestPin })).output).toContain('CKR_PIN_INCORRECT');
      expect(await statusOf()).toContain(`User PIN tries left  : ${left}`);
    }
    expect((await withLogin(['--list-objects'], { pin: wrongTestPin })).output).toContain('CKR_PIN_LOCKED');
    expect(await statusOf()).toContain('User PIN locked');
    expect((await withLogin(['--list-objects'])).output).toContain('CKR_PIN_LOCKED');
    const soLogin = ['--login', '--login-type', 'so', '--so-pin'];
    const wrong = await runPkcs11Tool([...soLogin, wrongTestSoPin, '--init-pin', '--new-pin', otherTestPin]);
    expect(wrong.output).toContain('CKR_PIN_INCORRECT');
    expect(await statusOf()).toContain('SO-PIN tries left    : 14');
    const unblocked = await runPkcs11Tool([...soLogin, testSoPin, '--init-pin', '--new-pin', otherTestPin]);
    expect(unblocked.output).toContain('User PIN successfully initialized');
    expect(await withLogin(['--list-objects'], { pin: otherTestPin })).toMatchObject({ exitCode: 0 });
  });

  test("OpenSC's pkcs15-tool --unblock-pin sends a wrong form of the SO-PIN and costs a try", async () => {
    await desk.newInitialisedCard();
    const unblock = ['--unblock-pin', '--puk', testSoPin, '--new-pin', otherTestPin];
    expect((await runTool('pkcs15-tool', unblock)).output).toContain('PUK code incorrect; tries left: 14');
  });

  test('a right PIN gives the tries back', async () => {
    const card = await desk.newInitialisedCard();
    await withLogin(['--list-objects'], { pin: wrongTestPin });
    expect(card.state.userPin?.triesLeft).toBe(2);
    await withLogin(['--list-objects']);
    expect(card.state.userPin?.triesLeft).toBe(3);
  });
});

describe('keys', () => {
  test('pass pkcs11-tool --test with login', async () => {
    await desk.newInitialisedCard();
    await generateKey('rsa:2048', '01');
    await generateKey('EC:prime256v1', '02');
    const tested = await withLogin(['--test']);
    expect(tested.output).toContain('No errors');
    expect(tested).toMatchObject({ exitCode: 0 });
  });

  test.each(['rsa:2048', 'rsa:3072', 'rsa:4096'])('%s signs and decrypts OAEP with SHA-1 and SHA-256', async (type) => {
    await desk.newInitialisedCard();
    await generateKey(type, '0a');
    const key = await desk.readPublicKey('0a');
    await writeFile(desk.path('message'), 'to be signed');
    const sign = ['--sign', '--mechanism', 'SHA256-RSA-PKCS', '--id', '0a'];
    await withLogin([...sign, '--input-file', desk.path('message'), '--output-file', desk.path('signature')]);
    expect(verify('sha256', Buffer.from('to be signed'), key, await readFile(desk.path('signature')))).toBe(true);
    for (const hash of ['sha1', 'sha256']) {
      const secret = randomBytes(66);
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      await writeFile(desk.path('encrypted'), publicEncrypt({ key, padding, oaepHash: hash }, secret));
      const [name, mask] = hash === 'sha1' ? ['SHA-1', 'MGF1-SHA1'] : ['SHA256', 'MGF1-SHA256'];
      const decrypt = ['--decrypt', '--mechanism', 'RSA-PKCS-OAEP', '--hash-algorithm', name, '--mgf', mask];
      const files = ['--input-file', desk.path('encrypted'), '--output-file', desk.path('decrypted')];
      expect(await withLogin([...decrypt, '--id', '0a', ...files])).toMatchObject({ exitCode: 0 });
      expect(await readFile(desk.path('decrypted'))).toEqual(secret);
    }
  });

  test.each(['prime256v1', 'secp384r1', 'secp521r1', 'brainpoolP256r1', 'brainpoolP384r1', 'brainpoolP512r1'])(
    'EC on %s signs and agrees on a secret',
    async (curve) => {
      await desk.newInitialisedCard();
      await generateKey(`EC:${curve}`, '0b');
      const key = await desk.readPublicKey('0b');
      await writeFile(desk.path('message'), 'to be signed');
      const sign = ['--sign', '--mechanism', 'ECDSA-SHA256', '--id', '0b', '--signature-format', 'openssl'];
      const files = ['--input-file', desk.path('message'), '--output-file', desk.path('signature')];
      expect(await withLogin([...sign, ...files])).toMatchObject({ exitCode: 0 });
      expect(verify('sha256', Buffer.from('to be signed'), key, await readFile(desk.path('signature')))).toBe(true);

      const der = key.export({ format: 'der', type: 'spki' });
      const other = createECDH(curve);
      const point = other.generateKeys();
      await writeFile(desk.path('other'), Buffer.concat([der.subarray(0, -point.length), point]));
      const derive = ['--derive', '--mechanism', 'ECDH1-DERIVE', '--id', '0b', '--input-file', desk.path('other')];
      expect(await withLogin([...derive, '--output-file', desk.path('secret')])).toMatchObject({ exitCode: 0 });
      expect(await readFile(desk.path('secret'))).toEqual(other.computeSecret(der.subarray(-point.length)));
    },
  );

  test('are deleted', async () => {
    const card = await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    expect(card.state.keys.has(1)).toBe(true);
    expect(await withLogin(['--delete-object', '--type', 'privkey', '--id', '01'])).toMatchObject({ exitCode: 0 });
    expect(card.state.keys.has(1)).toBe(false);
  });

  test('are not used without the PIN', async () => {
    await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    const sign = `8068017020${'11'.repeat(32)}00`;
    const raw = await runTool('opensc-tool', ['-s', '00A4040006E82B06010401', '-s', sign]);
    expect(raw.output).toContain('Received (SW1=0x69, SW2=0x82)');
  });
});

describe('objects', () => {
  test('data, public and private, and certificates are stored, listed, read and removed', async () => {
    const card = await desk.newInitialisedCard();
    const free = card.freeMemory;
    const long = randomBytes(3000);
    const short = randomBytes(256);
    await writeFile(desk.path('long'), long);
    await writeFile(desk.path('short'), short);
    const write = (name: string, label: string, ...extra: readonly string[]): readonly string[] => [
      ...['--write-object', desk.path(name), '--label', label, '--type', 'data'],
      ...extra,
    ];
    expect(await withLogin(write('long', 'open'))).toMatchObject({ exitCode: 0 });
    expect(await withLogin(write('short', 'closed', '--private'))).toMatchObject({ exitCode: 0 });

    const openly = await runPkcs11Tool(['--list-objects', '--type', 'data']);
    expect(openly.output).toContain("'open'");
    expect(openly.output).not.toContain("'closed'");
    const read = ['--read-object', '--type', 'data', '--output-file', desk.path('read'), '--label'];
    expect(await runPkcs11Tool([...read, 'open'])).toMatchObject({ exitCode: 0 });
    expect(await readFile(desk.path('read'))).toEqual(long);
    expect(await withLogin([...read, 'closed'])).toMatchObject({ exitCode: 0 });
    expect(await readFile(desk.path('read'))).toEqual(short);

    for (const label of ['open', 'closed'])
      expect(await withLogin(['--delete-object', '--type', 'data', '--label', label])).toMatchObject({ exitCode: 0 });
    expect(card.freeMemory).toBe(free);
  });

  test('a certificate takes the place of the request of its key, or stands for itself', async () => {
    await desk.newInitialisedCard();
    await generateKey('EC:prime256v1', '01');
    const subject = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Test of the fixture', '-days', '9'];
    const out = ['-keyout', desk.path('key'), '-outform', 'DER', '-out', desk.path('certificate')];
    expect(await runTool('openssl', [...subject, ...out])).toMatchObject({ exitCode: 0 });
    for (const id of ['01', '77']) {
      const write = ['--write-object', desk.path('certificate'), '--type', 'cert', '--id', id, '--label', `cert ${id}`];
      expect(await withLogin(write)).toMatchObject({ exitCode: 0 });
      const read = ['--read-object', '--type', 'cert', '--id', id, '--output-file', desk.path('read')];
      expect(await runPkcs11Tool(read)).toMatchObject({ exitCode: 0 });
      expect(await readFile(desk.path('read'))).toEqual(await readFile(desk.path('certificate')));
    }
    expect(await withLogin(['--delete-object', '--type', 'cert', '--id', '77'])).toMatchObject({ exitCode: 0 });
  });

  test('memory fills, and what did not fit is not listed', async () => {
    const card = await desk.newInitialisedCard({ memory: 3700 });
    await generateKey('rsa:2048', '01');
    const another = ['--keypairgen', '--key-type', 'rsa:2048', '--label', 'one more', '--id', '02'];
    expect((await withLogin(another)).output).toContain('CKR_DEVICE_MEMORY');
    expect([...card.state.keys.keys()]).toEqual([0, 1]);

    await writeFile(desk.path('large'), randomBytes(3900));
    const write = ['--write-object', desk.path('large'), '--type', 'data', '--label', 'too large'];
    // OpenSC 0.23 loses the reason where a file breaks off in the middle (sc_update_binary), and leaves that file.
    expect((await withLogin(write)).output).toMatch(/CKR_DEVICE_MEMORY|CKR_GENERAL_ERROR/);
    expect((await withLogin(['--list-objects', '--type', 'data'])).output).not.toContain('too large');
    expect(card.freeMemory).toBeLessThan(300);
  });

  test('76 kB hold 38 RSA-2048 keys, as the vendor counts', async () => {
    const card = await desk.newInitialisedCard();
    const before = card.freeMemory;
    await generateKey('rsa:2048', '01');
    expect(Math.floor(before / (before - card.freeMemory))).toBeGreaterThanOrEqual(37);
    expect(Math.floor(before / (before - card.freeMemory))).toBeLessThanOrEqual(39);
  });
});
