/**
 * From Shamir to an auto-seal and back. The seal is Transit of a second Vault: Vault's own pkcs11 seal is Enterprise's,
 * and what a migration asks of the shares is the same for every kind.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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

const common = (of = vault) =>
  ({
    rehearsal: false,
    vaultId: 'vault-1',
    vaultName: 'Sealed Vault',
    connections: of.addresses.map((address) => ({ address, trust: { kind: 'ca-file', path: of.caPath } })),
    sources: [
      { kind: 'typed', custodian: 'Ada' },
      { kind: 'typed', custodian: 'Grace' },
    ],
  }) satisfies Partial<SealMigrationPlan>;
const migrationTo = (sealType: SealMigrationPlan['sealType'], of = vault): SealMigrationPlan => ({
  workflow: 'seal-migration',
  sealType,
  ...common(of),
});

async function carryThrough(plan: SealMigrationPlan | UnsealPlan): Promise<RunSnapshot> {
  const { runId } = valueOf(await desk.harness.runner.start(plan, 'Ada'));
  return valueOf(
    await desk.harness.runner.proceed(runId, { by: 'Ada', typedName: 'Sealed Vault', throughDeliberateSteps: true }),
  );
}
const failureCode = ({ state }: RunSnapshot): string | undefined =>
  state.steps.find(({ status }) => status === 'failed')?.failure?.code;
const giveShares = (shares = testShares): number => desk.harness.prompt.shareAnswers.push(...shares.slice(0, 2));

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

describe('three nodes', () => {
  let cluster: TestVault;
  let clusterShares: readonly string[] = [];

  beforeAll(async () => {
    cluster = await startVaultServer({ nodes: 3 });
    const byHand = vaultByHand(cluster);
    clusterShares = (await byHand.initialize(3, 2)).testShares;
    await byHand.unseal(clusterShares.slice(0, 2));
  });
  afterAll(() => cluster.stop());

  const patient = { timeout: 60_000, interval: 300 };
  const states = async (): Promise<readonly string[]> =>
    Promise.all(
      common(cluster).connections.map(async (connection) => {
        const health = await desk.harness.vault.health(connection);
        return health.ok ? health.value.state : health.error.code;
      }),
    );

  /** One node after the other, the active one last; each is restarted when its step is at hand. */
  async function migrate(sealType: SealMigrationPlan['sealType'], further: string): Promise<RunSnapshot> {
    const active = (await states()).indexOf('active');
    const order = [0, 1, 2].filter((node) => node !== active).concat(active);
    const plan = migrationTo(sealType, cluster);
    const connections = order.flatMap((node) => plan.connections[node] ?? []);
    const { runner } = desk.harness;
    const { runId } = valueOf(await runner.start({ ...plan, connections }, 'Ada'));
    let run = valueOf(await runner.snapshot(runId));
    const stepAtHand = (): string => run.state.steps.find(({ status }) => status === 'current')?.id ?? '';
    for (const [place, node] of order.entries()) {
      expect(stepAtHand()).toBe(`restart-node-${(place + 1).toString()}`);
      await cluster.restartNode(node, further);
      giveShares(clusterShares);
      do {
        const choices = { by: 'Ada', typedName: 'Sealed Vault', throughDeliberateSteps: false };
        run = valueOf(await runner.proceed(runId, choices));
        expect(failureCode(run), JSON.stringify(run.state.steps)).toBe(undefined);
      } while (run.state.status === 'open' && !stepAtHand().startsWith('restart-'));
    }
    return run;
  }

  test('to an auto-seal and back, one node at a time', async () => {
    await expect.poll(states, patient).toEqual(['active', 'sealed', 'sealed']);
    giveShares(clusterShares);
    expect((await carryThrough({ workflow: 'unseal', ...common(cluster) })).state.status).toBe('completed');
    await expect.poll(states, patient).toEqual(['active', 'standby', 'standby']);

    expect((await migrate('transit', `${stanza}}`)).state).toMatchObject({
      status: 'completed',
      facts: { sealType: 'transit' },
    });
    await cluster.restart();
    // Each by itself.
    await expect.poll(async () => (await states()).toSorted(), patient).toEqual(['active', 'standby', 'standby']);

    expect((await migrate('shamir', `${stanza}  disabled = "true"\n}`)).state).toMatchObject({
      status: 'completed',
      facts: { sealType: 'shamir' },
    });
    await cluster.restart('');
    giveShares(clusterShares);
    const unsealed = await carryThrough({ workflow: 'unseal', ...common(cluster) });
    expect(unsealed.state).toMatchObject({ status: 'completed', facts: { nodes: 3, sealedNodes: 0 } });
  });
});
