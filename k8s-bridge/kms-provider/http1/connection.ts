/** One kept HTTP/1.1 connection as its client: a request at a time, none before the other side is known. */
import { connect as connectPlainly, isIP, type Socket } from 'node:net';
import { connect as connectSecurely, type SecureContext } from 'node:tls';
import { createReplyReader, type HttpReply } from './reply-reader.ts';

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** In its certificate; without one, the host's. */
  readonly serverName?: string | undefined;
  /** Without it, in the clear. */
  readonly secureContext: SecureContext | undefined;
}

export type Exchange =
  | { readonly ok: true; readonly reply: HttpReply }
  | {
      readonly ok: false;
      readonly reason: string;
      /** The server had answered something. */
      readonly isBrokenOff: boolean;
      /** It had served before, and the server closed it meanwhile. */
      readonly isStale: boolean;
    };

export interface HttpConnection {
  /** Sends once it is open. Not before the last exchange is done. */
  exchange(request: Buffer, done: (exchange: Exchange) => void): void;
  destroy(reason: string): void;
}

export interface ConnectionEvents {
  /** It can serve a request. */
  readonly onFree: () => void;
  readonly onClosed: () => void;
}

/** A TLS record and its largest plaintext. */
const readBufferLength = 16 * 1024;
/** For a handshake, in milliseconds. */
const connectPatience = 10_000;
/** What says that the server closed the connection. */
const closedCodes = new Set(['ECONNRESET', 'EPIPE']);

/** Several addresses that all refuse have a code and no words; after a semicolon Node advises on its own options. */
function wordsOf({ message, code, name }: NodeJS.ErrnoException): string {
  return message === '' ? (code ?? name) : message.replace(/;.*/su, '');
}

function open(server: HttpServer, onRead: (chunk: Buffer) => void): Socket {
  const { host, port, serverName, secureContext } = server;
  const buffer = Buffer.alloc(readBufferLength);
  const options = {
    host,
    port,
    // Into one buffer: a stream's own would be a new one for each reply.
    onread: {
      buffer,
      callback: (length: number): boolean => {
        onRead(buffer.subarray(0, length));
        return true;
      },
    },
  };
  if (secureContext === undefined) return connectPlainly(options);
  const servername = serverName ?? (isIP(host) === 0 ? host : '');
  return connectSecurely({ ...options, servername, secureContext, ALPNProtocols: ['http/1.1'] });
}

/** @param longestReply head included, in bytes */
export function openHttpConnection(server: HttpServer, longestReply: number, events: ConnectionEvents): HttpConnection {
  const reader = createReplyReader(longestReply);
  let current: { readonly request: Buffer; readonly done: (exchange: Exchange) => void } | undefined;
  let isOpen = false;
  let hasServed = false;
  let hasRead = false;
  let isClosed = false;

  const fail = (reason: string, isStale = false): void => {
    if (isClosed) return;
    isClosed = true;
    clearTimeout(timer);
    reader.reset();
    socket.destroy();
    const done = current?.done;
    current = undefined;
    events.onClosed();
    done?.({ ok: false, reason, isBrokenOff: hasRead, isStale: isStale && hasServed && !hasRead });
  };
  const succeed = (reply: HttpReply): void => {
    const done = current?.done;
    current = undefined;
    hasServed = true;
    if (reply.keepsConnection) events.onFree();
    else fail('');
    done?.({ ok: true, reply });
  };
  const receive = (chunk: Buffer): void => {
    if (isClosed) return;
    if (current === undefined) {
      fail('it spoke without being asked');
      return;
    }
    hasRead = true;
    const reading = reader.read(chunk);
    if (reading.state === 'whole') succeed(reading.reply);
    else if (reading.state === 'broken') fail(reading.reason);
  };
  const send = ({ request }: { readonly request: Buffer }): void => {
    hasRead = false;
    socket.write(request);
  };

  const socket = open(server, receive);
  const timer = setTimeout(() => fail('it did not answer in time'), connectPatience);
  socket.setNoDelay(true);
  // A token goes to nobody whose certificate was not looked at.
  socket.once(server.secureContext === undefined ? 'connect' : 'secureConnect', () => {
    clearTimeout(timer);
    isOpen = true;
    if (current === undefined) events.onFree();
    else send(current);
  });
  socket.on('error', (cause: NodeJS.ErrnoException) => fail(wordsOf(cause), closedCodes.has(cause.code ?? '')));
  const onEnd = (): void => {
    if (isClosed) return;
    const reading = current === undefined || !hasRead ? undefined : reader.end();
    if (reading?.state === 'whole') succeed(reading.reply);
    else fail('the connection was closed', true);
  };
  socket.on('end', onEnd);
  socket.on('close', onEnd);
  return {
    exchange: (request, done) => {
      current = { request, done };
      if (isOpen) send(current);
    },
    destroy: fail,
  };
}
