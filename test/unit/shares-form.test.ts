import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readInitReply } from '../../electron/shares/init-reply.ts';
import { normalizeShare } from '../../electron/shares/share-form.ts';

const shareBytes = fc.oneof(
  fc.uint8Array({ minLength: 32, maxLength: 32 }),
  fc.uint8Array({ minLength: 33, maxLength: 33 }),
);

describe('the form of a share', () => {
  test('hex in any case and base64, with blanks around, become the same lower-case hex', () => {
    fc.assert(
      fc.property(shareBytes, fc.constantFrom('', ' ', '\n', '\r\n\t'), (bytes, blank) => {
        const hex = Buffer.from(bytes).toString('hex');
        for (const typed of [hex, hex.toUpperCase(), Buffer.from(bytes).toString('base64')])
          expect(normalizeShare(Buffer.from(`${blank}${typed}${blank}`))?.toString()).toBe(hex);
      }),
    );
  });

  test('anything else is no share', () => {
    for (const typed of [
      '',
      'ab'.repeat(31),
      'ab'.repeat(34),
      `${'ab'.repeat(31)}zz`,
      'A'.repeat(42),
      `${'A'.repeat(42)}==`,
      '-'.repeat(44),
    ])
      expect(normalizeShare(Buffer.from(typed)), typed).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        const share = normalizeShare(bytes);
        if (share !== undefined) expect(share.toString()).toMatch(/^([0-9a-f]{64}|[0-9a-f]{66})$/u);
      }),
    );
  });
});

describe('the reply to an initialisation', () => {
  test('is read whatever its order and blanks, and wiped', () => {
    fc.assert(
      fc.property(
        fc.array(shareBytes, { minLength: 1, maxLength: 7 }),
        fc.boolean(),
        fc.constantFrom(0, 2),
        (shares, rootFirst, indent) => {
          const keys = shares.map((bytes) => Buffer.from(bytes).toString('hex'));
          const root = { root_token: 'hvs.testtoken' };
          const rest = { keys, keys_base64: shares.map((bytes) => Buffer.from(bytes).toString('base64')) };
          const body = Buffer.from(
            JSON.stringify(rootFirst ? { ...root, ...rest } : { ...rest, ...root }, undefined, indent),
          );
          const reply = readInitReply(body, keys.length);
          expect(reply?.shares.map(String)).toEqual(keys);
          expect(reply?.rootToken.toString()).toBe('hvs.testtoken');
          expect(body.every((byte) => byte === 0)).toBe(true);
        },
      ),
    );
  });

  test('is refused where it is not what Vault answers', () => {
    const key = 'ab'.repeat(33);
    for (const body of [
      '',
      '{}',
      '[]',
      '{"keys":[',
      `{"keys":["${key}"]}`,
      `{"keys":["${key}","${key}"],"root_token":"x"}`,
      `{"keys":["${key}"],"root_token":"a\\u0041"}`,
      `{"keys":["zz"],"root_token":"x"}`,
      `{"keys":["${key}"],"root_token":5}`,
    ])
      expect(readInitReply(Buffer.from(body), 1), body).toBeUndefined();
  });
});
