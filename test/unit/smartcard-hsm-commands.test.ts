/** Commands, data objects and files of a SmartCard-HSM as bytes; bad ones are refused as values. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { mayHoldTokens, knownStores } from '../../electron/tokens/known-modules.ts';
import { decodeAnswer, encodeCommand, triesLeftOf } from '../../native/smartcard-hsm/apdu.ts';
import { isFactorySoPin, parseSoPin } from '../../native/smartcard-hsm/so-pin.ts';
import { readDataObject, readDataObjects, writeDataObject } from '../../native/smartcard-hsm/tlv.ts';
import { readTokenLabel, writeTokenInfo } from '../../native/smartcard-hsm/token-info.ts';
import { readWrappedKeyFile, writeWrappedKeyFile } from '../../native/smartcard-hsm/wrapped-key-file.ts';

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const header = { cla: 0x80, ins: 0x52, p1: 0x01, p2: 0x02 };

describe('commands (ISO/IEC 7816-4, 5.1)', () => {
  test.each([
    ['case 1', {}, '80520102'],
    ['case 2, all of 256', { expected: 256 }, '8052010200'],
    ['case 2 extended, all there is', { expected: 65536 }, '80520102000000'],
    ['case 3', { data: hex('aabb') }, '8052010202aabb'],
    ['case 4', { data: hex('aabb'), expected: 8 }, '8052010202aabb08'],
    ['case 4 extended', { data: hex('aabb'), expected: 65536 }, '80520102000002aabb0000'],
  ])('%s', (_, more, encoded) => {
    expect(encodeCommand({ ...header, ...more }).toString('hex')).toBe(encoded);
  });

  test('more than 255 bytes make an extended command', () => {
    const encoded = encodeCommand({ ...header, data: Buffer.alloc(256, 1) });
    expect(encoded.subarray(0, 7).toString('hex')).toBe('80520102000100');
    expect(encoded).toHaveLength(7 + 256);
  });

  test('answers and the tries that they name', () => {
    expect(decodeAnswer(hex('01029000'))).toEqual({ data: hex('0102'), status: 0x9000 });
    expect([0x63c2, 0x63c0, 0x6983, 0x9000, 0x6a88].map(triesLeftOf)).toEqual([2, 0, 0, undefined, undefined]);
  });
});

describe('data objects', () => {
  test.each([0, 1, 127, 128, 255, 256, 2000])('of %i bytes are read as written', (length) => {
    for (const tag of [0x53, 0x7f49]) {
      const value = Buffer.alloc(length, 0xa5);
      expect(readDataObject(writeDataObject(tag, value))).toMatchObject({ tag, value });
    }
  });

  test.each(['', '53', '5305aabb', '7f', '7f49', '5f8001', '538001', '5384ffffffff', '5383ffff'])(
    '%j is none',
    (bytes) => {
      expect(readDataObject(hex(bytes))).toBeUndefined();
    },
  );

  test('something behind the last one is noticed', () => {
    expect(readDataObjects(hex('530101540102'))).toHaveLength(2);
    expect(readDataObjects(hex('53010154'))).toBeUndefined();
  });
});

test('an SO-PIN is exactly 16 hexadecimal digits', () => {
  const parsed = (text: string): string | undefined =>
    ((bytes) => (bytes === undefined ? undefined : Buffer.from(bytes).toString('hex')))(parseSoPin(Buffer.from(text)));
  expect(parsed('0123456789abCDEF')).toBe('0123456789abcdef');
  for (const text of [
    '',
    '0123456789abcde',
    '0123456789abcdef0',
    '0123456789abcdeg',
    '0123456789abcde ',
    '01234567-9abcdef',
  ])
    expect(parsed(text), text).toBeUndefined();
  expect(isFactorySoPin(parseSoPin(Buffer.from('3537363231383830')) ?? new Uint8Array())).toBe(true);
  expect(isFactorySoPin(new Uint8Array(8))).toBe(false);
});

test('a label is written as sc-hsm-tool writes it', () => {
  // What `sc-hsm-tool --initialize --label "Unseal A"` of OpenSC 0.23 left in 2F03.
  expect(writeTokenInfo('Unseal A').toString('hex')).toBe('30110201008008556e7365616c204103020520');
  expect(readTokenLabel(writeTokenInfo('Schlüssel'))).toBe('Schlüssel');
  expect(readTokenLabel(hex('3003020100'))).toBeUndefined();
  expect(readTokenLabel(Buffer.from('no file of that kind'))).toBeUndefined();
});

test('a wrapped key file is read whole or not at all', () => {
  // EF.PrKD of OpenSC 0.23 for an RSA key.
  const encoded = hex(
    '304130140c0b62616e6b2d7661756c7473030206c0040101301d04141248b561de88b6e379c56b85fa942bc2cc3c5826' +
      '03020470020101a10a30083002040002020800',
  );
  const description = { label: '', id: '', encoded };
  const read = readWrappedKeyFile(
    writeWrappedKeyFile({ blob: Buffer.alloc(64, 1), description, certificate: hex('6703010203') }),
  );
  if (read === undefined) throw new Error('The file was not read.');
  expect(read.description).toMatchObject({ label: 'bank-vaults', id: '1248b561de88b6e379c56b85fa942bc2cc3c5826' });
  expect(read.certificate.toString('hex')).toBe('6703010203');
  const file = writeWrappedKeyFile(read);
  for (let length = 0; length < file.length; length += 1) {
    expect(readWrappedKeyFile(file.subarray(0, length)), `${length} bytes`).toBeUndefined();
  }
  expect(readWrappedKeyFile(Buffer.concat([file, hex('00')]))).toBeUndefined();
});

test('the stores of modules that are installed, and OpenSC only where pcscd can be reached', async () => {
  expect(knownStores({ softHsm: undefined, openSc: undefined })).toEqual([]);
  const [softHsm, openSc] = knownStores({ softHsm: '/one.so', openSc: '/other.so' });
  expect([softHsm?.id, openSc?.id, openSc?.name]).toEqual([
    'softhsm',
    'opensc',
    'OpenSC (Nitrokey HSM and smart cards)',
  ]);
  if (softHsm === undefined || openSc === undefined) throw new Error('no stores');
  expect(await mayHoldTokens(softHsm)).toBe(true);
  const isListening = (await readFile('/proc/net/unix', 'utf8')).includes('/pcscd.comm');
  if (isListening) expect(await mayHoldTokens(openSc)).toBe(true);
});
