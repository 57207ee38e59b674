import {
  constants,
  createECDH,
  createHash,
  createPublicKey,
  privateDecrypt,
  publicDecrypt,
  publicEncrypt,
  randomBytes,
  verify,
  type KeyObject,
} from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CardAnswer } from '../fixtures/smartcard-hsm/crypto/answer.ts';
import { curveNames, domainParameters } from '../fixtures/smartcard-hsm/crypto/curves.ts';
import {
  algorithmIds,
  decipherWithKey,
  deriveEcScalar,
  signWithKey,
} from '../fixtures/smartcard-hsm/crypto/key-operations.ts';
import {
  assembleRsaKey,
  ecCardKey,
  generateAesKey,
  generateEcKey,
  generateRsaKey,
  privateKeyObject,
  type CardKey,
  type EcCardKey,
  type RsaCardKey,
} from '../fixtures/smartcard-hsm/crypto/keys.ts';

function valueOf<Value>(answer: CardAnswer<Value>): Value {
  if (!answer.ok) throw new Error(`The card answered ${answer.statusWord.toString(16)}.`);
  return answer.value;
}

const publicKeyOf = (key: RsaCardKey | EcCardKey): KeyObject => createPublicKey(privateKeyObject(key));
const message = Buffer.from('what was agreed on');
const hashes = { 1: 'sha1', 2: 'sha224', 3: 'sha256', 4: 'sha384', 5: 'sha512' } as const;
const hashCases = Object.entries(hashes).map(([digit, hash]) => [hash, Number(digit)] as const);

let rsa: RsaCardKey;
const ec = new Map<string, EcCardKey>();
const directory = mkdtempSync(join(tmpdir(), 'smartcard-hsm-keys-'));

function ecKey(curve: string): EcCardKey {
  const key = ec.get(curve);
  if (key === undefined) throw new Error(`No key for ${curve}.`);
  return key;
}

