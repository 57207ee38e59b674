/** /livez, /readyz and /metrics on loopback, for the kubelet and for Prometheus on the node. */
import { createServer, type Server } from 'node:http';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';
import type { Health } from './backend.ts';
import type { Metrics } from './metrics.ts';

export interface HealthServerParts {
  readonly health: () => Health;
  readonly metrics: Metrics;
}

function replyTo(path: string, { health, metrics }: HealthServerParts): readonly [status: number, body: string] {
  if (path === '/livez') return [200, 'ok\n'];
  if (path === '/metrics') return [200, metrics.text(Date.now() / 1000)];
  if (path !== '/readyz') return [404, 'There are /livez, /readyz and /metrics.\n'];
  const found = health();
  return found.healthy ? [200, 'ok\n'] : [503, `${found.reason}\n`];
}

/** What Node says of a server that listens, as HOST:PORT: the port may have been left to the system with 0. */
export function addressText(server: Server): string {
  const address = server.address();
  return typeof address === 'object' && address !== null ? `${address.address}:${address.port}` : '';
}

/** @returns the server, which listens; the caller closes it */
export async function startHealthServer(
  address: { readonly host: string; readonly port: number },
  parts: HealthServerParts,
): Promise<Result<Server, 'Kms_HealthUnavailable'>> {
  const server = createServer({ requestTimeout: 5000 }, (request, response) => {
    const [status, body] = request.method === 'GET' ? replyTo(request.url ?? '', parts) : [405, 'GET alone.\n'];
    response.writeHead(status, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', connection: 'close' });
    response.end(body);
  });
  const problem = await new Promise<string | undefined>((resolve) => {
    server.once('error', (cause) => resolve(cause.message));
    server.listen(address.port, address.host, () => resolve(undefined));
  });
  if (problem === undefined) return success(server);
  return failure(
    'Kms_HealthUnavailable',
    `The health endpoints cannot be opened at ${address.host}:${address.port} (${problem}).`,
    'Choose another port with health in the configuration, or "" for none.',
  );
}
