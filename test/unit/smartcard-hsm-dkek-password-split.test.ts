import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  combinePieces,
  decodePiece,
  encodePiece,
  pieceTextLength,
  splitNewPassword,
  wipePiece,
  type PasswordPiece,
} from '../../native/smartcard-hsm/dkek/password-split.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'));
const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

function withValue(piece: PasswordPiece, change: Partial<PasswordPiece>): PasswordPiece {
  return { ...piece, ...change };
}

const thresholds = fc
  .integer({ min: 3, max: 20 })
  .chain((total) => fc.tuple(fc.integer({ min: 2, max: total }), fc.constant(total)));

describe('a split password', () => {
  it('comes back from any pieces that are as many as the threshold or more, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(thresholds, fc.infiniteStream(fc.nat()), async ([threshold, total], order) => {
        const { password, pieces } = await splitNewPassword(threshold, total);
        const draws = order[Symbol.iterator]();
        const draw = (below: number): number => Number(draws.next().value ?? 0) % below;
        const rest = [...pieces];
        const count = threshold + draw(total - threshold + 1);
        const chosen = Array.from({ length: count }, () => rest.splice(draw(rest.length), 1)).flat();
        const combined = await combinePieces(chosen);
        expect(combined).toEqual({ ok: true, value: password });
      }),
      { numRuns: 40 },
    );
  });

  it('does not come back from fewer', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 3, max: 9 })
          .chain((total) => fc.tuple(fc.integer({ min: 3, max: total }), fc.constant(total))),
        async ([threshold, total]) => {
          const { password, pieces } = await splitNewPassword(threshold, total);
          const combined = await combinePieces(pieces.slice(0, threshold - 1));
          expect(combined).not.toEqual({ ok: true, value: password });
        },
      ),
      { numRuns: 40 },
    );
  });

  it('is 63 bits that begin with no zero byte, and each piece is below a 64-bit prime', async () => {
    for (let round = 0; round < 50; round++) {
      const { password, pieces } = await splitNewPassword(2, 3);
      expect(password).toHaveLength(8);
      expect(password[0]).toBeGreaterThan(0);
      expect(password[0]).toBeLessThan(0x80);
      for (const piece of pieces) {
        expect(piece.prime[0]).toBeGreaterThanOrEqual(0x80);
        expect(Buffer.compare(piece.value, piece.prime)).toBeLessThan(0);
      }
    }
  });

  it('that has 255 pieces of which all are needed comes back too', async () => {
    const { password, pieces } = await splitNewPassword(255, 255);
    expect(await combinePieces(pieces)).toEqual({ ok: true, value: password });
  });

  it('of sc-hsm-tool that begins with a zero byte keeps it: with that byte the share was encrypted', async () => {
    const { pieces } = await splitNewPassword(2, 3);
    const value = bytes('00112233445566aa');
    // The polynomial that is the same everywhere, as a coefficient of zero makes it.
    const same = pieces.map((piece) => withValue(piece, { value }));
    expect(await combinePieces(same)).toEqual({ ok: true, value });
  });

  it.each([
    [1, 3],
    [4, 3],
    [2, 2],
    [2, 256],
    [2.5, 3],
  ])('is not made as %d of %d', async (threshold, total) => {
    await expect(splitNewPassword(threshold, total)).rejects.toThrow(RangeError);
  });
});

