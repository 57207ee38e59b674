/** Kept connections to one server: as many as calls at once need, and no more than a bound. */
import { openHttpConnection, type Exchange, type HttpConnection, type HttpServer } from './connection.ts';

export interface PoolOptions {
  readonly mostConnections: number;
  /** How long one that nobody uses is kept, in milliseconds. */
  readonly keepAlive: number;
  /** How much later than its deadline an answer may come, in milliseconds, before its connection is given up. */
  readonly lateAnswer: number;
  /** Head included, in bytes. */
  readonly longestReply: number;
}

export interface HttpPool {
  /**
   * @param deadline in milliseconds of performance.now()
   * @param afresh on no connection that served before
   */
  exchange(request: Buffer, deadline: number, afresh?: boolean): Promise<Exchange>;
  /** Connections to the one before serve to the end what they have begun, and nothing after it. */
  replaceServer(server: HttpServer): void;
  close(): void;
}

interface Call {
  readonly request: Buffer;
  /** Undefined while it waits for one. */
  connection: HttpConnection | undefined;
  /** Later ones do nothing. */
  readonly settle: (exchange: Exchange) => void;
}

const failed = (reason: string): Exchange => ({ ok: false, reason, isBrokenOff: false, isStale: false });
const late = 'it did not answer in time';
const outdated = 'another has taken its place';

export function createHttpPool(firstServer: HttpServer, options: PoolOptions): HttpPool {
  let server = firstServer;
  const connections = new Set<HttpConnection>();
  /** The last that was used is the next: those at the front have waited longest. */
  const free: { readonly connection: HttpConnection; readonly since: number }[] = [];
  const waiting: Call[] = [];
  let isClosed = false;

  const serve = (connection: HttpConnection, call: Call): void => {
    call.connection = connection;
    connection.exchange(call.request, call.settle);
  };
  const open = (call: Call): void => {
    const itsServer = server;
    const connection = openHttpConnection(server, options.longestReply, {
      onFree: () => {
        if (itsServer !== server) {
          connection.destroy(outdated);
          return;
        }
        const next = waiting.shift();
        if (next === undefined) free.push({ connection, since: performance.now() });
        else serve(connection, next);
      },
      onClosed: () => {
        connections.delete(connection);
        const index = free.findIndex((entry) => entry.connection === connection);
        if (index !== -1) free.splice(index, 1);
        const next = isClosed ? undefined : waiting.shift();
        if (next !== undefined) open(next);
      },
    });
    connections.add(connection);
    serve(connection, call);
  };
  const dropUnused = (): void => {
    const since = performance.now() - options.keepAlive;
    while (free[0] !== undefined && free[0].since < since) free[0].connection.destroy('it was not used');
  };
  const assign = (call: Call, afresh: boolean): void => {
    dropUnused();
    if (afresh && connections.size >= options.mostConnections) free[0]?.connection.destroy(outdated);
    const reused = afresh ? undefined : free.pop();
    if (reused !== undefined) serve(reused.connection, call);
    else if (connections.size < options.mostConnections) open(call);
    else waiting.push(call);
  };
  return {
    exchange: (request, deadline, afresh = false) =>
      new Promise((resolve) => {
        if (isClosed) {
          resolve(failed('the provider is ending'));
          return;
        }
        const giveUp = (): void => {
          resolve(failed(late));
          // On a slow wire another connection would cost its handshake, and be too late as well: this one is kept.
          if (call.connection === undefined) waiting.splice(waiting.indexOf(call), 1);
          else timer = setTimeout(() => call.connection?.destroy(late), options.lateAnswer).unref();
        };
        let timer = setTimeout(giveUp, Math.max(1, Math.ceil(deadline - performance.now())));
        const call: Call = {
          request,
          connection: undefined,
          settle: (exchange) => {
            clearTimeout(timer);
            resolve(exchange);
          },
        };
        assign(call, afresh);
      }),
    replaceServer: (next) => {
      server = next;
      for (const { connection } of free.slice()) connection.destroy(outdated);
    },
    close: () => {
      isClosed = true;
      for (const call of waiting.splice(0)) call.settle(failed('the provider is ending'));
      for (const connection of connections) connection.destroy('the provider is ending');
    },
  };
}
