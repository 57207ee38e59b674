/** Unary gRPC calls over a unix socket, straight on node:http2. */
import { connect as connectHttp2, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { connect } from 'node:net';
import { decodeWords, framed, unframed } from './framing.ts';
import { answered, grpcStatus, refused, type Outcome } from './outcome.ts';

export interface UnaryClient {
  /** Without a limit on what it sends. `unavailable` where there is no connection. */
  call(method: string, message: Buffer): Promise<Outcome<Buffer>>;
  close(): void;
}

const deadlineMilliseconds = 10_000;

function statusOf(headers: IncomingHttpHeaders): Outcome<undefined> | undefined {
  const status = headers['grpc-status'];
  if (typeof status !== 'string') return undefined;
  const words = headers['grpc-message'];
  if (status === '0') return answered(undefined);
  return { ok: false, status: Number(status), words: decodeWords(typeof words === 'string' ? words : '') };
}

function callOnce(session: ClientHttp2Session, method: string, message: Buffer): Promise<Outcome<Buffer>> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      'content-type': 'application/grpc',
      te: 'trailers',
      'grpc-timeout': `${deadlineMilliseconds}m`,
    });
    const parts: Buffer[] = [];
    let status: Outcome<undefined> | undefined;
    const notice = (headers: IncomingHttpHeaders): void => {
      status ??= statusOf(headers);
    };
    stream.setTimeout(deadlineMilliseconds, () => stream.close());
    stream.on('response', notice);
    stream.on('trailers', notice);
    stream.on('data', (part: Buffer) => parts.push(part));
    stream.on('error', (cause: Error) => resolve(refused('unavailable', cause.message)));
    stream.on('close', () => {
      if (status === undefined) resolve(refused('deadlineExceeded', 'It gave no answer.'));
      else if (!status.ok) resolve(status);
      else {
        const body = unframed(Buffer.concat(parts));
        resolve(body === undefined ? refused('internal', 'Its answer is not one gRPC message.') : answered(body));
      }
    });
    stream.end(framed(message));
  });
}

/** @returns undefined where nobody answers at the socket */
export async function connectUnary(socketPath: string): Promise<UnaryClient | undefined> {
  const socket = connect(socketPath);
  const isConnected = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  if (!isConnected) return undefined;
  const session = connectHttp2('http://localhost', { createConnection: () => socket });
  let problem: string | undefined;
  session.on('error', (cause: Error) => {
    problem = cause.message;
  });
  return {
    call: async (method, message) => {
      if (session.destroyed || session.closed)
        return { ok: false, status: grpcStatus.unavailable, words: problem ?? 'It closed the connection.' };
      return callOnce(session, method, message);
    },
    close: () => session.destroy(),
  };
}
