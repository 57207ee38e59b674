import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import {
  connectionsOf,
  failedSteps,
  initPlanOf,
  openRunDesk,
  unsealPlanOf,
  type RunDesk,
} from '../fixtures/run-desk.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let desk: RunDesk;
let cluster: TestVault;
let serial: string;

beforeAll(async () => {
  desk = await openRunDesk();
  serial = await desk.setUpToken('cluster');
  cluster = await startVaultServer({ nodes: 3 });
  const init = await desk.carryThrough(initPlanOf(cluster, serial));
  expect(failedSteps(init)).toEqual([]);
});
afterAll(async () => {
  await cluster.stop();
  await desk.close();
});

/** What each node says of itself, in the order of their addresses. */
async function states(): Promise<readonly string[]> {
  const healths = await Promise.all(connectionsOf(cluster).map((connection) => desk.harness.vault.health(connection)));
  return healths.map((health) => (health.ok ? health.value.state : health.error.code));
}

describe('a cluster of three', () => {
  test('its further nodes are unsealed in one act once they have joined', async () => {
    await expect.poll(states, { timeout: 30_000, interval: 300 }).toEqual(['active', 'sealed', 'sealed']);
    const unsealed = await desk.carryThrough(unsealPlanOf(cluster, serial));
    expect(failedSteps(unsealed)).toEqual([]);
    expect(unsealed.state).toMatchObject({ status: 'completed', facts: { nodes: 3, sealedNodes: 0 } });
    await expect.poll(states, { timeout: 30_000, interval: 300 }).toEqual(['active', 'standby', 'standby']);
  });

  test('a standby is a state and no failure: nothing to unseal, and never initialised again', async () => {
    const [, standby] = connectionsOf(cluster);
    if (standby === undefined) throw new Error('no second node');
    const unsealed = await desk.carryThrough(unsealPlanOf(cluster, serial, { connections: [standby] }));
    expect(unsealed.state).toMatchObject({ status: 'completed', facts: { sealedNodes: 0 } });
    const init = await desk.carryThrough(initPlanOf(cluster, serial, { connection: standby }));
    expect(failedSteps(init)).toEqual(['check-vault: Vault_AlreadyInitialized']);
    expect(valueOf(await desk.harness.vault.sealStatus(standby))).toMatchObject({ initialized: true, sealed: false });
  });

  test('a share is taken by the nodes that can be reached, and the one that cannot is named', async () => {
    await cluster.restart();
    await cluster.kill(2);
    const { tokens, shares } = desk.harness;
    const token = { storeId: 'test', serial };
    const recipient = valueOf(await shares.sealingPublicKey());
    const outcomes: string[][] = [];
    for (const label of ['vault-unseal-0', 'vault-unseal-1']) {
      const value = valueOf(await tokens.readData(token, label));
      const share = valueOf(await tokens.decrypt(token, 'bank-vaults', value, recipient, secretPurpose.share));
      const submitted = valueOf(await shares.submitShare(connectionsOf(cluster), share));
      expect(submitted.map(({ address }) => address)).toEqual(cluster.addresses);
      outcomes.push(
        submitted.map(({ result }) => (result.ok ? `sealed ${String(result.value.sealed)}` : result.error.code)),
      );
    }
    expect(outcomes).toEqual([
      ['sealed true', 'sealed true', 'Vault_Unreachable'],
      ['sealed false', 'sealed false', 'Vault_Unreachable'],
    ]);
    await expect
      .poll(states, { timeout: 30_000, interval: 300 })
      .toEqual([
        expect.stringMatching(/active|standby/u),
        expect.stringMatching(/active|standby/u),
        'Vault_Unreachable',
      ]);
  });

  test('a run unseals the others, names the node that it cannot reach, and the next one unseals that', async () => {
    await cluster.restart();
    await cluster.kill(2);
    const stopped = await desk.carryThrough(unsealPlanOf(cluster, serial));
    expect(failedSteps(stopped)).toEqual(['confirm: Vault_Unreachable']);
    const failure = stopped.state.steps.find((step) => step.failure !== undefined)?.failure;
    expect(`${failure?.message ?? ''} ${JSON.stringify(failure?.details)}`).toContain(cluster.addresses[2]);
    await expect
      .poll(states, { timeout: 30_000, interval: 300 })
      .toEqual([
        expect.stringMatching(/active|standby/u),
        expect.stringMatching(/active|standby/u),
        'Vault_Unreachable',
      ]);
    await cluster.restart();
    const next = await desk.carryThrough(unsealPlanOf(cluster, serial));
    expect(failedSteps(next)).toEqual([]);
    expect(next.state).toMatchObject({ status: 'completed', facts: { sealedNodes: 0 } });
    expect(failedSteps(await desk.goOn(stopped.state.runId))).toEqual([]);
  });
});
