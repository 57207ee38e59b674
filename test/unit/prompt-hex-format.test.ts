import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodePiece } from '../../native/smartcard-hsm/dkek/password-split.ts';
import { countHexDigits, makeSoPin, recognisePiece, recogniseSoPin } from '../../renderer/prompt/hex-format.ts';
import { toFormOf } from '../../renderer/prompt/share-format.ts';

const bytes = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);
const text = (value: Uint8Array): string => new TextDecoder().decode(value);

describe('an SO-PIN of 16 hexadecimal digits', () => {
  it.each([
    ['', 'empty'],
    ['0', 'incomplete'],
    ['0123456789abcde', 'incomplete'],
    ['0123456789abcdef', 'complete'],
    ['0123456789ABCDEF', 'complete'],
    ['0123456789abcdef0', 'too-long'],
    ['0123456789abcdeg', 'wrong-character'],
    ['g', 'wrong-character'],
    ['3537363231383830', 'factory'],
  ])('%j is %s', (typed, form) => {
    expect(recogniseSoPin(bytes(typed))).toBe(form);
  });

  it('is made new each time, whole and never the public one', () => {
    const made = Array.from({ length: 200 }, () => text(makeSoPin()));
    for (const digits of made) expect(digits).toMatch(/^[0-9a-f]{16}$/u);
    expect(new Set(made).size).toBe(made.length);
    // Every digit comes up somewhere in 3200 of them; a missing one would be a fault of the making.
    expect(new Set(made.join('')).size).toBe(16);
  });
});

describe('a piece of a DKEK share’s password', () => {
  it('is known in every form in which the token host takes it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        (number, prime, value) => {
          const written = encodePiece({ number, prime: Buffer.from(prime), value: Buffer.from(value) });
          expect(recognisePiece(written)).toBe('complete');
          expect(countHexDigits(written)).toBe(34);
          const inGroups = text(written).replaceAll(/.{4}/gu, '$& ');
          expect(recognisePiece(bytes(inGroups))).toBe('complete');
          expect(recognisePiece(written.subarray(0, 33))).not.toBe('complete');
        },
      ),
    );
  });

  it.each([
    ['', 'empty'],
    [' ', 'empty'],
    ['01', 'incomplete'],
    ['2 c3:0a:11:22:33:44:55:67 0f:22:33:44:55:66:77', 'complete'],
    ['a c30a112233445567 f223344556677', 'complete'],
    ['2 c3:0a:11:22:33:44:55:67', 'incomplete'],
    ['2 zz', 'wrong-character'],
    ['0'.repeat(35), 'too-long'],
  ])('%j is %s', (typed, form) => {
    expect(recognisePiece(bytes(typed))).toBe(form);
  });
});

describe('what is typed back', () => {
  it('takes hexadecimal digits in either case, and the same share in base64', () => {
    const share = 'ab12'.repeat(16) + '0f';
    expect(text(toFormOf(bytes(share), bytes(share.toUpperCase())))).toBe(share);
    const base64 = Buffer.from(share, 'hex').toString('base64');
    expect(text(toFormOf(bytes(share), bytes(base64)))).toBe(share);
    const piece = '0f'.repeat(17);
    expect(text(toFormOf(bytes(piece), bytes(piece.toUpperCase())))).toBe(piece);
  });

  it('leaves anything else as it is: a root token’s capitals count', () => {
    expect(text(toFormOf(bytes('hvs.AbCd'), bytes('hvs.abcd')))).toBe('hvs.abcd');
  });
});
