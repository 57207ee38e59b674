/** The KMS provider's HTTP/2 beside node:http2, which is nghttp2, and against clients that break its rules. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as connectHttp2, type ClientHttp2Session, type SessionOptions } from 'node:http2';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  serveConnection,
  type Connection,
  type Reply,
  type Request,
} from '../../k8s-bridge/kms-provider/http2/connection.ts';
import { errorCodes, frame, frameTypes, preface } from '../../k8s-bridge/kms-provider/http2/frames.ts';
import { encodeHeaders } from '../../k8s-bridge/kms-provider/http2/header-fields.ts';

const largestRequest = 100_000;
const mostStreams = 50;
const head = encodeHeaders({ ':status': '200', 'content-type': 'text/plain' });
const trailers = encodeHeaders({ 'it-is': 'over' });
const replyWith = (body: Buffer): Reply => ({ head, body, trailers });

interface Pending {
  readonly request: Request;
  readonly reply: (reply: Reply) => void;
}

let directory: string;
let server: Server;
let path: string;
let connections: Connection[];
let reasons: string[];
/** Requests for /wait, which are answered by the test. */
let pending: Pending[];
let clients: { destroy(): void }[];

beforeEach(async () => {
  [connections, reasons, pending, clients] = [[], [], [], []];
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-h2-'));
  path = join(directory, 'socket');
  server = createServer((socket) => {
    const onRequest = (request: Request, reply: (reply: Reply) => void): void => {
      const { headers, body } = request;
      if (headers.get(':path') === '/wait') pending.push({ request, reply });
      else if (headers.get(':path') === '/bare') reply({ head: encodeHeaders({ ':status': '415' }) });
      else if (headers.get(':path') === '/long') reply(replyWith(Buffer.alloc(200_000, 'l')));
      else
        reply(replyWith(Buffer.from(JSON.stringify({ length: body?.length ?? null, all: headers.get('all') ?? '' }))));
    };
    const onProtocolError = (reason: string): void => {
      reasons.push(reason);
    };
    connections.push(serveConnection(socket, { largestRequest, mostStreams, onRequest, onProtocolError }));
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  for (const connection of connections) connection.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(directory, { recursive: true });
});

function connectSession(options: SessionOptions = {}): ClientHttp2Session {
  const session = connectHttp2('http://localhost', { ...options, createConnection: () => connect(path) });
  session.on('error', () => undefined);
  clients.push(session);
  return session;
}

interface Told {
  readonly status: number | undefined;
  readonly body: string;
  readonly trailer: unknown;
  readonly error: string | undefined;
}

function ask(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string>>,
  body?: Buffer | string,
): Promise<Told> {
  return new Promise((resolve) => {
    const stream = session.request({ ':method': 'POST', ...headers });
    const parts: Buffer[] = [];
    let [status, trailer, error]: [number | undefined, unknown, string | undefined] = [undefined, undefined, undefined];
    stream.on('response', (got) => {
      status = got[':status'];
    });
    stream.on('trailers', (got: Readonly<Record<string, unknown>>) => {
      trailer = got['it-is'];
    });
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', (cause: Error & { code?: string }) => {
      error = cause.message;
    });
    stream.on('close', () => resolve({ status, body: Buffer.concat(parts).toString('latin1'), trailer, error }));
    stream.end(body);
  });
}

