/** Setting up Transit as a run: a wrong token is asked for again, a lock in the middle asks again, no token is on disk. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { TransitSetUpPlan } from '../../electron/workflows/vault-setup-plans.ts';
import { openRunDesk, type RunDesk } from '../fixtures/run-desk.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let vault: TestVault;
let byHand: ByHand;
let desk: RunDesk;
let testRootToken = '';
let plan: TransitSetUpPlan;

beforeEach(async () => {
  vault = await startVaultServer({ storage: 'inmem' });
  byHand = vaultByHand(vault);
  const initialized = await byHand.initialize(1, 1);
  testRootToken = initialized.testRootToken;
  await byHand.unseal(initialized.testShares);
  desk = await openRunDesk();
  plan = {
    workflow: 'transit-setup',
    rehearsal: false,
    vaultId: 'vault-1',
    vaultName: 'Backing Vault',
    connection: { address: vault.address, trust: { kind: 'ca-file', path: vault.caPath } },
    namespace: '',
    wanted: [
      { kind: 'transit-engine', mount: 'kms/transit' },
      { kind: 'transit-key', mount: 'kms/transit', name: 'kleidi' },
      {
        kind: 'policy',
        name: 'kleidi',
        text: `path "kms/transit/encrypt/kleidi" { capabilities = ["update"] }
path "kms/transit/decrypt/kleidi" { capabilities = ["update"] }
path "kms/transit/keys/kleidi" { capabilities = ["read"] }
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
`,
      },
    ],
    tried: { policy: 'kleidi', mount: 'kms/transit', key: 'kleidi' },
    replaceDiffering: false,
  };
});
afterEach(async () => {
  await desk.close();
  await vault.stop();
});

const outcomes = (snapshot: RunSnapshot): readonly string[] =>
  snapshot.state.steps.map(({ id, status }) => `${id} ${status}`);

test('from an empty Vault to a key that a plugin may use; the transcript has no token', async () => {
  desk.harness.prompt.passwordAnswers.push('hvs.wrong', testRootToken);
  const ended = await desk.carryThrough(plan);
  expect(outcomes(ended)).toEqual([
    'token done',
    'make-1-transit-engine done',
    'make-2-transit-key done',
    'make-3-policy done',
    'try-policy done',
    'forget-token done',
  ]);
  expect(ended.state.status).toBe('completed');
  expect(desk.harness.prompt.asked).toEqual(['vault-token ', 'vault-token  again']);
  expect(ended.state.facts).toMatchObject({ keyType: 'aes256-gcm96', exportable: false, keyVersion: 1 });
  const { dataDirectory } = desk.harness;
  for (const name of await readdir(dataDirectory, { recursive: true, withFileTypes: true })) {
    if (!name.isFile()) continue;
    expect((await readFile(join(name.parentPath, name.name))).includes(testRootToken), name.name).toBe(false);
  }
});

test('a lock in the middle: the token is asked for again, and what was made is found', async () => {
  desk.harness.prompt.passwordAnswers.push(testRootToken, testRootToken);
  desk.atStart('make-3-policy', () => desk.harness.shares.close());
  const stopped = await desk.carryThrough(plan);
  const ended = stopped.state.status === 'completed' ? stopped : await desk.goOn(stopped.state.runId);
  expect(ended.state.status).toBe('completed');
  expect(desk.harness.prompt.asked).toHaveLength(2);
  expect(ended.state.facts['tokenGivenAgain']).toBe(true);
});

test('a second run finds all of it, and what another administrator changed is said and left', async () => {
  desk.harness.prompt.passwordAnswers.push(testRootToken, testRootToken, testRootToken);
  expect((await desk.carryThrough(plan)).state.status).toBe('completed');
  expect((await desk.carryThrough(plan)).state.status).toBe('completed');
  await byHand.call(
    'PUT',
    'sys/policies/acl/kleidi',
    { policy: 'path "x" { capabilities = ["read"] }' },
    testRootToken,
  );
  const refused = await desk.carryThrough(plan);
  expect(refused.state.steps.find(({ id }) => id === 'make-3-policy')?.failure?.code).toBe('Vault_SetUpDiffers');
});
