/** Vault's Kubernetes log-in, set up by the app's share host, tried by a service account of a real API server. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createSharePort } from '../../electron/shares/share-port.ts';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { SealedSecretValue, SharePort } from '../../electron/workflows/ports.ts';
import type { VaultSetUpPort, WantedInVault } from '../../electron/workflows/vault-setup-ports.ts';
import { createTestClusterPort, pinOnly } from '../fixtures/cluster-desk.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const entryPath = join(import.meta.dirname, '..', '..', 'electron', 'shares', 'share-host.ts');

let cluster: KubernetesServer;
let vault: TestVault;
let byHand: ByHand;
let testRootToken = '';
let port: SharePort & VaultSetUpPort;

/** The small Vault of the tests has the plugin beside it; a full one has it built in, and takes this one as well. */
async function offerKubernetesLogIn(program: string): Promise<void> {
  const sha256 = createHash('sha256')
    .update(await readFile(program))
    .digest('hex');
  const command = basename(program);
  await byHand.call('PUT', 'sys/plugins/catalog/auth/kubernetes', { sha256, command }, testRootToken);
}

beforeAll(async () => {
  const program = process.env['VAULT_KUBERNETES_LOG_IN_BIN'];
  if (program === undefined) throw new Error('VAULT_KUBERNETES_LOG_IN_BIN names no plugin: npm test builds it.');
  cluster = await startKubernetes();
  vault = await startVaultServer({
    storage: 'inmem',
    furtherConfiguration: `plugin_directory = ${JSON.stringify(dirname(program))}`,
  });
  byHand = vaultByHand(vault);
  const initialized = await byHand.initialize(1, 1);
  testRootToken = initialized.testRootToken;
  await byHand.unseal(initialized.testShares);
  await offerKubernetesLogIn(program);
  port = createSharePort({ launch: createNodeLauncher({ entryPath: () => entryPath }) });
  const recipient = await port.sealingPublicKey();
  if (!recipient.ok) throw new Error(recipient.error.message);
  const sealed = await sealSecret(recipient.value, new TextEncoder().encode(testRootToken), secretPurpose.vaultToken);
  const connection = { address: vault.address, trust: { kind: 'ca-file', path: vault.caPath } } as const;
  expect(await port.holdToken('run', connection, '', sealed)).toMatchObject({ ok: true });
});
afterAll(async () => {
  await port.close();
  await vault.stop();
  await cluster.stop();
});

type Reviewer = Extract<WantedInVault, { kind: 'kubernetes-config' }>['reviewer'];

const policy = (name: string): WantedInVault => ({
  kind: 'policy',
  name,
  text: 'path "transit/encrypt/kleidi" { capabilities = ["update"] }',
});
/** The log-in of one mount, with one reviewer. */
const logInFor = (mount: string, audience: string, reviewer: Reviewer): readonly WantedInVault[] => [
  { kind: 'kubernetes-auth', mount },
  {
    kind: 'kubernetes-config',
    mount,
    host: cluster.address,
    certificateAuthorityPem: cluster.certificateAuthority,
    reviewer,
  },
  {
    kind: 'kubernetes-role',
    mount,
    name: 'kleidi',
    serviceAccounts: ['kleidi-vault-auth'],
    namespaces: ['kube-system'],
    audience,
    policies: ['kleidi'],
    timeToLive: 86_400,
  },
];

async function makeAll(wanted: readonly WantedInVault[], reviewerToken?: SealedSecretValue): Promise<void> {
  for (const one of wanted) {
    expect(await port.make('run', one, false, reviewerToken), one.kind).toMatchObject({
      ok: true,
      value: { made: true },
    });
    expect(await port.make('run', one, false, reviewerToken), one.kind).toMatchObject({
      ok: true,
      value: { made: false },
    });
  }
}

const tokenOf = async (name: string, ...more: readonly string[]): Promise<string> =>
  (await cluster.arrange(['create', 'token', name, '--namespace=kube-system', ...more])).trim();
const logIn = (mount: string, jwt: string): Promise<unknown> =>
  byHand.call('PUT', `auth/${mount}/login`, { role: 'kleidi', jwt }, '');

beforeAll(async () => {
  await makeAll([
    { kind: 'transit-engine', mount: 'transit' },
    { kind: 'transit-key', mount: 'transit', name: 'kleidi' },
    policy('kleidi'),
  ]);
  for (const name of ['kleidi-vault-auth', 'somebody-else']) {
    await cluster.arrange(['create', 'serviceaccount', name, '--namespace=kube-system']);
    await cluster.arrange([
      'create',
      'clusterrolebinding',
      `may-review-${name}`,
      '--clusterrole=system:auth-delegator',
      `--serviceaccount=kube-system:${name}`,
    ]);
  }
});

