/**
 * An unseal run with three shares from a SoftHSM token beside three bare decrypts and three bare HTTP calls.
 * What is timed of the run is what the person waits for: from the moment when the token has taken the PIN
 * until the run says that Vault is unsealed and its end is in the journal on disk. The hosts are up, as the
 * desktop has them after a log-in; reading the seal status and warming the share host happen while the PIN is
 * typed, before that moment. By hand, the session is logged in and the connection open before. Raft storage,
 * TLS. Each round seals the same Vault anew, and who goes first alternates.
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

/** Vault's own part varies from one time to the next, so there are many, and medians are compared. */
const rounds = 66;
/** Of them, to warm both up. */
const warmUps = 2;
const target = 1.5;
/** For Vault to be done with sealing, so that its own work falls on neither, milliseconds. */
const settleMilliseconds = 300;
const settle = (): Promise<void> => delay(settleMilliseconds);

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
    const throughRun = async (): Promise<number> => {
      await bench.logOut();
      await settle();
      await bench.carryThrough(bench.unsealPlan(server));
      return performance.now() - bench.loggedInAt;
    };
    const withBareParts = async (): Promise<number> => {
      await settle();
      return timed(async () => {
        for (let index = 0; index < 3; index += 1) {
          const share = token.decrypt(token.read(`vault-unseal-${index.toString()}`)).toString('utf8');
          await vault.call('PUT', 'sys/unseal', { key: share });
        }
      });
    };
    for (let round = 0; round < rounds; round += 1) {
      const measured = new Map<() => Promise<number>, number>();
      for (const measure of round % 2 === 0 ? [throughRun, withBareParts] : [withBareParts, throughRun]) {
        await seal();
        measured.set(measure, await measure());
      }
      if (round < warmUps) continue;
      product.push(measured.get(throughRun) ?? Number.NaN);
      byHand.push(measured.get(withBareParts) ?? Number.NaN);
    }
    token.close();
    vault.close();
    const ratio = median(product) / median(byHand);
    return [
      {
        what: 'Unseal with 3 shares from the token, from the PIN’s acceptance to the end of the run on disk',
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
