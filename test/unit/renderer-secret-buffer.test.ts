import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { equalInConstantTime, SecretBuffer, secretCapacity } from '../../renderer/prompt/secret-buffer.ts';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe('the buffer behind a prompt', () => {
  it('holds what was typed as UTF-8 and counts characters, not bytes', () => {
    const buffer = new SecretBuffer();
    for (const key of ['p', 'ä', '€', '𝄞']) expect(buffer.append(key)).toBe(true);
    expect(buffer.characters).toBe(4);
    expect(buffer.byteLength).toBe(1 + 2 + 3 + 4);
    expect(text(buffer.peek())).toBe('pä€𝄞');
  });

  it('takes whole characters away on backspace, and leaves no byte behind', () => {
    const buffer = new SecretBuffer();
    buffer.append('a');
    buffer.append('𝄞');
    buffer.removeLast();
    expect(text(buffer.peek())).toBe('a');
    buffer.removeLast();
    buffer.removeLast();
    expect(buffer.characters).toBe(0);
  });

  it('wipes itself when its bytes are taken', () => {
    const buffer = new SecretBuffer();
    buffer.append('1');
    const view = buffer.peek();
    const taken = buffer.take();
    expect(text(taken)).toBe('1');
    expect([...view]).toEqual([0]);
    expect(buffer.byteLength).toBe(0);
  });

  it('refuses what does not fit and keeps what was there', () => {
    const buffer = new SecretBuffer();
    for (let index = 0; index < secretCapacity - 1; index += 1) buffer.append('x');
    expect(buffer.append('€')).toBe(false);
    expect(buffer.byteLength).toBe(secretCapacity - 1);
    expect(buffer.append('y')).toBe(true);
    expect(buffer.append('z')).toBe(false);
  });

  it('is the text that was typed, for any keys and backspaces', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }), fc.constant('Backspace')), {
          maxLength: 20,
        }),
        (keys) => {
          const buffer = new SecretBuffer();
          const model: string[] = [];
          for (const key of keys) {
            if (key === 'Backspace') {
              buffer.removeLast();
              model.pop();
            } else {
              buffer.append(key);
              model.push(...Array.from(key));
            }
          }
          expect(text(buffer.peek())).toBe(model.join(''));
          expect(buffer.characters).toBe(model.length);
        },
      ),
    );
  });

  it('compares in constant time with the right answer', () => {
    const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
    expect(equalInConstantTime(bytes('abcd'), bytes('abcd'))).toBe(true);
    expect(equalInConstantTime(bytes('abcd'), bytes('abce'))).toBe(false);
    expect(equalInConstantTime(bytes('abcd'), bytes('abc'))).toBe(false);
    expect(equalInConstantTime(bytes('abc\0'), bytes('abc'))).toBe(false);
  });
});