describe('with nghttp2 at the other end', () => {
  it('reads every character that a header may have, and answers with trailers', async () => {
    const session = connectSession();
    const every = Array.from({ length: 256 }, (_, code) => code).filter((code) => code >= 0x20 && code !== 0x7f);
    // Long enough in small codes that the whole is sent in the Huffman code.
    const values = every.map((code) => `${'a'.repeat(40)}${String.fromCharCode(code)}${'e'.repeat(40)}`);
    for (const value of values) {
      const told = await ask(session, { ':path': '/', all: value });
      expect([told.status, told.trailer]).toEqual([200, 'over']);
      expect(JSON.parse(Buffer.from(told.body, 'latin1').toString('utf8'))).toEqual({ length: 0, all: value });
    }
    expect(await ask(session, { ':path': '/bare' })).toEqual({
      status: 415,
      body: '',
      trailer: undefined,
      error: undefined,
    });
    expect(reasons).toEqual([]);
  });

  it('answers 500 requests at once, in more than one turn where they are too many', async () => {
    const session = connectSession();
    await ask(session, { ':path': '/' });
    const told = await Promise.all(
      Array.from({ length: 500 }, (_, index) => ask(session, { ':path': '/' }, Buffer.alloc(index, 'b'))),
    );
    expect(told.map(({ body }) => (JSON.parse(body) as { length: number }).length)).toEqual(
      told.map((_, index) => index),
    );
  });

  it.each([0, 1, 10, 65_535, 1_000_000])('sends a long answer through a window of %i bytes', async (window) => {
    const session = connectSession({ settings: { initialWindowSize: window } });
    const asked = ask(session, { ':path': '/long' });
    if (window === 0) {
      await ask(session, { ':path': '/bare' });
      session.settings({ initialWindowSize: 70_000 });
    }
    const { body, trailer } = await asked;
    expect([body.length, trailer]).toEqual([200_000, 'over']);
    // The connection's window is open again for what comes next.
    expect((await ask(session, { ':path': '/long' })).body.length).toBe(200_000);
  });

  it('reads bodies up to what is allowed, many times what one window holds', async () => {
    const session = connectSession();
    for (const length of [largestRequest - 1, largestRequest, largestRequest, largestRequest])
      expect(JSON.parse((await ask(session, { ':path': '/' }, Buffer.alloc(length))).body)).toMatchObject({ length });
    expect(JSON.parse((await ask(session, { ':path': '/' }, Buffer.alloc(largestRequest + 1))).body)).toMatchObject({
      length: null,
    });
    // It goes on after one that was refused while it was being sent.
    expect(JSON.parse((await ask(session, { ':path': '/' }, Buffer.alloc(3_000_000))).body)).toMatchObject({
      length: null,
    });
    expect(JSON.parse((await ask(session, { ':path': '/' }, 'four')).body)).toMatchObject({ length: 4 });
  });

  it('leaves the table of one who has none empty', async () => {
    const session = connectSession({ settings: { headerTableSize: 0 } });
    for (let call = 0; call < 3; call += 1) expect((await ask(session, { ':path': '/' })).status).toBe(200);
  });

  it('reads headers that came in several frames, padded bodies and priorities', async () => {
    const session = connectSession({ paddingStrategy: 2 });
    const all = Array.from({ length: 9 }, (_, index): [string, string] => [`h-${index}`, String(index).repeat(1500)]);
    const told = await ask(session, { ':path': '/', ...Object.fromEntries(all), all: 'x' }, 'padded');
    expect(JSON.parse(told.body)).toEqual({ length: 6, all: 'x' });
  });

  it('forgets a call that is given up, and keeps its place until its work is done', async () => {
    const session = connectSession();
    await ask(session, { ':path': '/' });
    for (let round = 0; round < mostStreams; round += 1) {
      const stream = session.request({ ':method': 'POST', ':path': '/wait' }, { endStream: true });
      stream.on('error', () => undefined);
      await expect.poll(() => pending.length).toBe(round + 1);
      stream.close();
      await new Promise((resolve) => stream.once('close', resolve));
    }
    const refusedOne = await ask(session, { ':path': '/' });
    expect([refusedOne.status, refusedOne.error]).toEqual([undefined, expect.stringContaining('REFUSED_STREAM')]);
    for (const { reply } of pending) reply(replyWith(Buffer.from('too late')));
    expect((await ask(session, { ':path': '/' })).status).toBe(200);
  });

  it('lets what runs end when it leaves, and takes no more', async () => {
    const session = connectSession();
    const running = ask(session, { ':path': '/wait' });
    await expect.poll(() => pending.length).toBe(1);
    const closed = new Promise((resolve) => session.once('close', resolve));
    connections[0]?.goAway();
    await new Promise((resolve) => session.once('goaway', resolve));
    pending[0]?.reply(replyWith(Buffer.from('done')));
    pending[0]?.reply(replyWith(Buffer.from('again')));
    expect(await running).toMatchObject({ body: 'done', trailer: 'over' });
    await closed;
  });
});

