/**
 * What node-vault costs beside the direct path that the share host uses: both over kept TLS connections to
 * the same real Vault, asking for seal status and giving one share (then resetting). In place of work by hand
 * stands node-vault: as its documentation has it, and with a keep-alive agent given to it.
 *
 * Alone: npx node test/bench/vault-calls.ts
 */
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { pathToFileURL } from 'node:url';
import nodeVault from 'node-vault';
import { createVaultTransport } from '../../electron/vault/transport.ts';
import type { VaultConnection } from '../../electron/workflows/ports.ts';
import { startVaultServer } from '../servers/vault-server.ts';
import type { MeasurementRow } from './measurement-row.ts';

const rounds = 200;

async function measure(act: () => Promise<unknown>): Promise<number> {
  for (let round = 0; round < 30; round += 1) await act();
  const start = performance.now();
  for (let round = 0; round < rounds; round += 1) await act();
  return (performance.now() - start) / rounds;
}

export default async function measureVaultCalls(): Promise<readonly MeasurementRow[]> {
  const server = await startVaultServer({ storage: 'inmem' });
  const transport = createVaultTransport();
  const rows: MeasurementRow[] = [];
  const httpsAgent = new Agent({ keepAlive: true, ca: await readFile(server.caPath) });
  try {
    const connection: VaultConnection = { address: server.address, trust: { kind: 'ca-file', path: server.caPath } };
    // As its documentation has it: a connection per call.
    const asItComes = nodeVault({
      endpoint: server.address,
      debug: () => undefined,
      requestOptions: { ca: await readFile(server.caPath) },
    });
    const client = nodeVault({ endpoint: server.address, debug: () => undefined, requestOptions: { httpsAgent } });
    // A throw-away Vault whose shares are worth nothing: this is the one place that lets them be strings.
    const { keys }: { keys: string[] } = await client.init({ secret_shares: 3, secret_threshold: 2 });
    const key = keys[0] ?? '';
    const put = (body: string) =>
      transport.exchange(connection, {
        method: 'PUT',
        path: '/v1/sys/unseal',
        body: Buffer.from(body),
        deadline: 5_000,
      });
    const cases = [
      {
        name: 'seal status',
        plain: () => asItComes.status(),
        library: () => client.status(),
        direct: () => transport.exchange(connection, { method: 'GET', path: '/v1/sys/seal-status', deadline: 5_000 }),
      },
      {
        name: 'unseal and reset',
        plain: async () => {
          await asItComes.unseal({ key });
          await asItComes.unseal({ reset: true });
        },
        library: async () => {
          await client.unseal({ key });
          await client.unseal({ reset: true });
        },
        direct: async () => {
          await put(JSON.stringify({ key }));
          await put('{"reset":true}');
        },
      },
    ];
    for (const { name, plain, library, direct } of cases) {
      const throughPlain = await measure(plain);
      const throughLibrary = await measure(library);
      const throughDirect = await measure(direct);
      rows.push({
        what: `Vault call: ${name}`,
        measured: `${throughDirect.toFixed(2)} ms`,
        byHand: `node-vault ${throughPlain.toFixed(2)} ms, with keep-alive ${throughLibrary.toFixed(2)} ms`,
      });
    }
    return rows;
  } finally {
    transport.close();
    httpsAgent.destroy();
    await server.stop();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measureVaultCalls());
