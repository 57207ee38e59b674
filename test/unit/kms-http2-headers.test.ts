/** HPACK as the KMS provider reads and writes it: RFC 7541's own examples, and what no reader may take. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHeaderDecoder, encodeHeaders } from '../../k8s-bridge/kms-provider/http2/header-fields.ts';
import { decodeHuffman } from '../../k8s-bridge/kms-provider/http2/huffman.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const pairs = (fields: readonly { readonly name: string; readonly value: string }[] | undefined) =>
  fields?.map(({ name, value }) => [name, value]);

const requests = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];

describe('reads header blocks', () => {
  it.each([
    [
      'C.3, plain',
      [
        '8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d',
        '8286 84be 5808 6e6f 2d63 6163 6865',
        '8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65',
      ],
    ],
    [
      'C.4, in the Huffman code',
      [
        '8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff',
        '8286 84be 5886 a8eb 1064 9cbf',
        '8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf',
      ],
    ],
  ])('RFC 7541, %s', (_, blocks) => {
    const decoder = createHeaderDecoder();
    expect(blocks.map((block) => pairs(decoder.decode(bytes(block))))).toEqual(requests);
  });

  it('forgets what does not fit its table any more, and all of it where the sender says so', () => {
    const decoder = createHeaderDecoder();
    const literal = (name: string, value: string): Buffer =>
      Buffer.concat([
        Buffer.from([0x40, name.length]),
        Buffer.from(name),
        Buffer.from([value.length]),
        Buffer.from(value),
      ]);
    // 34 entries of 120 bytes and their 32 pass 4096 bytes: the first ones are gone.
    for (let index = 0; index < 34; index += 1)
      decoder.decode(literal(`name-${String(index).padStart(2, '0')}`, 'v'.repeat(113)));
    expect(pairs(decoder.decode(bytes('be')))).toEqual([['name-33', 'v'.repeat(113)]]);
    expect(pairs(decoder.decode(Buffer.from([0x80 | (61 + 26)])))?.[0]?.[0]).toBe('name-08');
    expect(createHeaderDecoder().decode(bytes('be'))).toBeUndefined();
    expect(decoder.decode(Buffer.from([0x80 | (61 + 27)]))).toBeUndefined();
    expect(decoder.decode(bytes('20 82'))).toHaveLength(1);
    expect(decoder.decode(bytes('be'))).toBeUndefined();
  });

  it.each([
    ['index 0', '80'],
    ['an index that nothing has', 'ff80 01'],
    ['a name by an index that nothing has', '7f ff 01 01 61'],
    ['a number without end', `ff${'80'.repeat(64)}`],
    ['a number that is cut off', 'ff'],
    ['a text that is cut off', '400a 6375'],
    ['a text without a value', '4001 61'],
    ['a table larger than was offered', '3fe2 1f'],
    ['a new size of the table behind a field', '82 20'],
    ['a Huffman text that holds its own end', '4001 61 84 ffff ffff'],
    ['a Huffman text whose padding is no ones', '4001 61 81 00'],
    ['a Huffman text padded by a whole byte', '4001 61 82 1f ff'],
  ])('refuses %s', (_, hex) => {
    expect(createHeaderDecoder().decode(bytes(hex))).toBeUndefined();
  });

  it('refuses a small block that stands for many large fields', () => {
    const decoder = createHeaderDecoder();
    const value = Buffer.alloc(3000, 'v');
    const large = Buffer.concat([bytes('4001 61 7f b9 16'), value]);
    expect(decoder.decode(large)).toHaveLength(1);
    expect(decoder.decode(Buffer.alloc(5, 0xbe))).toHaveLength(5);
    expect(decoder.decode(Buffer.alloc(6, 0xbe))).toBeUndefined();
  });

  // What no header may hold is in no header of nghttp2's (test/unit/kms-http2-connection.test.ts has the rest).
  it.each([
    [0, 'ff c7'],
    [1, 'ff ff b1'],
    [2, 'ff ff fe 2f'],
    [9, 'ff ff ea'],
    [10, 'ff ff ff f3'],
    [13, 'ff ff ff f7'],
    [22, 'ff ff ff fb'],
    [31, 'ff ff ff bf'],
    [127, 'ff ff ff cf'],
  ])('reads the Huffman code of symbol %i', (symbol, code) => {
    expect(decodeHuffman(bytes(code))).toBe(String.fromCharCode(symbol));
  });
});

describe('writes header blocks', () => {
  it.each([
    { ':status': '200', 'content-type': 'application/grpc' },
    { 'grpc-status': '0' },
    { ':status': '200', 'grpc-status': '14', 'grpc-message': 'x'.repeat(4096) },
    { ':status': '415' },
  ])('%j is read as it was written', (fields) => {
    expect(pairs(createHeaderDecoder().decode(encodeHeaders(fields)))).toEqual(Object.entries(fields));
  });
});

describe('whatever comes', () => {
  it('reads any bytes as fields or as nothing, and keeps its table within bounds', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 10 }), (blocks) => {
        const decoder = createHeaderDecoder();
        for (const block of blocks) {
          const fields = decoder.decode(Buffer.from(block));
          const size = (fields ?? []).reduce((sum, { name, value }) => sum + name.length + value.length + 32, 0);
          expect(size).toBeLessThanOrEqual(16 * 1024);
        }
      }),
    );
  });

  it('reads what it wrote', () => {
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z][a-z-]*$/u), value), (fields) => {
        expect(pairs(createHeaderDecoder().decode(encodeHeaders(fields)))).toEqual(Object.entries(fields));
      }),
    );
  });
});
