/** HTTP/1.1 replies as the KMS provider reads Vault's: in whatever pieces they come, strictly, and wiped after. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createReplyReader, type Reading } from '../../k8s-bridge/kms-provider/http1/reply-reader.ts';

const longest = 4096;
const lines = (...parts: readonly string[]): string => parts.join('\r\n');
const json = '{"data":"ä"}';

/** Reads it cut at those places; then the server closes. */
function readCut(reply: string, cuts: readonly number[] = []): Reading {
  const bytes = Buffer.from(reply);
  const reader = createReplyReader(longest);
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].toSorted((one, other) => one - other);
  for (const [index, start] of [0, ...places].entries()) {
    const reading = reader.read(Buffer.from(bytes.subarray(start, places[index] ?? bytes.length)));
    if (reading.state !== 'more') return reading;
  }
  return reader.end();
}
const whole = (status: number, text: string, keepsConnection = true): Reading => ({
  state: 'whole',
  reply: { status, text, keepsConnection },
});

const replies: readonly (readonly [string, string, Reading])[] = [
  [
    'with its length, as Vault answers',
    lines('HTTP/1.1 200 OK', 'Cache-Control: no-store', 'Content-Length: 13', '', json),
    whole(200, json),
  ],
  ['without a body', lines('HTTP/1.1 204 No Content', 'Cache-Control: no-store', '', ''), whole(204, '')],
  ['without words for its status', lines('HTTP/1.1 503', 'content-length:0', '', ''), whole(503, '')],
  [
    'in chunks, with an extension and trailers',
    lines(
      'HTTP/1.1 200 OK',
      'transfer-encoding: Chunked',
      '',
      '5;x=y',
      '{"dat',
      'A ',
      'a":"1234"}',
      '0',
      'x: y',
      '',
      '',
    ),
    whole(200, '{"data":"1234"}'),
  ],
  [
    'in chunks, one of them empty of words',
    lines('HTTP/1.1 403 Forbidden', 'Transfer-Encoding: chunked', '', '0', '', ''),
    whole(403, ''),
  ],
  [
    'that closes',
    lines('HTTP/1.1 200 OK', 'connection: x, Close', 'content-length: 2', '', '{}'),
    whole(200, '{}', false),
  ],
  ['of HTTP/1.0', lines('HTTP/1.0 200 OK', 'content-length: 2', '', '{}'), whole(200, '{}', false)],
  [
    'to the end of the connection',
    lines('HTTP/1.0 503 no', 'content-type: text/html', '', '<p>'),
    whole(503, '<p>', false),
  ],
  [
    'after interim ones',
    lines(
      'HTTP/1.1 100 Continue',
      '',
      'HTTP/1.1 103 Early Hints',
      'link: x',
      '',
      'HTTP/1.1 200 OK',
      'content-length: 2',
      '',
      '{}',
    ),
    whole(200, '{}'),
  ],
  [
    'with its length twice',
    lines('HTTP/1.1 200 OK', 'content-length: 2', 'content-length: 2', '', '{}'),
    whole(200, '{}'),
  ],
];