const settingsFrame = frame(frameTypes.settings, 0, 0, Buffer.alloc(0));
const greeting = Buffer.concat([preface, settingsFrame]);
const requestBlock = encodeHeaders({ ':method': 'POST', ':path': '/', ':scheme': 'http' });
const waitBlock = encodeHeaders({ ':method': 'POST', ':path': '/wait' });
const whole = 4 | 1;
const request = (id: number, block: Buffer = requestBlock): Buffer => frame(frameTypes.headers, whole, id, block);
const number = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
};
const setting = (identifier: number, value: number): Buffer =>
  frame(frameTypes.settings, 0, 0, Buffer.concat([Buffer.from([0, identifier]), number(value)]));

interface Heard {
  readonly type: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** What the server says until it closes, or until it has said nothing for a while. */
function say(...parts: readonly Buffer[]): Promise<{ readonly heard: readonly Heard[]; readonly closed: boolean }> {
  return new Promise((resolve) => {
    const socket: Socket = connect(path);
    clients.push(socket);
    let got = Buffer.alloc(0);
    const settle = (closed: boolean) => () => {
      const heard: Heard[] = [];
      for (let at = 0; at + 9 <= got.length;) {
        const length = got.readUIntBE(at, 3);
        heard.push({
          type: got.readUInt8(at + 3),
          stream: got.readUInt32BE(at + 5),
          payload: got.subarray(at + 9, at + 9 + length),
        });
        at += 9 + length;
      }
      resolve({ heard, closed });
    };
    const quiet = setTimeout(settle(false), 300);
    socket.on('data', (chunk) => {
      got = Buffer.concat([got, chunk]);
      quiet.refresh();
    });
    socket.on('error', () => undefined);
    socket.on('close', settle(true));
    for (const part of parts) socket.write(part);
  });
}

describe('with one who breaks the rules', () => {
  it.each<readonly [string, number, readonly Buffer[]]>([
    ['HTTP/1.1', errorCodes.protocolError, [Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]],
    ['no settings first', errorCodes.protocolError, [preface, request(1)]],
    ['a frame longer than allowed', errorCodes.frameSizeError, [greeting, Buffer.from('004001000100000001', 'hex')]],
    ['headers on stream 0', errorCodes.protocolError, [greeting, request(0)]],
    ['a stream with an even number', errorCodes.protocolError, [greeting, request(2)]],
    ['headers that cannot be read', errorCodes.compressionError, [greeting, request(1, Buffer.from([0x80]))]],
    [
      'padding longer than its frame',
      errorCodes.protocolError,
      [greeting, frame(0x1, 8 | whole, 1, Buffer.from([9, 1]))],
    ],
    ['data on stream 0', errorCodes.protocolError, [greeting, frame(0, 0, 0, Buffer.from('x'))]],
    ['data on a stream that is not open', errorCodes.protocolError, [greeting, frame(0, 0, 1, Buffer.from('x'))]],
    [
      'something between a block’s frames',
      errorCodes.protocolError,
      [greeting, frame(1, 0, 1, requestBlock), settingsFrame],
    ],
    [
      'a block continued on another stream',
      errorCodes.protocolError,
      [greeting, frame(1, 0, 1, requestBlock), frame(9, 4, 3, requestBlock)],
    ],
    ['a continuation of nothing', errorCodes.protocolError, [greeting, frame(9, 4, 1, requestBlock)]],
    [
      'empty continuations',
      errorCodes.enhanceYourCalm,
      [greeting, frame(1, 0, 1, requestBlock), frame(9, 0, 1, Buffer.alloc(0))],
    ],
    [
      'continuations without end',
      errorCodes.enhanceYourCalm,
      [greeting, frame(1, 0, 1, Buffer.alloc(16_000, 0x82)), frame(9, 0, 1, Buffer.alloc(16_000, 0x82))],
    ],
    ['settings of an odd length', errorCodes.frameSizeError, [greeting, frame(4, 0, 0, Buffer.alloc(5))]],
    ['settings on a stream', errorCodes.frameSizeError, [greeting, frame(4, 0, 1, Buffer.alloc(0))]],
    ['an acknowledgement that says something', errorCodes.frameSizeError, [greeting, frame(4, 1, 0, Buffer.alloc(6))]],
    ['a window past the largest', errorCodes.flowControlError, [greeting, setting(4, 2 ** 31)]],
    ['frames smaller than the smallest', errorCodes.protocolError, [greeting, setting(5, 16_383)]],
    ['a push that is neither on nor off', errorCodes.protocolError, [greeting, setting(2, 2)]],
    ['a short ping', errorCodes.frameSizeError, [greeting, frame(6, 0, 0, Buffer.alloc(7))]],
    ['a ping on a stream', errorCodes.protocolError, [greeting, frame(6, 0, 1, Buffer.alloc(8))]],
    ['a reset of no stream', errorCodes.protocolError, [greeting, frame(3, 0, 1, number(0))]],
    ['a short reset', errorCodes.frameSizeError, [greeting, request(1), frame(3, 0, 1, Buffer.alloc(3))]],
    ['a window update of no stream', errorCodes.protocolError, [greeting, frame(8, 0, 1, number(1))]],
    ['a short window update', errorCodes.frameSizeError, [greeting, frame(8, 0, 0, Buffer.alloc(3))]],
    ['a window update of nothing', errorCodes.protocolError, [greeting, frame(8, 0, 0, number(0))]],
    ['window updates past the largest', errorCodes.flowControlError, [greeting, frame(8, 0, 0, number(2 ** 31 - 1))]],
    ['a short priority', errorCodes.frameSizeError, [greeting, frame(2, 0, 1, Buffer.alloc(4))]],
    ['a push', errorCodes.protocolError, [greeting, frame(5, 4, 1, Buffer.alloc(4))]],
  ])('%s: says so, closes, and tells of it', async (_, code, parts) => {
    const { heard, closed } = await say(...parts);
    expect(closed).toBe(true);
    const last = heard.at(-1);
    expect([last?.type, last?.payload.readUInt32BE(4)]).toEqual([frameTypes.goAway, code]);
    expect(reasons).toHaveLength(1);
  });

  it.each<readonly [string, number, readonly Buffer[]]>([
    ['without a path', errorCodes.protocolError, [request(1, encodeHeaders({ ':method': 'POST' }))]],
    [
      'with an unknown pseudo header',
      errorCodes.protocolError,
      [request(1, Buffer.concat([encodeHeaders({ ':what': 'x' }), requestBlock]))],
    ],
    ['with a pseudo header twice', errorCodes.protocolError, [request(1, Buffer.concat([requestBlock, requestBlock]))]],
    [
      'with a pseudo header behind others',
      errorCodes.protocolError,
      [request(1, Buffer.concat([encodeHeaders({ a: 'b' }), requestBlock]))],
    ],
    [
      'with capital letters',
      errorCodes.protocolError,
      [request(1, Buffer.concat([requestBlock, encodeHeaders({ A: 'b' })]))],
    ],
    [
      'whose trailers do not end it',
      errorCodes.protocolError,
      [frame(1, 4, 1, waitBlock), frame(1, 4, 1, encodeHeaders({ a: 'b' }))],
    ],
    ['that goes on after its end', errorCodes.streamClosed, [request(1, waitBlock), frame(0, 0, 1, Buffer.from('x'))]],
    ['that has headers after its end', errorCodes.streamClosed, [request(1, waitBlock), request(1, waitBlock)]],
    [
      'whose window is widened by nothing',
      errorCodes.protocolError,
      [request(1, waitBlock), frame(8, 0, 1, number(0))],
    ],
    [
      'whose window is too wide',
      errorCodes.flowControlError,
      [request(1, waitBlock), frame(8, 0, 1, number(2 ** 31 - 1))],
    ],
  ])('a request %s is reset, and the connection goes on', async (_, code, parts) => {
    const { heard, closed } = await say(greeting, ...parts, request(3));
    expect(closed).toBe(false);
    const reset = heard.find(({ type, stream }) => type === frameTypes.resetStream && stream === 1);
    expect(reset?.payload.readUInt32BE(0)).toBe(code);
    expect(heard.filter(({ type, stream }) => type === frameTypes.data && stream === 3)).toHaveLength(1);
    expect(reasons).toEqual([]);
  });

  it('reads its bytes one by one', async () => {
    const bytes = Buffer.concat([greeting, request(1), frame(0xee, 0, 0, Buffer.from('an extension')), request(3)]);
    const { heard } = await say(...Array.from(bytes, (byte) => Buffer.from([byte])));
    expect(heard.filter(({ type }) => type === frameTypes.data).map(({ stream }) => stream)).toEqual([1, 3]);
  });

  it('takes frames for streams that it has closed meanwhile', async () => {
    const late = [frame(0, 1, 1, Buffer.from('x')), frame(3, 0, 1, number(8)), frame(8, 0, 1, number(1)), request(1)];
    const { heard, closed } = await say(greeting, request(1), ...late, request(3));
    expect(closed).toBe(false);
    expect(heard.filter(({ type }) => type === frameTypes.data).map(({ stream }) => stream)).toEqual([1, 3]);
  });

  it('gives up one who asks and asks and never reads', async () => {
    const socket = connect(path);
    clients.push(socket);
    socket.on('error', () => undefined);
    socket.pause();
    socket.write(greeting);
    socket.write(frame(8, 0, 0, number(2 ** 30)));
    socket.write(setting(4, 2 ** 30));
    const longBlock = encodeHeaders({ ':method': 'POST', ':path': '/long' });
    for (let id = 1; id < 100; id += 2) socket.write(request(id, longBlock));
    await expect.poll(() => reasons).toEqual(['It does not read its answers.']);
  });

  it('survives any frames, and serves whoever comes next', async () => {
    const anyFrame = fc
      .record({
        type: fc.integer({ min: 0, max: 11 }),
        flags: fc.constantFrom(0, 1, 4, 5, 8, 0x20, 0x2d, 0xff),
        stream: fc.integer({ min: 0, max: 9 }),
        payload: fc.oneof(
          fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
          fc.constantFrom(requestBlock, waitBlock, number(0), number(1), number(2 ** 31 - 1), Buffer.alloc(8)),
        ),
      })
      .map(({ type, flags, stream, payload }) => frame(type, flags, stream, payload));
    await fc.assert(
      fc.asyncProperty(fc.array(anyFrame, { minLength: 1, maxLength: 20 }), async (frames) => {
        const socket = connect(path);
        socket.on('error', () => undefined);
        socket.resume();
        const closed = new Promise((resolve) => socket.once('close', resolve));
        socket.end(Buffer.concat([greeting, ...frames]));
        await closed;
        for (const { reply } of pending.splice(0)) reply(replyWith(Buffer.from('late')));
      }),
      { numRuns: 300 },
    );
    expect((await ask(connectSession(), { ':path': '/' })).status).toBe(200);
  });
});
