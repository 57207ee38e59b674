import { execFileSync } from 'node:child_process';
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { aesAlgorithmIds, cipherWithKey, computeCmac } from '../fixtures/smartcard-hsm/crypto/aes.ts';
import type { CardAnswer } from '../fixtures/smartcard-hsm/crypto/answer.ts';
import { curveNames, domainParameters } from '../fixtures/smartcard-hsm/crypto/curves.ts';
import {
  addDkekShare,
  dkekKeyCheckValue,
  emptyDkek,
  unwrapKey,
  wrapKey,
} from '../fixtures/smartcard-hsm/crypto/key-blob.ts';
import {
  aesKeySizes,
  generateAesKey,
  generateEcKey,
  generateRsaKey,
  type AesCardKey,
  type CardKey,
} from '../fixtures/smartcard-hsm/crypto/keys.ts';

function valueOf<Value>(answer: CardAnswer<Value>): Value {
  if (!answer.ok) throw new Error(`The card answered ${answer.statusWord.toString(16)}.`);
  return answer.value;
}

function openSslCmac(key: Uint8Array, message: Uint8Array): string {
  return execFileSync(
    'openssl',
    [
      ...['mac', '-cipher', `AES-${key.length * 8}-CBC`],
      ...['-macopt', `hexkey:${Buffer.from(key).toString('hex')}`, 'CMAC'],
    ],
    { input: message, encoding: 'utf8' },
  )
    .trim()
    .toLowerCase();
}

describe('CIPHER', () => {
  it.each(aesKeySizes.flatMap((bits) => [0, 1, 15, 16, 17, 32, 100].map((length) => [bits, length] as const)))(
    'makes with AES-%i the CMAC of %i bytes that the openssl command makes',
    async (bits, length) => {
      const key = await generateAesKey(bits);
      const message = randomBytes(length);
      const mac = valueOf(cipherWithKey(key, aesAlgorithmIds.cmac, message));
      expect(mac.toString('hex')).toBe(openSslCmac(Buffer.from(key.value, 'hex'), message));
    },
  );

  it('makes the CMACs of RFC 4493', () => {
    const key = Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex');
    const message = Buffer.from(
      '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411',
      'hex',
    );
    expect(computeCmac(key, Buffer.alloc(0)).toString('hex')).toBe('bb1d6929e95937287fa37d129b756746');
    expect(computeCmac(key, message.subarray(0, 16)).toString('hex')).toBe('070a16b46b4d4144f79bdd9dd04a287c');
    expect(computeCmac(key, message).toString('hex')).toBe('dfa66747de9ae63030ca32611497c827');
  });

  it.each(aesKeySizes)('encrypts and decrypts with AES-%i without padding', async (bits) => {
    const key = await generateAesKey(bits);
    const message = randomBytes(48);
    const encrypted = valueOf(cipherWithKey(key, aesAlgorithmIds.cbcEncrypt, message));
    const own = createDecipheriv(`aes-${bits}-cbc`, Buffer.from(key.value, 'hex'), Buffer.alloc(16));
    own.setAutoPadding(false);
    expect(Buffer.concat([own.update(encrypted), own.final()]).equals(message)).toBe(true);
    expect(valueOf(cipherWithKey(key, aesAlgorithmIds.cbcDecrypt, encrypted)).equals(message)).toBe(true);
  });

  it('derives 32 bytes that follow from key and parameter alone', async () => {
    const key = await generateAesKey(256);
    const derive = (parameter: string): string =>
      valueOf(cipherWithKey(key, aesAlgorithmIds.derive, Buffer.from(parameter))).toString('hex');
    expect(derive('a')).toBe(derive('a'));
    expect(derive('a')).not.toBe(derive('b'));
    expect(derive('a')).toHaveLength(64);
  });

  it('refuses half blocks, other keys and unknown algorithms', async () => {
    const key = await generateAesKey(128);
    const other = await generateEcKey('prime256v1');
    expect(cipherWithKey(key, aesAlgorithmIds.cbcEncrypt, Buffer.alloc(15))).toEqual({ ok: false, statusWord: 0x6700 });
    expect(cipherWithKey(key, aesAlgorithmIds.cbcDecrypt, Buffer.alloc(0))).toEqual({ ok: false, statusWord: 0x6700 });
    expect(cipherWithKey(key, aesAlgorithmIds.derive, Buffer.alloc(0))).toEqual({ ok: false, statusWord: 0x6700 });
    expect(cipherWithKey(other, aesAlgorithmIds.cmac, Buffer.alloc(8))).toEqual({ ok: false, statusWord: 0x6985 });
    expect(cipherWithKey(key, 0x12, Buffer.alloc(16))).toEqual({ ok: false, statusWord: 0x6a86 });
  });
});

