/**
 * One HTTP/2 connection as its server (RFC 9113), with prior knowledge, for requests that are small and read whole.
 * Nothing of a request is handed out before its end, no stream has a priority, and nothing is pushed.
 *
 * node:http2 does the same for everything that HTTP/2 has, and a call takes it a quarter of a millisecond more, which is
 * most of what a call costs (docs/kms-provider.md, “Why it is built like this”).
 */
import type { Socket } from 'node:net';
import {
  contentOf,
  createFrameReader,
  errorCodes,
  flags,
  frame,
  frameTypes,
  headLength,
  largestFrame,
  largestWindow,
  initialWindow,
  numbersFrame,
  preface,
  settings,
  settingsFrame,
  writeHead,
  type ErrorCode,
  type Frame,
} from './frames.ts';
import { createHeaderDecoder, emptyTable, largestHeaderList, type HeaderField } from './header-fields.ts';
import { createSendWindows } from './send-windows.ts';

export interface Request {
  /** In small letters; the last of those with one name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Undefined where it was longer than allowed. */
  readonly body: Buffer | undefined;
  /** When its headers came, in milliseconds of performance.now(). */
  readonly arrived: number;
}

/** Header blocks, and a body between the first and the last of them; the first alone ends the answer by itself. */
export type Reply =
  { readonly head: Buffer } | { readonly head: Buffer; readonly body: Buffer; readonly trailers: Buffer };

export interface ConnectionOptions {
  /** Of a body, in bytes. */
  readonly largestRequest: number;
  readonly mostStreams: number;
  /** Called once for a request, which has `reply` called once; later calls do nothing. */
  readonly onRequest: (request: Request, reply: (reply: Reply) => void) => void;
  /** The other side broke the protocol; the connection is being closed. */
  readonly onProtocolError: (reason: string) => void;
}

export interface Connection {
  /** Takes no more requests, and closes when those that run are answered. */
  goAway(): void;
  destroy(): void;
}

interface Stream {
  readonly id: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly arrived: number;
  parts: Buffer[];
  length: number;
  /** The other side has said all. */
  isReceived: boolean;
  isHandedOut: boolean;
  isAnswered: boolean;
  /** The other side wants no answer any more. */
  isReset: boolean;
}

interface OpenBlock {
  readonly stream: number;
  readonly endsStream: boolean;
  readonly parts: Buffer[];
  length: number;
}

/** Answers that nobody reads, in bytes, before their connection is given up. */
const mostUnread = 4 * 1024 * 1024;

const knownPseudoHeaders = new Set([':method', ':path', ':scheme', ':authority']);

/** Undefined where the request is malformed (RFC 9113, 8.1.1 and 8.3.1). */
function readHeaders(fields: readonly HeaderField[]): ReadonlyMap<string, string> | undefined {
  const headers = new Map<string, string>();
  let isPastPseudo = false;
  for (const { name, value } of fields) {
    if (name.startsWith(':')) {
      if (isPastPseudo || headers.has(name) || !knownPseudoHeaders.has(name)) return undefined;
    } else {
      isPastPseudo = true;
      if (name === '' || name !== name.toLowerCase()) return undefined;
    }
    headers.set(name, value);
  }
  return headers.has(':method') && headers.has(':path') ? headers : undefined;
}

