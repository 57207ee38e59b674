/**
 * From Shamir to an auto-seal and back. The seal is Transit of a second Vault: Vault's own pkcs11 seal is Enterprise's,
 * and what a migration asks of the shares is the same for every kind.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { SealMigrationPlan, UnsealPlan } from '../../electron/workflows/plans.ts';
import { openRunDesk, type RunDesk } from '../fixtures/run-desk.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { vaultByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let sealing: TestVault;
let vault: TestVault;
let desk: RunDesk;
let stanza = '';
let testShares: readonly string[] = [];

beforeAll(async () => {
  sealing = await startVaultServer({ storage: 'inmem' });
  const sealingByHand = vaultByHand(sealing);
  const { testShares: keys, testRootToken } = await sealingByHand.initialize(1, 1);
  await sealingByHand.unseal(keys);
  await sealingByHand.call('PUT', 'sys/mounts/transit', { type: 'transit' }, testRootToken);
  await sealingByHand.call('PUT', 'transit/keys/seal', {}, testRootToken);
  stanza = `seal "transit" {
  address = "${sealing.address}"
  token = "${testRootToken}"
  key_name = "seal"
  mount_path = "transit"
  tls_ca_cert = "${sealing.caPath}"
`;
  vault = await startVaultServer({ storage: 'raft' });
  const byHand = vaultByHand(vault);
  testShares = (await byHand.initialize(3, 2)).testShares;
  await byHand.unseal(testShares.slice(0, 2));
  desk = await openRunDesk();
});
afterAll(async () => {
  await desk.close();
  await vault.stop();
  await sealing.stop();
});

const common = () =>
  ({
    rehearsal: false,
    vaultId: 'vault-1',
    vaultName: 'Sealed Vault',
    connections: [{ address: vault.address, trust: { kind: 'ca-file', path: vault.caPath } }],
    sources: [
      { kind: 'typed', custodian: 'Ada' },
      { kind: 'typed', custodian: 'Grace' },
    ],
  }) satisfies Partial<SealMigrationPlan>;
const migrationTo = (sealType: SealMigrationPlan['sealType']): SealMigrationPlan => ({
  workflow: 'seal-migration',
  sealType,
  ...common(),
});

async function carryThrough(plan: SealMigrationPlan | UnsealPlan): Promise<RunSnapshot> {
  const { runId } = valueOf(await desk.harness.runner.start(plan, 'Ada'));
  return valueOf(
    await desk.harness.runner.proceed(runId, { by: 'Ada', typedName: 'Sealed Vault', throughDeliberateSteps: true }),
  );
}
const failureCode = ({ state }: RunSnapshot): string | undefined =>
  state.steps.find(({ status }) => status === 'failed')?.failure?.code;
const giveShares = (): number => desk.harness.prompt.shareAnswers.push(...testShares.slice(0, 2));

test('a node that was not restarted with the new seal gets no share', async () => {
  expect(failureCode(await carryThrough(migrationTo('transit')))).toBe('Vault_MigrationNotOffered');
  expect(desk.harness.prompt.asked).toEqual([]);
});

test('a node that waits for a migration gets no share of an ordinary unseal', async () => {
  await vault.restart(`${stanza}}`);
  giveShares();
  expect(failureCode(await carryThrough({ workflow: 'unseal', ...common() }))).toMatch(
    /Vault_(MigrationPending|NotShamir)/u,
  );
  desk.harness.prompt.shareAnswers.length = 0;
});

test('to the auto-seal: unsealed, and from now on by itself', async () => {
  giveShares();
  const ended = await carryThrough(migrationTo('transit'));
  expect(ended.state.status, JSON.stringify(ended.state.steps.map(({ failure }) => failure))).toBe('completed');
  expect(ended.state.facts).toMatchObject({ sealType: 'transit', recoverySeal: true });
  await vault.restart();
  const node = { address: vault.address, trust: { kind: 'ca-file', path: vault.caPath } } as const;
  await expect
    .poll(async () => desk.harness.vault.sealStatus(node), { timeout: 30_000 })
    .toMatchObject({ ok: true, value: { sealed: false, type: 'transit' } });
});

test('and back to Shamir with what are recovery keys now', async () => {
  await vault.restart(`${stanza}  disabled = "true"\n}`);
  giveShares();
  const ended = await carryThrough(migrationTo('shamir'));
  expect(ended.state.status, JSON.stringify(ended.state.steps.map(({ failure }) => failure))).toBe('completed');
  expect(ended.state.facts).toMatchObject({ sealType: 'shamir', recoverySeal: false });
  await vault.restart('');
  giveShares();
  const unsealed = await carryThrough({ workflow: 'unseal', ...common() });
  expect(unsealed.state.facts['sealedNodes']).toBe(0);
});
