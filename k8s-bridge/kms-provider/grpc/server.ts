/** A gRPC server for unary calls (grpc.io, “gRPC over HTTP2”) on the unix socket's own small HTTP/2. */
import { createServer, type Server } from 'node:net';
import { serveConnection, type Connection, type Reply, type Request } from '../http2/connection.ts';
import { encodeHeaders } from '../http2/header-fields.ts';
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
  readonly server: Server;
  /** Takes no more calls, lets those that run end, then closes every connection. */
  close(patienceMilliseconds: number): Promise<void>;
}

/** More at once than kube-apiserver ever has; the rest waits in the caller. */
const mostConcurrentStreams = 2048;
/** Of grpc-message, percent-encoded: what callers take as a header. */
const longestWords = 4096;

const replyHead = { ':status': '200', 'content-type': 'application/grpc' } as const;
const goodHead = encodeHeaders(replyHead);
const goodTrailers = encodeHeaders({ 'grpc-status': '0' });
const wrongMediaType: Reply = { head: encodeHeaders({ ':status': '415' }) };

function replyFor(outcome: Outcome<Buffer>): Reply {
  if (outcome.ok) return { head: goodHead, body: framed(outcome.value), trailers: goodTrailers };
  const words = encodeWords(outcome.words).slice(0, longestWords);
  return { head: encodeHeaders({ ...replyHead, 'grpc-status': String(outcome.status), 'grpc-message': words }) };
}

const tooLate: Refused = { ok: false, status: grpcStatus.deadlineExceeded, words: 'The deadline has passed.' };
const failed: Refused = refused('internal', 'Something went wrong inside the provider; its log says where.');

type Answer = (outcome: Outcome<Buffer>) => void;

async function answerWhenDone(answer: Answer, work: Promise<Outcome<Buffer>>, deadline: number): Promise<void> {
  const timer = setTimeout(() => answer(tooLate), Math.max(0, Math.ceil(deadline - performance.now())));
  try {
    answer(await work);
  } finally {
    clearTimeout(timer);
  }
}

export function createUnaryServer(options: UnaryServerOptions): UnaryServer {
  const connections = new Set<Connection>();
  const bug = (answer: Answer, cause: unknown): void => {
    options.onProtocolError(cause instanceof Error ? `${cause.name} ${cause.stack?.split('\n')[1]?.trim() ?? ''}` : '');
    answer(failed);
  };
  const carryOut = ({ headers, body, arrived }: Request, answer: Answer): void => {
    const method = options.methods.get(headers.get(':path') ?? '');
    if (method === undefined) {
      answer(refused('unimplemented', 'This server has the KMS v2 API (v2.KeyManagementService) alone.'));
      return;
    }
    if (body === undefined) {
      answer(refused('resourceExhausted', `A request has at most ${options.largestRequest} bytes.`));
      return;
    }
    const message = unframed(body);
    if (message === undefined) {
      answer(refused('invalidArgument', 'The request is not one uncompressed gRPC message.'));
      return;
    }
    const timeout = Math.min(readTimeout(headers.get('grpc-timeout')) ?? Infinity, options.longestCallMilliseconds);
    const deadline = arrived + timeout;
    if (performance.now() > deadline) {
      answer(tooLate);
      return;
    }
    const outcome = method(message, deadline);
    if (outcome instanceof Promise)
      answerWhenDone(answer, outcome, deadline).catch((cause: unknown) => bug(answer, cause));
    else answer(outcome);
  };
  const onRequest = (request: Request, reply: (reply: Reply) => void): void => {
    const type = request.headers.get('content-type');
    if (request.headers.get(':method') !== 'POST' || type?.startsWith('application/grpc') !== true) {
      reply(wrongMediaType);
      return;
    }
    const answer: Answer = (outcome) => reply(replyFor(outcome));
    try {
      carryOut(request, answer);
    } catch (cause) {
      bug(answer, cause);
    }
  };
  const server = createServer((socket) => {
    const connection = serveConnection(socket, {
      largestRequest: options.largestRequest,
      mostStreams: mostConcurrentStreams,
      onRequest,
      onProtocolError: options.onProtocolError,
    });
    connections.add(connection);
    socket.once('close', () => connections.delete(connection));
  });
  return {
    server,
    close: async (patienceMilliseconds) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const connection of connections) connection.goAway();
      const timer = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, patienceMilliseconds);
      await closed;
      clearTimeout(timer);
    },
  };
}