function dkekOf(...shares: readonly Uint8Array[]): Buffer {
  return shares.reduce<Buffer>((dkek, share) => valueOf(addDkekShare(dkek, share)), emptyDkek());
}

describe('the DKEK', () => {
  it('comes of its shares in any order', () => {
    const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)];
    expect(dkekOf(first, second, third).equals(dkekOf(third, first, second))).toBe(true);
    expect(dkekOf(first, first).equals(emptyDkek())).toBe(true);
    expect(addDkekShare(emptyDkek(), Buffer.alloc(31))).toEqual({ ok: false, statusWord: 0x6700 });
  });

  it('is known by the first 8 bytes of its SHA-256', () => {
    // SHA-256 of 32 zeros, as sha256sum prints it.
    const zeros = execFileSync('sha256sum', { input: Buffer.alloc(32), encoding: 'utf8' });
    expect(dkekKeyCheckValue(emptyDkek()).toString('hex')).toBe(zeros.slice(0, 16));
  });
});

const keyCases: readonly (readonly [string, () => Promise<CardKey>])[] = [
  ...([2048, 3072, 4096] as const).map((bits) => [`RSA-${bits}`, () => generateRsaKey(bits)] as const),
  ...curveNames.map((curve) => [curve, () => generateEcKey(curve)] as const),
  ...aesKeySizes.map((bits) => [`AES-${bits}`, () => generateAesKey(bits)] as const),
];

/** Opens a blob with OpenSSL alone: what is in it, field by field. */
function openBlob(dkek: Buffer, blob: Buffer): { readonly head: Buffer; readonly plain: Buffer } {
  const keys = [1, 2].map((counter) =>
    createHash('sha256')
      .update(dkek)
      .update(Buffer.of(0, 0, 0, counter))
      .digest(),
  );
  const [encryption, authentication] = keys;
  if (encryption === undefined || authentication === undefined) throw new Error('No keys.');
  const signed = blob.subarray(0, -16);
  expect(openSslCmac(authentication, signed)).toBe(blob.subarray(-16).toString('hex'));
  let offset = 9;
  for (let field = 0; field < 4; field++) offset += 2 + blob.readUInt16BE(offset);
  const cipher = createDecipheriv('aes-256-cbc', encryption, Buffer.alloc(16));
  cipher.setAutoPadding(false);
  return {
    head: blob.subarray(0, offset),
    plain: Buffer.concat([cipher.update(signed.subarray(offset)), cipher.final()]),
  };
}