test('a service account logs in with what was set up, and another one does not', async () => {
  await makeAll(logInFor('kubernetes', '', { kind: 'client' }));
  const reply = await logIn('kubernetes', await tokenOf('kleidi-vault-auth'));
  expect(reply).toMatchObject({ auth: { token_policies: ['default', 'kleidi'], lease_duration: 86_400 } });
  const testToken = (reply as { auth: { client_token: string } }).auth.client_token;
  expect(await byHand.call('PUT', 'transit/encrypt/kleidi', { plaintext: 'dGVzdA==' }, testToken)).toMatchObject({
    data: { key_version: 1 },
  });
  await expect(logIn('kubernetes', await tokenOf('somebody-else'))).rejects.toThrow(/403|400/u);
});

describe('a token with an audience of Vault’s', () => {
  let directory = '';
  let clusters: ReturnType<typeof createTestClusterPort>;
  let pin: ClusterPin;
  const secret = { namespace: 'kube-system', name: 'kleidi-vault-auth' };
  const putSecret = async (type: string, token: string): Promise<void> => {
    await cluster.arrange(['delete', 'secret', secret.name, '--namespace=kube-system', '--ignore-not-found']);
    const annotations = { 'kubernetes.io/service-account.name': 'kleidi-vault-auth' };
    const manifest = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...secret, annotations },
      type,
      stringData: { token },
    };
    await cluster.arrange(['create', '--filename=-'], JSON.stringify(manifest));
  };
  const seal = async (): ReturnType<typeof clusters.sealReviewerToken> => {
    const recipient = await port.sealingPublicKey();
    if (!recipient.ok) throw new Error(recipient.error.message);
    return clusters.sealReviewerToken(pin, secret, recipient.value);
  };

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kc-review-'));
    const kubeconfig = await cluster.kubeconfigFor('operator', ['system:masters']);
    clusters = createTestClusterPort({ kubectlPath: cluster.kubectlPath, kubeconfig, directory });
    pin = await pinOnly(clusters);
  });
  afterAll(async () => {
    await clusters.close();
    await rm(directory, { recursive: true, force: true });
  });

  test('is reviewed with a service account’s, which comes sealed from the cluster', async () => {
    // What the token controller would do.
    await putSecret('kubernetes.io/service-account-token', await tokenOf('kleidi-vault-auth', '--duration=1h'));
    const sealed = await seal();
    if (!sealed.ok) throw new Error(sealed.error.message);
    await makeAll(logInFor('with-reviewer', 'vault', { kind: 'service-account', cluster: pin, secret }), sealed.value);
    const jwt = await tokenOf('kleidi-vault-auth', '--audience=vault');
    expect(await logIn('with-reviewer', jwt)).toMatchObject({ auth: { token_policies: ['default', 'kleidi'] } });
    await expect(logIn('with-reviewer', await tokenOf('kleidi-vault-auth'))).rejects.toThrow(/403|400/u);
  });

  test('is not with its own, which is no log-in to the API server', async () => {
    await makeAll(logInFor('without-reviewer', 'vault', { kind: 'client' }));
    const jwt = await tokenOf('kleidi-vault-auth', '--audience=vault');
    await expect(logIn('without-reviewer', jwt)).rejects.toThrow(/403|400/u);
  });

  test('no other kind of Secret is read for it', async () => {
    await putSecret('Opaque', 'anything');
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'Cluster_ValueInvalid' } });
    await cluster.arrange(['delete', 'secret', secret.name, '--namespace=kube-system']);
    expect(await seal()).toMatchObject({ ok: false, error: { code: 'Cluster_NotFound' } });
  });

  test('the authority is what the cluster publishes', async () => {
    expect(await clusters.readAuthority(pin)).toMatchObject({ ok: false, error: { code: 'Cluster_NotFound' } });
    await cluster.arrange([
      'create',
      'configmap',
      'kube-root-ca.crt',
      '--namespace=kube-system',
      `--from-file=ca.crt=${cluster.certificateAuthorityPath}`,
    ]);
    expect(await clusters.readAuthority(pin)).toEqual({
      ok: true,
      value: { certificateAuthorityPem: cluster.certificateAuthority },
    });
  });
});