export function serveConnection(socket: Socket, options: ConnectionOptions): Connection {
  const streams = new Map<number, Stream>();
  const decoder = createHeaderDecoder();
  const reader = createFrameReader();
  let greeting: Buffer | undefined = Buffer.alloc(0);
  let hasSettings = false;
  let lastStream = 0;
  let openBlock: OpenBlock | undefined;
  /** Received and not given back to the connection's window yet. */
  let unreturned = 0;
  let hasToEmptyTable = false;
  let isLeaving = false;
  let isOver = false;

  const write = (bytes: Buffer): void => {
    if (isOver) return;
    socket.write(bytes);
    if (socket.writableLength <= mostUnread) return;
    end(errorCodes.enhanceYourCalm, 'It does not read its answers.');
    socket.destroy();
  };
  const finish = (stream: Stream): void => {
    if (!stream.isReceived && !stream.isReset)
      write(numbersFrame(frameTypes.resetStream, stream.id, errorCodes.noError));
    forget(stream.id);
  };
  const windows = createSendWindows(write, (id) => {
    const stream = streams.get(id);
    if (stream !== undefined) finish(stream);
  });
  const forget = (id: number): void => {
    streams.delete(id);
    windows.forget(id);
    if (isLeaving && streams.size === 0) close();
  };
  const close = (): void => {
    if (isOver) return;
    isOver = true;
    socket.destroySoon();
  };
  const end = (code: ErrorCode, reason: string): false => {
    if (isOver) return false;
    options.onProtocolError(reason);
    socket.write(numbersFrame(frameTypes.goAway, 0, lastStream, code));
    isOver = true;
    socket.destroySoon();
    return false;
  };
  const reset = (id: number, code: ErrorCode): true => {
    write(numbersFrame(frameTypes.resetStream, id, code));
    const stream = streams.get(id);
    if (stream !== undefined) dropStream(stream);
    return true;
  };
  /** One that is at work keeps its place until it is done, so that resets do not make room for ever more work. */
  const dropStream = (stream: Stream): void => {
    stream.isReset = true;
    stream.parts = [];
    if (!stream.isHandedOut || stream.isAnswered) forget(stream.id);
  };

  const answer = (stream: Stream, reply: Reply): void => {
    if (stream.isAnswered) return;
    stream.isAnswered = true;
    if (stream.isReset || isOver) {
      forget(stream.id);
      return;
    }
    const head = hasToEmptyTable ? Buffer.concat([emptyTable, reply.head]) : reply.head;
    hasToEmptyTable = false;
    if (!('body' in reply)) {
      write(frame(frameTypes.headers, flags.endHeaders | flags.endStream, stream.id, head));
      finish(stream);
      return;
    }
    const { body, trailers } = reply;
    if (!windows.take(stream.id, body.length)) {
      write(frame(frameTypes.headers, flags.endHeaders, stream.id, head));
      windows.queue(stream.id, body, trailers);
      return;
    }
    const whole = Buffer.allocUnsafe(3 * headLength + head.length + body.length + trailers.length);
    let at = writeHead(whole, 0, head.length, frameTypes.headers, flags.endHeaders, stream.id);
    at += head.copy(whole, at);
    at = writeHead(whole, at, body.length, frameTypes.data, 0, stream.id);
    at += body.copy(whole, at);
    at = writeHead(whole, at, trailers.length, frameTypes.headers, flags.endHeaders | flags.endStream, stream.id);
    trailers.copy(whole, at);
    write(whole);
    finish(stream);
  };

  const handOut = (stream: Stream, body: Buffer | undefined): void => {
    stream.isHandedOut = true;
    stream.parts = [];
    options.onRequest({ headers: stream.headers, body, arrived: stream.arrived }, (reply) => answer(stream, reply));
  };
  const receiveEnd = (stream: Stream): void => {
    stream.isReceived = true;
    if (stream.isHandedOut) return;
    const [first] = stream.parts;
    handOut(stream, stream.parts.length === 1 && first !== undefined ? first : Buffer.concat(stream.parts));
  };

  const openStream = (id: number, fields: readonly HeaderField[], endsStream: boolean): boolean => {
    lastStream = id;
    if (isLeaving || streams.size >= options.mostStreams) return reset(id, errorCodes.refusedStream);
    const headers = readHeaders(fields);
    if (headers === undefined) return reset(id, errorCodes.protocolError);
    const stream: Stream = {
      id,
      headers,
      arrived: performance.now(),
      parts: [],
      length: 0,
      isReceived: false,
      isHandedOut: false,
      isAnswered: false,
      isReset: false,
    };
    streams.set(id, stream);
    if (endsStream) receiveEnd(stream);
    return true;
  };
  const receiveBlock = ({ stream: id, endsStream, parts }: OpenBlock): boolean => {
    const [first] = parts;
    const fields = decoder.decode(parts.length === 1 && first !== undefined ? first : Buffer.concat(parts));
    if (fields === undefined) return end(errorCodes.compressionError, 'Its headers cannot be read, or are too long.');
    if (id > lastStream)
      return id % 2 === 1
        ? openStream(id, fields, endsStream)
        : end(errorCodes.protocolError, 'A stream has an even number.');
    const stream = streams.get(id);
    // One that was closed here meanwhile: what was under way to it is let pass.
    if (stream === undefined || stream.isReset) return true;
    if (stream.isReceived) return reset(id, errorCodes.streamClosed);
    if (!endsStream) return reset(id, errorCodes.protocolError);
    receiveEnd(stream);
    return true;
  };
  const receiveHeaders = (got: Frame): boolean => {
    const content = contentOf(got);
    if (got.stream === 0 || content === undefined)
      return end(errorCodes.protocolError, 'A HEADERS frame is malformed.');
    const endsStream = (got.flags & flags.endStream) !== 0;
    const block = { stream: got.stream, endsStream, parts: [content], length: content.length };
    if ((got.flags & flags.endHeaders) !== 0) return receiveBlock(block);
    openBlock = block;
    return true;
  };
  const receiveContinuation = (got: Frame): boolean => {
    if (openBlock === undefined || got.type !== frameTypes.continuation || got.stream !== openBlock.stream)
      return end(errorCodes.protocolError, 'Its frames are out of order.');
    openBlock.length += got.payload.length;
    // An empty frame costs nothing to send and could follow itself for ever.
    if (openBlock.length > largestHeaderList || got.payload.length === 0)
      return end(errorCodes.enhanceYourCalm, 'Its headers are too long.');
    openBlock.parts.push(got.payload);
    if ((got.flags & flags.endHeaders) === 0) return true;
    const block = openBlock;
    openBlock = undefined;
    return receiveBlock(block);
  };
  const giveBack = (length: number): void => {
    unreturned += length;
    if (unreturned <= initialWindow / 2) return;
    write(numbersFrame(frameTypes.windowUpdate, 0, unreturned));
    unreturned = 0;
  };
  const receiveData = (got: Frame): boolean => {
    const content = contentOf(got);
    if (got.stream === 0 || got.stream > lastStream || content === undefined)
      return end(errorCodes.protocolError, 'A DATA frame is malformed.');
    giveBack(got.payload.length);
    const stream = streams.get(got.stream);
    if (stream === undefined || stream.isReset) return true;
    if (stream.isReceived) return reset(got.stream, errorCodes.streamClosed);
    stream.length += content.length;
    const isTooLong = stream.length > options.largestRequest;
    if (!isTooLong && content.length > 0) stream.parts.push(content);
    if ((got.flags & flags.endStream) !== 0) stream.isReceived = true;
    if (isTooLong && !stream.isHandedOut) handOut(stream, undefined);
    else if (stream.isReceived) receiveEnd(stream);
    return true;
  };
  const receiveSettings = (got: Frame): boolean => {
    const isAcknowledgement = (got.flags & flags.acknowledged) !== 0;
    if (got.stream !== 0 || got.payload.length % 6 !== 0 || (isAcknowledgement && got.payload.length > 0))
      return end(errorCodes.frameSizeError, 'A SETTINGS frame is malformed.');
    if (isAcknowledgement) return true;
    let initial: number | undefined;
    for (let at = 0; at < got.payload.length; at += 6) {
      const identifier = got.payload.readUInt16BE(at);
      const value = got.payload.readUInt32BE(at + 2);
      if (identifier === settings.headerTableSize) hasToEmptyTable = true;
      if (identifier === settings.initialWindowSize) {
        if (value > largestWindow) return end(errorCodes.flowControlError, 'Its initial window is too large.');
        initial = value;
      }
      if (identifier === settings.maxFrameSize && (value < largestFrame || value > 0xff_ffff))
        return end(errorCodes.protocolError, 'Its largest frame is out of range.');
      if (identifier === settings.enablePush && value > 1)
        return end(errorCodes.protocolError, 'A setting is out of range.');
    }
    // Before anything that the new window lets out: the other side counts by it from here on.
    write(frame(frameTypes.settings, flags.acknowledged, 0, Buffer.alloc(0)));
    if (initial !== undefined) windows.setInitial(initial);
    return true;
  };
  const receiveReset = (got: Frame): boolean => {
    if (got.payload.length !== 4) return end(errorCodes.frameSizeError, 'A RST_STREAM frame is malformed.');
    if (got.stream === 0 || got.stream > lastStream)
      return end(errorCodes.protocolError, 'A RST_STREAM frame names no stream.');
    const stream = streams.get(got.stream);
    if (stream !== undefined) dropStream(stream);
    return true;
  };
  const receivePing = (got: Frame): boolean => {
    if (got.payload.length !== 8) return end(errorCodes.frameSizeError, 'A PING frame is malformed.');
    if (got.stream !== 0) return end(errorCodes.protocolError, 'A PING frame names a stream.');
    if ((got.flags & flags.acknowledged) === 0) write(frame(frameTypes.ping, flags.acknowledged, 0, got.payload));
    return true;
  };
  const receiveWindowUpdate = (got: Frame): boolean => {
    if (got.payload.length !== 4) return end(errorCodes.frameSizeError, 'A WINDOW_UPDATE frame is malformed.');
    if (got.stream > lastStream) return end(errorCodes.protocolError, 'A WINDOW_UPDATE frame names no stream.');
    const by = got.payload.readUInt32BE(0) % 2 ** 31;
    if (got.stream !== 0 && !streams.has(got.stream)) return true;
    if (by > 0 && windows.widen(got.stream, by)) return true;
    const code = by === 0 ? errorCodes.protocolError : errorCodes.flowControlError;
    return got.stream === 0 ? end(code, 'A WINDOW_UPDATE frame is out of range.') : reset(got.stream, code);
  };
  const receive = (got: Frame): boolean => {
    if (!hasSettings && got.type !== frameTypes.settings)
      return end(errorCodes.protocolError, 'It does not begin with its settings.');
    hasSettings = true;
    if (openBlock !== undefined) return receiveContinuation(got);
    switch (got.type) {
      case frameTypes.headers:
        return receiveHeaders(got);
      case frameTypes.data:
        return receiveData(got);
      case frameTypes.settings:
        return receiveSettings(got);
      case frameTypes.ping:
        return receivePing(got);
      case frameTypes.windowUpdate:
        return receiveWindowUpdate(got);
      case frameTypes.resetStream:
        return receiveReset(got);
      case frameTypes.continuation:
        return receiveContinuation(got);
      case frameTypes.pushPromise:
        return end(errorCodes.protocolError, 'A client cannot push.');
      case frameTypes.priority:
        return got.payload.length === 5 || end(errorCodes.frameSizeError, 'A PRIORITY frame is malformed.');
      default:
        // GOAWAY, after which it asks no more, and what extensions define.
        return true;
    }
  };

  const readFrames = (chunk: Buffer): void => {
    if (!reader.read(chunk, receive)) end(errorCodes.frameSizeError, 'A frame is too long.');
  };
  const readGreeting = (chunk: Buffer, before: Buffer): void => {
    const bytes = Buffer.concat([before, chunk]);
    const length = Math.min(bytes.length, preface.length);
    if (!bytes.subarray(0, length).equals(preface.subarray(0, length))) {
      end(errorCodes.protocolError, 'It does not speak HTTP/2.');
    } else if (bytes.length < preface.length) {
      greeting = bytes;
    } else {
      greeting = undefined;
      readFrames(bytes.subarray(preface.length));
    }
  };
  socket.on('data', (chunk) => {
    if (isOver) return;
    // What one packet brings is answered in one.
    socket.cork();
    if (greeting === undefined) readFrames(chunk);
    else readGreeting(chunk, greeting);
    socket.uncork();
  });
  socket.on('error', () => socket.destroy());
  socket.on('close', () => {
    isOver = true;
    for (const stream of streams.values()) stream.isReset = true;
  });
  write(
    settingsFrame([
      [settings.maxConcurrentStreams, options.mostStreams],
      [settings.maxHeaderListSize, largestHeaderList],
      // So wide that a stream of the largest request never waits for more.
      [settings.initialWindowSize, 2 * options.largestRequest],
    ]),
  );
  return {
    goAway: () => {
      if (isLeaving || isOver) return;
      isLeaving = true;
      write(numbersFrame(frameTypes.goAway, 0, lastStream, errorCodes.noError));
      if (streams.size === 0) close();
    },
    destroy: () => socket.destroy(),
  };
}
