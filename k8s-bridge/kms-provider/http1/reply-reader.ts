/** Reads one HTTP/1.1 reply (RFC 9112) in place, so that what it held can be wiped. */

export interface HttpReply {
  readonly status: number;
  readonly text: string;
  /** Whether the connection may serve another request. */
  readonly keepsConnection: boolean;
}

export type Reading =
  | { readonly state: 'more' }
  | { readonly state: 'whole'; readonly reply: HttpReply }
  | { readonly state: 'broken'; readonly reason: string };

export interface ReplyReader {
  /** Nothing of the chunk is kept after the call. */
  read(chunk: Buffer): Reading;
  /** The server has said all that it will. */
  end(): Reading;
  /** Wipes what it holds and is as new. */
  reset(): void;
}

interface Head {
  readonly status: number;
  readonly keepsConnection: boolean;
  readonly body: 'chunked' | 'toTheEnd' | number;
}

type Chunks = 'size' | 'data' | 'dataEnd' | 'trailers';

const lineEnd = '\r\n';
const headEnd = '\r\n\r\n';
const more: Reading = { state: 'more' };
const broken = (reason: string): Reading => ({ state: 'broken', reason });
const noReply = broken('its reply is no HTTP');
const tooLong = broken('its reply is too long');

const statusLine = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: |$)/u;
/** A name that is a token, a value without control characters; no folded lines (RFC 9112, 5). */
const fieldLine = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\u0020-\u007e\u0080-\u00ff]*)$/u;
const decimal = /^\d{1,10}$/u;
const chunkSize = /^([0-9a-f]{1,7})[ \t]*(?:;.*)?$/iu;

/** Undefined where it is malformed, or says its length in two ways (RFC 9112, 6.3). */
function readHead(text: string): Head | undefined {
  const [first = '', ...lines] = text.split(lineEnd);
  const [, minor, code] = statusLine.exec(first) ?? [];
  if (minor === undefined || code === undefined) return undefined;
  const status = Number(code);
  let length: string | undefined;
  let isChunked = false;
  let keepsConnection = minor === '1';
  for (const line of lines) {
    const [, name, field] = fieldLine.exec(line) ?? [];
    if (name === undefined || field === undefined) return undefined;
    const value = field.trim();
    switch (name.toLowerCase()) {
      case 'content-length':
        if (!decimal.test(value) || (length !== undefined && length !== value)) return undefined;
        length = value;
        break;
      case 'transfer-encoding':
        if (isChunked || value.toLowerCase() !== 'chunked') return undefined;
        isChunked = true;
        break;
      case 'connection':
        if (/\bclose\b/iu.test(value)) keepsConnection = false;
        break;
    }
  }
  if (isChunked && length !== undefined) return undefined;
  if (status < 200 || status === 204 || status === 304) return { status, keepsConnection, body: 0 };
  if (isChunked) return { status, keepsConnection, body: 'chunked' };
  if (length === undefined) return { status, keepsConnection: false, body: 'toTheEnd' };
  return { status, keepsConnection, body: Number(length) };
}

/** @param longest of a reply as it comes over the wire, head included, in bytes */
export function createReplyReader(longest: number): ReplyReader {
  /** The chunk of the moment, or a copy of all that came where it is not the whole. */
  let held: Buffer = Buffer.alloc(0);
  let length = 0;
  /** How far it is understood. */
  let at = 0;
  /** How far it was looked through before the chunk of the moment. */
  let seen = 0;
  let head: Head | undefined;
  let bodyStart = 0;
  /** Where the body ends so far: chunks are moved together over what stood between them. */
  let bodyEnd = 0;
  let chunks: Chunks = 'size';
  let missing = 0;

  const reset = (): void => {
    held.fill(0, 0, length);
    [length, at, seen, head, chunks] = [0, 0, 0, undefined, 'size'];
  };
  const hold = (chunk: Buffer): void => {
    seen = length;
    if (length === 0) {
      held = chunk;
      length = chunk.length;
      return;
    }
    if (length + chunk.length > held.length) {
      const larger = Buffer.alloc(Math.max(2 * held.length, length + chunk.length));
      held.copy(larger, 0, 0, length);
      held.fill(0, 0, length);
      held = larger;
    }
    chunk.copy(held, length);
    chunk.fill(0);
    length += chunk.length;
  };
  /** What is not whole outlives its chunk. */
  const keep = (chunk: Buffer): Reading => {
    if (held !== chunk) return more;
    held = Buffer.alloc(Math.max(2 * length, 4096));
    chunk.copy(held);
    chunk.fill(0);
    return more;
  };
  const whole = ({ status, keepsConnection }: Head): Reading => {
    const text = held.toString('utf8', bodyStart, bodyEnd);
    // What was not asked for would be taken as the next request's answer.
    return { state: 'whole', reply: { status, text, keepsConnection: keepsConnection && at === length } };
  };

  const find = (mark: string): number =>
    // One that began in an earlier chunk ends in this one.
    held.subarray(0, length).indexOf(mark, Math.max(at, seen - mark.length + 1), 'latin1');
  /** Undefined where the line is not whole yet. */
  const readLine = (): string | undefined => {
    const end = find(lineEnd);
    if (end === -1) return undefined;
    const line = held.toString('latin1', at, end);
    at = end + lineEnd.length;
    return line;
  };
  const readSize = (line: string): boolean => {
    const [, digits] = chunkSize.exec(line) ?? [];
    if (digits === undefined) return false;
    missing = Number.parseInt(digits, 16);
    chunks = missing === 0 ? 'trailers' : 'data';
    return true;
  };
  const takeData = (): void => {
    const taken = Math.min(missing, length - at);
    held.copyWithin(bodyEnd, at, at + taken);
    bodyEnd += taken;
    at += taken;
    missing -= taken;
    if (missing === 0) chunks = 'dataEnd';
  };
  const readChunks = (known: Head): Reading => {
    for (;;) {
      if (chunks === 'data') {
        if (at === length) return more;
        takeData();
        continue;
      }
      const line = readLine();
      if (line === undefined) return more;
      if (chunks === 'size') {
        if (!readSize(line)) return noReply;
      } else if (chunks === 'dataEnd') {
        if (line !== '') return noReply;
        chunks = 'size';
      } else if (line === '') {
        return whole(known);
      }
    }
  };
  const readBody = (known: Head): Reading => {
    if (known.body === 'chunked') return readChunks(known);
    if (known.body === 'toTheEnd') {
      at = bodyEnd = length;
      return more;
    }
    if (known.body > longest) return tooLong;
    if (length - bodyStart < known.body) return more;
    at = bodyEnd = bodyStart + known.body;
    return whole(known);
  };
  const advance = (): Reading => {
    for (;;) {
      if (head !== undefined) return readBody(head);
      const end = find(headEnd);
      if (end === -1) return more;
      const read = readHead(held.toString('latin1', at, end));
      // What follows 101 is another protocol, for which nobody asked.
      if (read === undefined || read.status === 101) return noReply;
      at = end + headEnd.length;
      // An interim reply comes before the one that counts (RFC 9110, 15.2).
      if (read.status < 200) continue;
      head = read;
      bodyStart = bodyEnd = at;
    }
  };
  const settled = (reading: Reading): Reading => {
    if (reading.state !== 'more') reset();
    return reading;
  };
  return {
    read: (chunk) => {
      hold(chunk);
      const reading = length > longest ? tooLong : advance();
      return reading.state === 'more' ? keep(chunk) : settled(reading);
    },
    end: () => settled(head?.body === 'toTheEnd' ? whole(head) : broken('the connection was closed')),
    reset,
  };
}