describe('a reply', () => {
  it.each(replies)('%s', (_, reply, expected) => {
    expect(readCut(reply)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), (cuts) => {
        expect(readCut(reply, cuts)).toEqual(expected);
      }),
    );
    expect(readCut(reply, [...Buffer.from(reply).keys()])).toEqual(expected);
  });

  it.each([
    ['other words', 'SSH-2.0-OpenSSH_9.2\r\n\r\n'],
    ['another version', lines('HTTP/2.0 200 OK', 'content-length: 0', '', '')],
    ['no status', lines('HTTP/1.1 20 OK', 'content-length: 0', '', '')],
    ['another protocol', lines('HTTP/1.1 101 Switching Protocols', 'upgrade: x', '', '')],
    ['a folded line', lines('HTTP/1.1 200 OK', 'x: y', ' z', 'content-length: 0', '', '')],
    ['a space before the colon', lines('HTTP/1.1 200 OK', 'content-length : 0', '', '')],
    ['a control character', lines('HTTP/1.1 200 OK', 'x: \u0001', 'content-length: 0', '', '')],
    ['a line end without its first half', lines('HTTP/1.1 200 OK', 'x: y\nz: a', 'content-length: 0', '', '')],
    ['two lengths', lines('HTTP/1.1 200 OK', 'content-length: 2', 'content-length: 3', '', '{}')],
    ['a length that is no number', lines('HTTP/1.1 200 OK', 'content-length: +2', '', '{}')],
    ['a length below nothing', lines('HTTP/1.1 200 OK', 'content-length: -2', '', '{}')],
    [
      'a length beside chunks',
      lines('HTTP/1.1 200 OK', 'content-length: 5', 'transfer-encoding: chunked', '', '0', '', ''),
    ],
    ['another coding', lines('HTTP/1.1 200 OK', 'transfer-encoding: gzip, chunked', '', '0', '', '')],
    ['a chunk without a size', lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', '', '')],
    [
      'a chunk of a size that is no number',
      lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', '0x2', '{}', ''),
    ],
    [
      'a chunk that is longer than it says',
      lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', '1', '{}', '0', '', ''),
    ],
  ])('that is none: %s', (_, reply) => {
    expect(readCut(reply)).toEqual({ state: 'broken', reason: 'its reply is no HTTP' });
  });

  it.each([
    ['its length', lines('HTTP/1.1 200 OK', `content-length: ${longest + 1}`, '', '')],
    ['its head', lines('HTTP/1.1 200 OK', `x: ${'y'.repeat(longest)}`)],
    ['its chunks', lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', 'fffffff', 'x'.repeat(longest))],
    ['all of it, to the end', lines('HTTP/1.0 200 OK', '', 'x'.repeat(longest))],
    [
      'the lines between its chunks',
      lines('HTTP/1.1 200 OK', 'transfer-encoding: chunked', '', `1;${'x'.repeat(longest)}`),
    ],
  ])('that is too long: %s', (_, reply) => {
    expect(readCut(reply, [100, 1000, 2000])).toEqual({ state: 'broken', reason: 'its reply is too long' });
  });

  it('that ends before its end is none', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...replies.filter(([, , { state }]) => state === 'whole').map(([, reply]) => reply)),
        fc.nat(),
        (reply, length) => {
          const short = Buffer.from(reply)
            .subarray(0, length % Buffer.byteLength(reply))
            .toString();
          const reading = readCut(short, [length % 7]);
          // What goes to the connection's end cannot say that it was cut.
          if (!short.includes('\r\n\r\n<'))
            expect(reading.state === 'whole' && reading.reply.keepsConnection).toBe(false);
        },
      ),
    );
  });

  it('leaves nothing behind it for the next', () => {
    const twice = lines('HTTP/1.1 200 OK', 'content-length: 2', '', '{}').repeat(2);
    expect(readCut(twice)).toEqual(whole(200, '{}', false));
    const reader = createReplyReader(longest);
    for (const [, reply, expected] of replies.slice(0, 4)) expect(reader.read(Buffer.from(reply))).toEqual(expected);
  });

  it('is wiped, whole or cut, good or broken', () => {
    const secret = 'c2VjcmV0LXNlZWQ=';
    const reply = lines('HTTP/1.1 200 OK', `content-length: ${secret.length}`, '', secret);
    const cases = [
      [reply],
      [reply.slice(0, -3), reply.slice(-3)],
      [`${secret}\r\n\r\n`],
      [reply.slice(0, -3), undefined],
    ];
    for (const pieces of cases) {
      const reader = createReplyReader(longest);
      const chunks = pieces.map((piece) => (piece === undefined ? undefined : Buffer.from(piece)));
      for (const chunk of chunks)
        if (chunk === undefined) reader.reset();
        else reader.read(chunk);
      for (const chunk of chunks) expect(chunk?.every((byte) => byte === 0) ?? true).toBe(true);
    }
  });

  it('is read in a time that grows with its length alone', () => {
    const blanks = ' '.repeat(200_000);
    const reply = lines('HTTP/1.1 200 OK', `x: y${blanks}z`, 'content-length: 2', '', '{}');
    expect(createReplyReader(256 * 1024).read(Buffer.from(reply))).toEqual(whole(200, '{}'));
    const reader = createReplyReader(256 * 1024);
    const last = Buffer.from(reply).map((byte, index, all) => {
      if (index < all.length - 1) expect(reader.read(Buffer.of(byte)).state).toBe('more');
      return byte;
    });
    expect(reader.read(Buffer.from(last.subarray(-1)))).toEqual(whole(200, '{}'));
  });

  it('never throws, whatever comes', () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
      fc.constantFrom(
        ...replies.map(([, reply]) => reply),
        'HTTP/1.1 200 OK\r\n',
        'transfer-encoding: chunked\r\n\r\n',
        'ffffff\r\n',
      ),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 6 }), (pieces) => {
        const reader = createReplyReader(longest);
        for (const piece of pieces) reader.read(Buffer.from(piece, 'latin1'));
        reader.end();
      }),
    );
  });
});
