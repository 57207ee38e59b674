/** Shares are read by name and given straight on: what that meets when the token or Vault is not as expected. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openRunBench, type RunBench } from '../bench/run-bench.ts';
import { openBareVault } from '../bench/bare-parts.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import { sealTestPin, valueOf } from '../fixtures/token-port.ts';
import { testPin } from '../fixtures/run-harness.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let bench: RunBench;
let vault: TestVault;
let rootToken = '';
const tokenOf = () => ({ storeId: 'test', serial: bench.serial });

beforeAll(async () => {
  bench = await openRunBench();
  vault = await startVaultServer({ storage: 'inmem' });
  await bench.carryThrough(bench.initPlan(vault));
  const pair = await createSealingKeyPair();
  const sealed = valueOf(
    await bench.harness.tokens.decryptData(tokenOf(), 'bank-vaults', 'vault-root', pair.publicKey, 'test'),
  );
  rootToken = Buffer.from((await openSecret(pair, sealed, 'test')) ?? []).toString('utf8');
});

afterAll(async () => {
  await vault.stop();
  await bench.dispose();
});

async function seal(): Promise<void> {
  const bare = openBareVault(vault);
  await bare.call('PUT', 'sys/seal', undefined, rootToken);
  bare.close();
}

it('finds the other shares where one is not under its name', async () => {
  const { tokens } = bench.harness;
  const kept = valueOf(await tokens.readData(tokenOf(), 'vault-unseal-1'));
  valueOf(await tokens.deleteData(tokenOf(), 'vault-unseal-1'));
  await seal();
  const ended = await bench.carryThrough(bench.unsealPlan(vault));
  expect(ended.state.facts).toMatchObject({
    sealedNodes: 0,
    sharesGiven: 'vault-unseal-0, vault-unseal-2, vault-unseal-3',
  });
  valueOf(await tokens.writeData(tokenOf(), 'vault-unseal-1', kept));
});

it('leaves out a foreign share and one that cannot be decrypted, and says so', async () => {
  const { tokens } = bench.harness;
  const key = createPublicKey({ key: Buffer.from(bench.publicKeySpki, 'base64'), format: 'der', type: 'spki' });
  const foreign = publicEncrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(`${'ab'.repeat(32)}77`),
  );
  const kept = [];
  for (const [label, value] of [
    ['vault-unseal-0', foreign],
    ['vault-unseal-2', Buffer.alloc(256, 7)],
  ] as const) {
    kept.push({ label, value: valueOf(await tokens.readData(tokenOf(), label)) });
    valueOf(await tokens.deleteData(tokenOf(), label));
    valueOf(await tokens.writeData(tokenOf(), label, value));
  }
  await seal();
  const ended = await bench.carryThrough(bench.unsealPlan(vault));
  expect(ended.state.facts).toMatchObject({ sealedNodes: 0, sharesLeftOut: 'vault-unseal-2, vault-unseal-0' });
  expect(ended.state.deviations).toHaveLength(1);
  for (const { label, value } of kept) {
    valueOf(await tokens.deleteData(tokenOf(), label));
    valueOf(await tokens.writeData(tokenOf(), label, value));
  }
});

it('asks for the PIN once more where the token host ended while several shares were being read', async () => {
  const { harness } = bench;
  await seal();
  valueOf(
    await harness.tokens.login(tokenOf(), await sealTestPin(harness.tokens, 'test', bench.serial, testPin), false),
  );
  const asked = harness.prompt.asked.length;
  bench.onEvent = async (event) => {
    if (event.type !== 'step-started' || event.step !== 'token') return;
    bench.onEvent = undefined;
    await harness.tokens.closeAll();
  };
  const run = await bench.carryThrough(bench.unsealPlan(vault));
  expect(run.state.facts['sealedNodes']).toBe(0);
  expect(harness.prompt.asked.slice(asked)).toEqual(['pin user']);
});