describe('key blobs', () => {
  const dkek = dkekOf(randomBytes(32), randomBytes(32));

  it.each(keyCases)('of %s unwrap under the same DKEK and under no other', async (_name, generate) => {
    const key = await generate();
    const allowed = Buffer.of(0x10, 0x11);
    const blob = wrapKey(dkek, key, allowed);
    const { key: unwrapped, allowedAlgorithms } = valueOf(unwrapKey(dkek, blob));
    if (key.kind === 'rsa' && unwrapped.kind === 'rsa') {
      // Which prime comes first does not survive a blob without primes.
      expect([unwrapped.primeP, unwrapped.primeQ].sort()).toEqual([key.primeP, key.primeQ].sort());
      expect(unwrapped.modulus).toBe(key.modulus);
    } else {
      expect(unwrapped).toEqual(key);
    }
    expect(allowedAlgorithms.equals(allowed)).toBe(true);
    expect(unwrapKey(randomBytes(32), blob)).toEqual({ ok: false, statusWord: 0x6a80 });
    expect(wrapKey(dkek, key, allowed).equals(blob)).toBe(false);
  });

  it('are what the format says, read with OpenSSL', async () => {
    const aes: AesCardKey = await generateAesKey(192);
    const { head, plain } = openBlob(dkek, wrapKey(dkek, aes, Buffer.of(0x10, 0x11, 0x18, 0x99)));
    expect(head.toString('hex')).toBe(
      `${dkekKeyCheckValue(dkek).toString('hex')}0f0008608648016503040100041011189900000000`,
    );
    expect(plain.subarray(8).toString('hex')).toBe(`0018${aes.value}80${'00'.repeat(plain.length - 8 - 2 - 24 - 1)}`);
    expect(plain.length % 16).toBe(0);
  });

  it('of RSA-2048 hold what a Chinese remainder takes, in the order of the format', async () => {
    const key = await generateRsaKey(2048);
    const blob = wrapKey(dkek, key);
    const { head, plain } = openBlob(dkek, blob);
    expect(head[8]).toBe(6);
    expect(head.subarray(9).toString('hex')).toBe('000a04007f00070202020102000000000000');
    let offset = 10;
    const fields: string[] = [];
    for (let field = 0; field < 7; field++) {
      const length = plain.readUInt16BE(offset);
      fields.push(plain.subarray(offset + 2, offset + 2 + length).toString('hex'));
      offset += 2 + length;
    }
    expect(plain.readUInt16BE(8)).toBe(2048);
    expect(fields).toEqual([
      ...[key.exponentP, key.exponentQ, key.primeP, key.coefficient, key.primeQ, key.modulus, key.publicExponent],
    ]);
    expect(plain[offset]).toBe(0x80);
  });

  it('of P-521 name a field of 528 bits', async () => {
    const key = await generateEcKey('secp521r1');
    const { head, plain } = openBlob(dkek, wrapKey(dkek, key));
    expect(head[8]).toBe(12);
    expect(plain.readUInt16BE(8)).toBe(528);
    expect(plain.includes(domainParameters('secp521r1').coefficientB)).toBe(true);
  });

  it('are refused with any byte changed', async () => {
    const blob = wrapKey(dkek, await generateEcKey('prime256v1'));
    for (const at of [0, 8, 9, 22, 27, 60, blob.length - 17, blob.length - 1]) {
      const changed = Buffer.from(blob);
      changed[at] = (changed[at] ?? 0) ^ 0x20;
      expect(unwrapKey(dkek, changed)).toEqual({ ok: false, statusWord: 0x6a80 });
    }
  });

  it('are refused cut short', async () => {
    const blob = wrapKey(dkek, await generateAesKey(256));
    for (let length = 0; length < blob.length; length++) {
      const answer = unwrapKey(dkek, blob.subarray(0, length));
      expect(answer.ok).toBe(false);
    }
  });

  it('are refused with a right MAC over something that is no key', () => {
    const keys = [1, 2].map((counter) =>
      createHash('sha256')
        .update(dkek)
        .update(Buffer.of(0, 0, 0, counter))
        .digest(),
    );
    const [encryption, authentication] = keys;
    if (encryption === undefined || authentication === undefined) throw new Error('No keys.');
    const forge = (type: number, plain: string, fields = '0000000000000000'): Buffer => {
      const cipher = createCipheriv('aes-256-cbc', encryption, Buffer.alloc(16));
      cipher.setAutoPadding(false);
      const encrypted = Buffer.concat([cipher.update(Buffer.from(plain, 'hex')), cipher.final()]);
      const head = Buffer.concat([dkekKeyCheckValue(dkek), Buffer.of(type), Buffer.from(fields, 'hex')]);
      const signed = Buffer.concat([head, encrypted]);
      return Buffer.concat([signed, Buffer.from(openSslCmac(authentication, signed), 'hex')]);
    };
    const random = '1122334455667788';
    const cases = [
      forge(15, `${random}0010${'aa'.repeat(16)}800000000000`.padEnd(64, '0')),
      forge(15, `${random}0011${'aa'.repeat(17)}80`.padEnd(64, '0')),
      forge(15, 'ff'.repeat(32)),
      forge(12, `${random}01000001aa80`.padEnd(32, '0')),
      forge(5, `${random}080000010380`.padEnd(32, '0')),
      forge(6, `${random}08000001038000`.padEnd(32, '0')),
      forge(7, `${random}080080`.padEnd(32, '0')),
      forge(15, `${random}0010${'aa'.repeat(16)}80`.padEnd(64, '0'), '00000000ffff'),
    ];
    const [good, ...bad] = cases.map((blob) => unwrapKey(dkek, blob));
    expect(good).toMatchObject({ ok: true, value: { key: { kind: 'aes', bits: 128 } } });
    for (const answer of bad) expect(answer).toEqual({ ok: false, statusWord: 0x6a80 });
  });
});
