/** A wire that misbehaves: between a client and a server of the tests it delays, swallows or cuts what passes. */
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Every chunk, both ways, waits so long, in milliseconds; 0 for none. */
  delay(milliseconds: number): void;
  /** Connections are taken, and nothing comes through any more: what a firewall that drops looks like. */
  swallow(): void;
  /** What was swallowed is lost; what comes from now on passes. */
  pass(): void;
  /** Resets every connection that is open. New ones pass. */
  cut(): void;
  /** Connections that have been made so far. */
  connections(): number;
  close(): Promise<void>;
}

/** @param targetPort on 127.0.0.1 */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  let waitMilliseconds = 0;
  let swallowing = false;
  let made = 0;
  const open = new Set<Socket>();
  const relay = (from: Socket, to: Socket): void => {
    from.on('data', (chunk: Buffer) => {
      if (swallowing) return;
      if (waitMilliseconds === 0) to.write(chunk);
      else setTimeout(() => to.writable && to.write(chunk), waitMilliseconds);
    });
    from.on('end', () => setTimeout(() => to.end(), waitMilliseconds));
    from.on('error', () => to.destroy());
    from.on('close', () => open.delete(from));
  };
  const server: Server = createServer({ allowHalfOpen: true }, (client) => {
    made += 1;
    const upstream = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [client, upstream]) open.add(socket.setNoDelay(true));
    relay(client, upstream);
    relay(upstream, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy listens on no port.');
  const cut = (): void => {
    for (const socket of open) socket.resetAndDestroy();
    open.clear();
  };
  return {
    port: address.port,
    delay: (milliseconds) => {
      waitMilliseconds = milliseconds;
    },
    swallow: () => {
      swallowing = true;
    },
    pass: () => {
      swallowing = false;
    },
    cut,
    connections: () => made,
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