beforeAll(async () => {
  rsa = await generateRsaKey(2048);
  for (const curve of curveNames) ec.set(curve, await generateEcKey(curve));
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe('keys', () => {
  it('survive JSON and still compute', () => {
    const restored: RsaCardKey = { ...rsa };
    expect(JSON.parse(JSON.stringify(rsa))).toEqual(rsa);
    const signature = valueOf(signWithKey(restored, algorithmIds.rsaPkcs1Sha256, message));
    expect(verify('sha256', message, publicKeyOf(rsa), signature)).toBe(true);
  });

  it.each([2048, 3072] as const)('of RSA-%i are put together again from the private exponent alone', async (bits) => {
    const key = bits === 2048 ? rsa : await generateRsaKey(bits);
    const again = assembleRsaKey({
      modulus: Buffer.from(key.modulus, 'hex'),
      publicExponent: Buffer.from(key.publicExponent, 'hex'),
      privateExponent: Buffer.from(key.privateExponent, 'hex'),
    });
    expect(again?.modulus).toBe(key.modulus);
    expect([again?.primeP, again?.primeQ].sort()).toEqual([key.primeP, key.primeQ].sort());
    if (again === undefined) throw new Error('The key was not put together.');
    const signature = valueOf(signWithKey(again, algorithmIds.rsaPkcs1Sha256, message));
    expect(verify('sha256', message, publicKeyOf(key), signature)).toBe(true);
  });

  it('are not put together from numbers that do not belong together', () => {
    const numbers = { modulus: Buffer.from(rsa.modulus, 'hex'), publicExponent: Buffer.of(1, 0, 1) };
    const strange = Buffer.from(rsa.primeP, 'hex');
    strange[3] = (strange[3] ?? 0) ^ 1;
    expect(assembleRsaKey({ ...numbers, primes: [strange, Buffer.of(3)] })).toBeUndefined();
    expect(assembleRsaKey({ ...numbers, privateExponent: Buffer.of(3) })).toBeUndefined();
    expect(assembleRsaKey(numbers)).toBeUndefined();
  });

  it.each(curveNames)('of %s have the point that OpenSSL computes', (curve) => {
    const key = ecKey(curve);
    expect(ecCardKey(curve, Buffer.from(key.privateScalar, 'hex'))).toEqual(key);
    expect(privateKeyObject(key).asymmetricKeyDetails).toEqual({ namedCurve: curve });
  });
});

describe('SIGN with RSA', () => {
  it('raw is the number that the openssl command computes', () => {
    const keyFile = join(directory, 'key.pem');
    const inputFile = join(directory, 'input');
    const input = Buffer.concat([Buffer.of(0), randomBytes(255)]);
    writeFileSync(keyFile, privateKeyObject(rsa).export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(inputFile, input);
    const expected = execFileSync('openssl', [
      ...['pkeyutl', '-decrypt', '-inkey', keyFile, '-in', inputFile, '-pkeyopt', 'rsa_padding_mode:none'],
    ]);
    expect(valueOf(signWithKey(rsa, algorithmIds.rsaRaw, input)).equals(expected)).toBe(true);
  });

  it('pads a DigestInfo and nothing else', () => {
    const digestInfo = Buffer.concat([
      Buffer.from('3031300d060960864801650304020105000420', 'hex'),
      createHash('sha256').update(message).digest(),
    ]);
    const signature = valueOf(signWithKey(rsa, algorithmIds.rsaPkcs1, digestInfo));
    expect(verify('sha256', message, publicKeyOf(rsa), signature)).toBe(true);
    const opened = publicDecrypt({ key: publicKeyOf(rsa), padding: constants.RSA_PKCS1_PADDING }, signature);
    expect(opened.equals(digestInfo)).toBe(true);
  });

  it.each(hashCases)('hashes with %s and pads by PKCS#1 v1.5', (hash, digit) => {
    const signature = valueOf(signWithKey(rsa, algorithmIds.rsaPkcs1 + digit, message));
    expect(verify(hash, message, publicKeyOf(rsa), signature)).toBe(true);
  });

  it.each(hashCases)('signs a finished %s by PSS', (hash, digit) => {
    const pss = {
      key: publicKeyOf(rsa),
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
    };
    const finished = createHash(hash).update(message).digest();
    expect(verify(hash, message, pss, valueOf(signWithKey(rsa, algorithmIds.rsaPss, finished)))).toBe(true);
    expect(verify(hash, message, pss, valueOf(signWithKey(rsa, algorithmIds.rsaPss + digit, message)))).toBe(true);
  });

  it.each([
    ['a block of the wrong length', algorithmIds.rsaRaw, Buffer.alloc(255), 0x6700],
    ['a block above the modulus', algorithmIds.rsaRaw, Buffer.alloc(256, 0xff), 0x6a80],
    ['a DigestInfo that leaves no padding', algorithmIds.rsaPkcs1, Buffer.alloc(246), 0x6700],
    ['no DigestInfo', algorithmIds.rsaPkcs1, Buffer.alloc(0), 0x6700],
    ['a hash of no known length', algorithmIds.rsaPss, Buffer.alloc(33), 0x6700],
    ['an algorithm of EC', algorithmIds.ecdsa, Buffer.alloc(32), 0x6985],
    ['an unknown algorithm', 0x36, Buffer.alloc(32), 0x6a86],
    ['an algorithm of another command', algorithmIds.rsaDecipher, Buffer.alloc(256), 0x6a86],
  ])('refuses %s', (_what, algorithmId, input, statusWord) => {
    expect(signWithKey(rsa, algorithmId, input)).toEqual({ ok: false, statusWord });
  });
});

describe('SIGN with EC', () => {
  it.each(curveNames.flatMap((curve) => hashCases.map(([hash, digit]) => [curve, hash, digit] as const)))(
    'on %s takes a finished %s and makes its own',
    (curve, hash, digit) => {
      const key = ecKey(curve);
      const check = { key: publicKeyOf(key), dsaEncoding: 'der' } as const;
      const finished = createHash(hash).update(message).digest();
      expect(verify(hash, message, check, valueOf(signWithKey(key, algorithmIds.ecdsa, finished)))).toBe(true);
      expect(verify(hash, message, check, valueOf(signWithKey(key, algorithmIds.ecdsa + digit, message)))).toBe(true);
    },
  );

  it.each([
    ['nothing to sign', algorithmIds.ecdsa, Buffer.alloc(0), 0x6700],
    ['far too long a hash', algorithmIds.ecdsa, Buffer.alloc(129), 0x6700],
    ['an algorithm of RSA', algorithmIds.rsaPkcs1Sha256, message, 0x6985],
    ['an unknown algorithm', 0x76, message, 0x6a86],
  ])('refuses %s', (_what, algorithmId, input, statusWord) => {
    expect(signWithKey(ecKey('prime256v1'), algorithmId, input)).toEqual({ ok: false, statusWord });
  });
});

describe('DECIPHER', () => {
  it('with RSA is the plain private operation', () => {
    const encrypted = publicEncrypt({ key: publicKeyOf(rsa), padding: constants.RSA_PKCS1_OAEP_PADDING }, message);
    const expected = privateDecrypt({ key: privateKeyObject(rsa), padding: constants.RSA_NO_PADDING }, encrypted);
    expect(valueOf(decipherWithKey(rsa, algorithmIds.rsaDecipher, encrypted)).equals(expected)).toBe(true);
  });

  it.each(curveNames)('on %s answers the whole point that both sides come to', async (curve) => {
    const { fieldLength } = domainParameters(curve);
    // Several, because the sign of y is found by a trial of its own.
    for (let round = 0; round < 4; round++) {
      const mine = await generateEcKey(curve);
      const theirs = await generateEcKey(curve);
      const point = valueOf(decipherWithKey(mine, algorithmIds.ecdh, Buffer.from(theirs.publicPoint, 'hex')));
      const other = valueOf(decipherWithKey(theirs, algorithmIds.ecdh, Buffer.from(mine.publicPoint, 'hex')));
      const openSsl = createECDH(curve);
      openSsl.setPrivateKey(theirs.privateScalar, 'hex');
      const secret = openSsl.computeSecret(mine.publicPoint, 'hex');
      expect(point.length).toBe(1 + 2 * fieldLength);
      expect(point.equals(other)).toBe(true);
      expect(point[0]).toBe(0x04);
      expect(point.subarray(1, 1 + fieldLength).equals(secret)).toBe(true);
    }
  });

  it('answers the right one of the two points: twice the base point is what scalar 2 makes of it', () => {
    const two = ecCardKey('prime256v1', Buffer.of(2));
    const product = valueOf(decipherWithKey(two, algorithmIds.ecdh, domainParameters('prime256v1').basePoint));
    expect(product.toString('hex')).toBe(two.publicPoint);
    const five = ecCardKey('prime256v1', Buffer.of(5));
    const ten = valueOf(decipherWithKey(five, algorithmIds.ecdh, Buffer.from(two.publicPoint, 'hex')));
    expect(ten.toString('hex')).toBe(ecCardKey('prime256v1', Buffer.of(10)).publicPoint);
  });

  it('refuses what is no point of the curve, other lengths and other keys', async () => {
    const key = ecKey('prime256v1');
    const point = Buffer.from(ecKey('prime256v1').publicPoint, 'hex');
    const off = Buffer.from(point);
    off[64] = (off[64] ?? 0) ^ 2;
    const wrapped = Buffer.concat([Buffer.of(0x04, 65), point]);
    const aes: CardKey = await generateAesKey(256);
    const cases: readonly (readonly [CardKey, number, Buffer, number])[] = [
      [key, algorithmIds.ecdh, off, 0x6a80],
      [key, algorithmIds.ecdh, Buffer.concat([Buffer.of(5), point.subarray(1)]), 0x6a80],
      [key, algorithmIds.ecdh, wrapped, 0x6700],
      [key, algorithmIds.ecdh, Buffer.alloc(0), 0x6700],
      [key, algorithmIds.rsaDecipher, Buffer.alloc(256), 0x6985],
      [rsa, algorithmIds.ecdh, point, 0x6985],
      [rsa, algorithmIds.rsaDecipher, Buffer.alloc(255), 0x6700],
      [rsa, algorithmIds.rsaDecipher, Buffer.alloc(256, 0xff), 0x6a80],
      [aes, algorithmIds.rsaDecipher, Buffer.alloc(256), 0x6985],
      [rsa, 0x24, Buffer.alloc(256), 0x6a86],
    ];
    for (const [used, algorithmId, input, statusWord] of cases) {
      expect(decipherWithKey(used, algorithmId, input)).toEqual({ ok: false, statusWord });
    }
  });
});

describe('DERIVE with EC', () => {
  it('adds the parameter to the scalar, modulo the order', () => {
    const parameter = Buffer.of(7);
    const derived = ecCardKey('prime256v1', valueOf(deriveEcScalar(ecCardKey('prime256v1', Buffer.of(3)), parameter)));
    expect(derived).toEqual(ecCardKey('prime256v1', Buffer.of(10)));
    const order = BigInt(`0x${domainParameters('prime256v1').order.toString('hex')}`);
    const last = ecCardKey('prime256v1', Buffer.from((order - 2n).toString(16), 'hex'));
    expect(valueOf(deriveEcScalar(last, parameter)).equals(Buffer.of(5))).toBe(true);
    expect(deriveEcScalar(last, Buffer.of(2))).toEqual({ ok: false, statusWord: 0x6a80 });
    expect(deriveEcScalar(last, Buffer.alloc(33))).toEqual({ ok: false, statusWord: 0x6700 });
  });
});
