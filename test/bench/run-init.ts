/**
 * The whole initialisation run with five shares and the root token on a SoftHSM token, the proof by an
 * unseal included, beside Vault's own init call with the bare token operations (encrypt, write, read,
 * decrypt). Raft storage, TLS, a fresh Vault each time; who goes first in a round alternates.
 *
 * Alone: npx node test/bench/run-init.ts
 */
import { pathToFileURL } from 'node:url';
import { testPin } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startVaultServer } from '../servers/vault-server.ts';
import { encryptBare, median, openBareToken, openBareVault, timed } from './bare-parts.ts';
import type { MeasurementRow } from './measurement-row.ts';
import { openRunBench } from './run-bench.ts';

/** Vault's own part varies by seconds from one time to the next, so there are many, and medians are compared. */
const rounds = 15;
const target = 1.2;
const labels = [...Array.from({ length: 5 }, (_unused, index) => `vault-unseal-${index.toString()}`), 'vault-root'];

interface InitReply {
  readonly keys: readonly string[];
  readonly root_token: string;
}

const isInitReply = (value: unknown): value is InitReply =>
  typeof value === 'object' && value !== null && 'keys' in value && 'root_token' in value;

export default async function measureRunInit(): Promise<readonly MeasurementRow[]> {
  const bench = await openRunBench();
  try {
    const product: number[] = [];
    const byHand: number[] = [];
    const throughRun = async (): Promise<void> => {
      const ours = await startVaultServer();
      product.push(await timed(() => bench.carryThrough(bench.initPlan(ours))));
      await ours.stop();
      for (const label of labels)
        valueOf(await bench.harness.tokens.deleteData({ storeId: 'test', serial: bench.serial }, label));
    };
    const withBareParts = async (): Promise<void> => {
      const bare = await startVaultServer();
      const token = openBareToken(bench.configurationPath, bench.serial, testPin);
      const vault = openBareVault(bare);
      byHand.push(
        await timed(async () => {
          const reply = await vault.call('PUT', 'sys/init', { secret_shares: 5, secret_threshold: 3 });
          if (!isInitReply(reply)) throw new Error('no reply');
          [...reply.keys, reply.root_token].forEach((value, index) => {
            const label = labels[index] ?? '';
            token.write(label, encryptBare(bench.publicKeySpki, value));
            token.decrypt(token.read(label));
          });
        }),
      );
      for (const label of labels) token.remove(label);
      token.close();
      vault.close();
      await bare.stop();
    };
    for (let round = 0; round < rounds; round += 1) {
      // Who goes first alternates.
      for (const measure of round % 2 === 0 ? [throughRun, withBareParts] : [withBareParts, throughRun])
        await measure();
    }
    const ratio = median(product) / median(byHand);
    return [
      {
        what: 'Initialise a Vault, 5 shares on the token',
        measured: `${median(product).toFixed(0)} ms, ratio ${ratio.toFixed(2)}`,
        byHand: `${median(byHand).toFixed(0)} ms`,
        target: `at most ${target.toString()} times`,
        met: ratio <= target,
      },
    ];
  } finally {
    await bench.dispose();
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measureRunInit());
