/**
 * A gRPC server for unary calls straight on node:http2. @grpc/grpc-js does the same in about twice the time a call,
 * which was measured beside it: docs/kms-provider.md.
 */
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { encodeWords, framed, readTimeout, unframed } from './framing.ts';
import { grpcStatus, refused, type Outcome, type Refused, type Soon } from './outcome.ts';

/** @param deadline milliseconds of performance.now() */
export type UnaryMethod = (message: Buffer, deadline: number) => Soon<Outcome<Buffer>>;

export interface UnaryServerOptions {
  readonly methods: ReadonlyMap<string, UnaryMethod>;
  /** Larger requests are refused before they are read whole. */
  readonly largestRequest: number;
  /** For callers that name no deadline, and those that name a later one. */
  readonly longestCallMilliseconds: number;
  /** A caller broke the protocol; its connection is closed. */
  readonly onProtocolError: (reason: string) => void;
}

export interface UnaryServer {
  readonly server: Http2Server;
  /** Takes no more calls, lets those that run end, then closes every connection. */
  close(patienceMilliseconds: number): Promise<void>;
}

/** More at once than kube-apiserver ever has; the rest waits in the caller. */
const mostConcurrentStreams = 2048;

const replyHead = { ':status': 200, 'content-type': 'application/grpc' } as const;
const goodTrailers = { 'grpc-status': '0' } as const;

function answer(stream: ServerHttp2Stream, outcome: Outcome<Buffer>): void {
  if (stream.destroyed || stream.closed || stream.headersSent) return;
  if (!outcome.ok) {
    const words = { 'grpc-status': String(outcome.status), 'grpc-message': encodeWords(outcome.words) };
    stream.respond({ ...replyHead, ...words }, { endStream: true });
    return;
  }
  stream.once('wantTrailers', () => stream.sendTrailers(goodTrailers));
  stream.respond(replyHead, { waitForTrailers: true });
  stream.end(framed(outcome.value));
}

const tooLate: Refused = { ok: false, status: grpcStatus.deadlineExceeded, words: 'The deadline has passed.' };
const failed: Refused = refused('internal', 'Something went wrong inside the provider; its log says where.');

async function answerWhenDone(
  stream: ServerHttp2Stream,
  work: Promise<Outcome<Buffer>>,
  deadline: number,
): Promise<void> {
  const timer = setTimeout(() => answer(stream, tooLate), Math.max(0, deadline - performance.now()));
  try {
    answer(stream, await work);
  } finally {
    clearTimeout(timer);
  }
}

export function createUnaryServer(options: UnaryServerOptions): UnaryServer {
  const sessions = new Set<ServerHttp2Session>();
  const bug = (stream: ServerHttp2Stream, cause: unknown): void => {
    options.onProtocolError(cause instanceof Error ? `${cause.name} ${cause.stack?.split('\n')[1]?.trim() ?? ''}` : '');
    answer(stream, failed);
  };
  const carryOut = (stream: ServerHttp2Stream, method: UnaryMethod, body: Buffer, deadline: number): void => {
    const message = unframed(body);
    if (message === undefined) {
      answer(stream, refused('invalidArgument', 'The request is not one uncompressed gRPC message.'));
    } else if (performance.now() > deadline) {
      answer(stream, tooLate);
    } else {
      const outcome = method(message, deadline);
      if (outcome instanceof Promise)
        answerWhenDone(stream, outcome, deadline).catch((cause: unknown) => bug(stream, cause));
      else answer(stream, outcome);
    }
  };
  const server = createServer({ settings: { maxConcurrentStreams: mostConcurrentStreams, enablePush: false } });
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    // Told by 'sessionError' too; without a listener here it would end the process.
    session.on('error', (cause: Error) => options.onProtocolError(cause.message));
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => stream.close());
    const type = headers['content-type'];
    if (headers[':method'] !== 'POST' || type?.startsWith('application/grpc') !== true) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const method = options.methods.get(headers[':path'] ?? '');
    if (method === undefined) {
      stream.resume();
      answer(stream, refused('unimplemented', 'This server has the KMS v2 API (v2.KeyManagementService) alone.'));
      return;
    }
    const timeout = Math.min(readTimeout(headers['grpc-timeout']) ?? Infinity, options.longestCallMilliseconds);
    const deadline = performance.now() + timeout;
    const parts: Buffer[] = [];
    let length = 0;
    stream.on('data', (part: Buffer) => {
      length += part.length;
      if (length > options.largestRequest) {
        parts.length = 0;
        answer(stream, refused('resourceExhausted', `A request has at most ${options.largestRequest} bytes.`));
        return;
      }
      parts.push(part);
    });
    stream.on('end', () => {
      if (length > options.largestRequest) return;
      try {
        const [first] = parts;
        carryOut(stream, method, parts.length === 1 && first !== undefined ? first : Buffer.concat(parts), deadline);
      } catch (cause) {
        bug(stream, cause);
      }
    });
  });
  return {
    server,
    close: async (patienceMilliseconds) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.close();
      const timer = setTimeout(() => {
        for (const session of sessions) session.destroy();
      }, patienceMilliseconds);
      await closed;
      clearTimeout(timer);
    },
  };
}
