/**
 * bank-vaults' values in a Kubernetes Secret (mode hsm-k8s), from an empty token to an unsealed Vault: on SoftHSM, a
 * real Vault and a real API server with RBAC, as the user who has just the rights that docs/clusters.md lists.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClusterPin, ClusterPort } from '../../electron/workflows/cluster-ports.ts';
import type { SecretStorePlan } from '../../electron/workflows/cluster-plans.ts';
import type { UnsealPlan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import { createTestClusterPort, pinOnly, readSecret } from '../fixtures/cluster-desk.ts';
import { connectionsOf, failedSteps, initPlanOf, openRunDesk, type RunDesk } from '../fixtures/run-desk.ts';
import { temporaryDirectory } from '../fixtures/run-harness.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let kubernetes: KubernetesServer;
let clusters: ClusterPort;
let pin: ClusterPin;
let desk: RunDesk;
let serial: string;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  directory = await temporaryDirectory('run-secret');
  kubernetes = await startKubernetes();
  await kubernetes.arrange(['create', 'namespace', 'vault']);
  clusters = createTestClusterPort({
    kubectlPath: kubernetes.kubectlPath,
    kubeconfig: await kubernetes.custodianKubeconfig(),
    directory: directory.path,
  });
  pin = await pinOnly(clusters);
  desk = await openRunDesk((options) => ({ ...options, clusters }));
  serial = await desk.setUpToken('secret test');
});

afterAll(async () => {
  await desk.close();
  await clusters.close();
  await kubernetes.stop();
  await directory.dispose();
});

const token = () => ({ storeId: 'test', serial, label: 'secret test' });

const intoSecret = (vault: TestVault, name: string, change: Partial<VaultInitPlan> = {}): VaultInitPlan =>
  initPlanOf(vault, serial, {
    secret: { cluster: pin, secret: { namespace: 'vault', name } },
    destinations: Array.from({ length: 3 }, () => ({ kind: 'secret' as const })),
    rootToken: { kind: 'secret' },
    ...change,
  });

const fromSecret = (vault: TestVault, name: string, holder = token()): UnsealPlan => ({
  workflow: 'unseal',
  rehearsal: false,
  vaultId: 'v',
  vaultName: 'Test',
  connections: connectionsOf(vault),
  sources: [
    {
      kind: 'secret',
      cluster: pin,
      secret: { namespace: 'vault', name },
      token: holder,
      keyLabel: 'bank-vaults',
    },
  ],
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('from an empty token to a Vault whose shares are in the Secret, and unsealed from there', async () => {
  const vault = await startVaultServer({ tls: true });
  try {
    const initialised = await desk.carryThrough(intoSecret(vault, 'vault-unseal-keys'));
    expect(failedSteps(initialised)).toEqual([]);
    expect(initialised.state.status).toBe('completed');
    const values = await readSecret(kubernetes, 'vault', 'vault-unseal-keys');
    expect(Object.keys(values ?? {}).toSorted()).toEqual([
      'vault-root',
      'vault-unseal-0',
      'vault-unseal-1',
      'vault-unseal-2',
    ]);
    // Raw OAEP bytes of the token's RSA 2048 key.
    for (const value of Object.values(values ?? {})) expect(value.length).toBe(256);
    const stored = initialised.state.steps.find(({ id }) => id === 'store-in-secret')?.evidence;
    expect(stored).toMatchObject({ secret: 'vault/vault-unseal-keys' });
    expect(stored?.['valuesSha256']).toContain(`vault-root ${sha256(values?.['vault-root'] ?? Buffer.alloc(0))}`);
    expect(initialised.state.facts).toMatchObject({ compared: 4, escrowRemoved: true, trialKey: 'vault-test' });

    await vault.restart();
    const unsealed = await desk.carryThrough(fromSecret(vault, 'vault-unseal-keys'));
    expect(failedSteps(unsealed)).toEqual([]);
    expect(unsealed.state).toMatchObject({ status: 'completed', deviations: [] });
    expect(unsealed.state.facts).toMatchObject({ sealedNodes: 0, secret: 'vault/vault-unseal-keys' });

    // A second Vault must not be given the same Secret: bank-vaults refuses on the same names.
    const another = await startVaultServer({ storage: 'inmem', tls: false });
    try {
      const refused = await desk.carryThrough(intoSecret(another, 'vault-unseal-keys'));
      expect(failedSteps(refused)).toEqual(['check-secret: Cluster_ValueExists']);
      const status = await desk.harness.vault.sealStatus({ address: another.address, trust: { kind: 'system' } });
      expect(status).toMatchObject({ ok: true, value: { initialized: false } });
    } finally {
      await another.stop();
    }
  } finally {
    await vault.stop();
  }
});

test('copies a token’s values into a Secret, reads them back, and unseals from the copy', async () => {
  const other = await desk.setUpToken('store test');
  const vault = await startVaultServer({ tls: false });
  try {
    const initialised = await desk.carryThrough(initPlanOf(vault, other));
    expect(initialised.state.status).toBe('completed');
    const plan: SecretStorePlan = {
      workflow: 'secret-store',
      rehearsal: false,
      cluster: pin,
      secret: { namespace: 'vault', name: 'copies' },
      secretLabels: { vault_cr: 'vault' },
      token: { storeId: 'test', serial: other, label: 'store test' },
      keyLabel: 'bank-vaults',
      labels: ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'],
      vaultName: 'Test',
    };
    const stored = await desk.carryThrough(plan);
    expect(failedSteps(stored)).toEqual([]);
    expect(stored.state).toMatchObject({
      status: 'completed',
      facts: { compared: 4, secretValues: expect.any(String) },
    });
    const values = await readSecret(kubernetes, 'vault', 'copies');
    expect(Object.keys(values ?? {})).toHaveLength(4);

    // Once more: nothing is replaced, all is found.
    const again = await desk.carryThrough(plan);
    expect(again.state.status).toBe('completed');
    expect(await readSecret(kubernetes, 'vault', 'copies')).toEqual(values);

    await vault.restart();
    const unsealed = await desk.carryThrough(fromSecret(vault, 'copies', plan.token));
    expect(failedSteps(unsealed)).toEqual([]);
    expect(unsealed.state.facts).toMatchObject({ sealedNodes: 0 });

    // A foreign value under one of the names is left alone, and said.
    await kubernetes.arrange([
      'patch',
      'secret',
      'copies',
      '-n',
      'vault',
      '-p',
      JSON.stringify({ data: { 'vault-unseal-0': Buffer.alloc(256, 1).toString('base64') } }),
    ]);
    const refused = await desk.carryThrough(plan);
    expect(failedSteps(refused)).toEqual(['check-secret: Cluster_ValueExists']);
    expect((await readSecret(kubernetes, 'vault', 'copies'))?.['vault-unseal-0']).toEqual(Buffer.alloc(256, 1));

    // The broken one is left out, the others are enough.
    await vault.restart();
    const around = await desk.carryThrough(fromSecret(vault, 'copies', plan.token));
    expect(failedSteps(around)).toEqual([]);
    expect(around.state.deviations.map(({ text }) => text)).toEqual([
      'vault-unseal-0 in the Secret is no usable share of this Vault and was left out.',
    ]);
  } finally {
    await vault.stop();
  }
});

test('a Secret that is not there, or holds no share, is a failure of its own', async () => {
  const vault = await startVaultServer({ tls: false });
  try {
    const initialised = await desk.carryThrough(initPlanOf(vault, await desk.setUpToken('missing test')));
    expect(initialised.state.status).toBe('completed');
    await vault.restart();
    expect(failedSteps(await desk.carryThrough(fromSecret(vault, 'nowhere')))).toEqual(['secret: Cluster_NotFound']);
    await kubernetes.arrange(['create', 'secret', 'generic', 'empty', '-n', 'vault', '--from-literal=other=1']);
    expect(failedSteps(await desk.carryThrough(fromSecret(vault, 'empty')))).toEqual(['secret: Cluster_ValueMissing']);
  } finally {
    await vault.stop();
  }
});

test('the cluster that goes away after Vault’s reply loses nothing: the run goes on when it is back', async () => {
  const vault = await startVaultServer({ storage: 'inmem', tls: false });
  try {
    desk.atStart('store-in-secret', () => kubernetes.kill());
    const cut = await desk.carryThrough(intoSecret(vault, 'later'));
    expect(failedSteps(cut)).toEqual(['store-in-secret: Cluster_Unreachable']);
    await kubernetes.restart();
    const ended = await desk.goOn(cut.state.runId);
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(Object.keys((await readSecret(kubernetes, 'vault', 'later')) ?? {})).toHaveLength(4);
  } finally {
    await vault.stop();
  }
});
