import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { VaultWatch } from '../../electron/core/core.ts';
import { createVaultPort } from '../../electron/vault/vault-port.ts';
import { createVaultWatch } from '../../electron/vault/watch.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let server: TestVault;
let other: ByHand;
let secrets: Awaited<ReturnType<ByHand['initialize']>>;
const port = createVaultPort();
let watch: VaultWatch | undefined;

beforeAll(async () => {
  server = await startVaultServer();
  other = vaultByHand(server);
  secrets = await other.initialize(1, 1);
});
afterEach(() => watch?.stop());
afterAll(async () => {
  port.close();
  await server.stop();
});

/** A watch that looks often, and every word that it says about seals. */
async function watching(): Promise<{ readonly watch: VaultWatch; readonly told: string[]; state(): string }> {
  const made = createVaultWatch({
    vault: port,
    vaults: () => [
      { id: 'one', connections: [{ address: server.address, trust: { kind: 'ca-file', path: server.caPath } }] },
    ],
    interval: 50,
  });
  const told: string[] = [];
  made.subscribe(({ newlySealed }) => told.push(...newlySealed));
  made.start();
  watch = made;
  const state = (): string => {
    const result = made.nodes.get('one')?.[0]?.result;
    if (result === undefined) return 'not asked yet';
    if (!result.ok) return result.error.code;
    return result.value.sealed ? 'sealed' : 'unsealed';
  };
  await expect.poll(state).not.toBe('not asked yet');
  return { watch: made, told, state };
}

/** Long enough for several rounds more. */
async function someRounds(made: VaultWatch): Promise<void> {
  for (let round = 0; round < 3; round += 1) await made.refresh('one');
}

describe('the watch of a real Vault', () => {
  test('says once that it has been sealed by somebody, and once more the next time', async () => {
    const { watch: made, told, state } = await watching();
    expect(state()).toBe('sealed');
    // It was sealed when it was first seen: nothing has become of it.
    await someRounds(made);
    expect(told).toEqual([]);
    await other.unseal(secrets.testShares);
    await expect.poll(state).toBe('unsealed');
    expect(told).toEqual([]);
    for (const times of [1, 2]) {
      await other.seal(secrets.testRootToken);
      await expect.poll(state).toBe('sealed');
      await someRounds(made);
      expect(told).toHaveLength(times);
      await other.unseal(secrets.testShares);
      await expect.poll(state).toBe('unsealed');
    }
    expect(told).toEqual(['one', 'one']);
  });

  test('out of reach is not sealed; sealed after a restart is said once', async () => {
    const { watch: made, told, state } = await watching();
    await expect.poll(state).toBe('unsealed');
    await server.kill();
    await expect.poll(state).toBe('Vault_Unreachable');
    await someRounds(made);
    expect(told).toEqual([]);
    await server.restart();
    await expect.poll(state).toBe('sealed');
    await someRounds(made);
    expect(told).toEqual(['one']);
  });
});
