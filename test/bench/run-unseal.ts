/**
 * An unseal run with three shares from a SoftHSM token, journal and reading of the seal status included,
 * beside three bare decrypts and three bare HTTP calls. Raft storage, TLS; the token is logged in and the
 * hosts are up, as after a log-in on the desktop. Each round seals the same Vault anew.
 *
 * Alone: npx node test/bench/run-unseal.ts
 */
import { setTimeout as delay } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { testPin } from '../fixtures/run-harness.ts';
import { startVaultServer } from '../servers/vault-server.ts';
import { median, openBareToken, openBareVault, timed } from './bare-parts.ts';
import type { MeasurementRow } from './measurement-row.ts';
import { openRunBench } from './run-bench.ts';

const rounds = 9;
const target = 1.5;

export default async function measureRunUnseal(): Promise<readonly MeasurementRow[]> {
  const bench = await openRunBench();
  const server = await startVaultServer();
  try {
    await bench.carryThrough(bench.initPlan(server));
    const token = openBareToken(bench.configurationPath, bench.serial, testPin);
    const vault = openBareVault(server);
    const rootToken = token.decrypt(token.read('vault-root')).toString('utf8');
    const seal = async (): Promise<void> => {
      for (let attempt = 0; ; attempt += 1) {
        try {
          await vault.call('PUT', 'sys/seal', undefined, rootToken);
          return;
        } catch (cause) {
          // A node that was unsealed a moment ago does not lead yet.
          if (attempt > 200) throw cause;
          await delay(50);
        }
      }
    };
    const product: number[] = [];
    const byHand: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      await seal();
      product.push(await timed(() => bench.carryThrough(bench.unsealPlan(server))));
      await seal();
      byHand.push(
        await timed(async () => {
          for (let index = 0; index < 3; index += 1) {
            const share = token.decrypt(token.read(`vault-unseal-${index.toString()}`)).toString('utf8');
            await vault.call('PUT', 'sys/unseal', { key: share });
          }
        }),
      );
    }
    token.close();
    vault.close();
    const ratio = median(product.map((milliseconds, index) => milliseconds / (byHand[index] ?? Number.NaN)));
    return [
      {
        what: 'Unseal with 3 shares from the token',
        measured: `${median(product).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
        byHand: `${median(byHand).toFixed(0)} ms`,
        target: `at most ${target.toString()} times`,
        met: ratio <= target,
      },
    ];
  } finally {
    await server.stop();
    await bench.dispose();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measureRunUnseal());
