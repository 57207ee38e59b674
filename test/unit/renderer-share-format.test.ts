import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { firstDifferentGroup, recogniseShare, toLowerHex } from '../../renderer/prompt/share-format.ts';

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const hexShare = 'ab12'.repeat(16) + '0f';

describe('the written forms of a key share', () => {
  it('knows hex of both lengths, in either case', () => {
    expect(recogniseShare(bytes(hexShare))).toBe('hex');
    expect(recogniseShare(bytes(hexShare.toUpperCase()))).toBe('hex');
    expect(recogniseShare(bytes(hexShare.slice(0, 64)))).toBe('hex');
  });

  it('says what is not a share yet, and what cannot become one', () => {
    expect(recogniseShare(bytes(''))).toBe('empty');
    expect(recogniseShare(bytes('ab'))).toBe('incomplete');
    expect(recogniseShare(bytes(hexShare.slice(0, 65)))).toBe('incomplete');
    expect(recogniseShare(bytes(hexShare + '0'))).toBe('too-long');
    expect(recogniseShare(bytes('ab1z!'))).toBe('wrong-character');
    expect(recogniseShare(bytes('g'.repeat(66)))).toBe('wrong-character');
  });

  it('turns both forms of the same share into the same lower-case hex', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(32, 33).chain((length) => fc.uint8Array({ minLength: length, maxLength: length })),
        (raw) => {
          const hex = Buffer.from(raw).toString('hex');
          const base64 = bytes(Buffer.from(raw).toString('base64'));
          expect(recogniseShare(base64)).toBe('base64');
          expect(Buffer.from(toLowerHex(base64, 'base64')).toString()).toBe(hex);
          expect(Buffer.from(toLowerHex(bytes(hex.toUpperCase()), 'hex')).toString()).toBe(hex);
        },
      ),
    );
  });

  it('names the first group of four that differs', () => {
    expect(firstDifferentGroup(bytes(hexShare), bytes(hexShare))).toBe(0);
    expect(firstDifferentGroup(bytes(hexShare), bytes('ab13' + hexShare.slice(4)))).toBe(1);
    expect(firstDifferentGroup(bytes(hexShare), bytes(hexShare.slice(0, 64) + '00'))).toBe(17);
    expect(firstDifferentGroup(bytes(hexShare), bytes(hexShare.slice(0, 64)))).toBe(17);
  });
});