describe('pieces that do not belong together', () => {
  let pieces: readonly PasswordPiece[];
  let others: readonly PasswordPiece[];

  beforeAll(async () => {
    ({ pieces } = await splitNewPassword(2, 3));
    ({ pieces: others } = await splitNewPassword(2, 3));
  });

  const refused = { ok: false, error: { code: 'Device_SharePieceInvalid' } };

  it('are refused', async () => {
    const [one, two] = pieces;
    const [, foreign] = others;
    if (one === undefined || two === undefined || foreign === undefined) throw new Error('There are no pieces.');
    const compositePrime = Uint8Array.from(one.prime);
    compositePrime[7] = 0xfe;
    const shortPrime = bytes('000000000000000d');
    const cases: readonly (readonly PasswordPiece[])[] = [
      [],
      [one],
      [one, one],
      [one, foreign],
      [one, withValue(two, { number: 0 })],
      [one, withValue(two, { number: 256 })],
      [one, withValue(two, { number: 1.5 })],
      [one, withValue(two, { value: bytes('ffffffffffffffff') })],
      [one, withValue(two, { value: two.value.subarray(1) })],
      [withValue(one, { prime: compositePrime }), withValue(two, { prime: compositePrime })],
      [
        { number: 1, prime: shortPrime, value: bytes('0000000000000001') },
        { number: 2, prime: shortPrime, value: bytes('0000000000000002') },
      ],
    ];
    for (const some of cases) expect(await combinePieces(some)).toMatchObject(refused);
  });

  it('and give more than 63 bits are refused', async () => {
    const [one, two] = pieces;
    if (one === undefined || two === undefined) throw new Error('There are no pieces.');
    // A constant polynomial just below the prime.
    const value = Uint8Array.from(one.prime);
    value[7] = (value[7] ?? 0) - 1;
    expect(await combinePieces([withValue(one, { value }), withValue(two, { value })])).toMatchObject(refused);
  });

  it('never stand in the error', async () => {
    const [one] = pieces;
    if (one === undefined) throw new Error('There are no pieces.');
    const error = JSON.stringify([await combinePieces([one, one]), decodePiece(ascii(`${hex(one.value)}zz`))]);
    expect(error).not.toContain(hex(one.value).slice(0, 6));
  });
});

describe('the text of a piece', () => {
  const piece: PasswordPiece = {
    number: 10,
    prime: bytes('c30a000000000001'),
    value: bytes('00000a0b0c0d0e0f'),
  };

  it('is one line of 34 digits', () => {
    expect(Buffer.from(encodePiece(piece)).toString()).toBe('0ac30a00000000000100000a0b0c0d0e0f');
    expect(encodePiece(piece)).toHaveLength(pieceTextLength);
  });

  it.each([
    '0ac30a00000000000100000a0b0c0d0e0f',
    '0AC30A00000000000100000A0B0C0D0E0F',
    '0ac3 0a00 0000 0000 0100 000a 0b0c 0d0e 0f\r\n',
    '0ac30a00-00000000-0100000a-0b0c0d0e-0f',
    // As sc-hsm-tool prints prime and value, leading zero bytes left out; the number in hexadecimal.
    'a c3:0a:00:00:00:00:00:01 0a:0b:0c:0d:0e:0f',
    '0a\nc3:0a:00:00:00:00:00:01\n0a:0b:0c:0d:0e:0f\n',
  ])('is read from %j', (text) => {
    expect(decodePiece(ascii(text))).toEqual({ ok: true, value: piece });
  });

  it.each([
    '',
    '0a',
    '0ac30a00000000000100000a0b0c0d0e',
    '0ac30a00000000000100000a0b0c0d0e0f0',
    '00c30a00000000000100000a0b0c0d0e0f',
    '0ac30a00000000000100000a0b0c0d0e0g',
    '100 c3:0a:00:00:00:00:00:01 0a',
    'a c3:0a:00:00:00:00:00:01:02 0a',
    'a c3:0a:00:00:00:00:00:01',
    'é c3 01',
  ])('is not read from %j', (text) => {
    expect(decodePiece(ascii(text))).toMatchObject({ ok: false, error: { code: 'Device_SharePieceInvalid' } });
  });

  it('comes back as it was', () => {
    const eight = fc.uint8Array({ minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 255 }), eight, eight, (number, prime, value) => {
        const any = { number, prime: Uint8Array.from(prime), value: Uint8Array.from(value) };
        expect(decodePiece(encodePiece(any))).toEqual({ ok: true, value: any });
      }),
    );
  });

  it('is gone once it is wiped', () => {
    const some = { number: 1, prime: bytes('c30a000000000001'), value: bytes('0102030405060708') };
    wipePiece(some);
    expect([...some.prime, ...some.value].every((byte) => byte === 0)).toBe(true);
  });
});
