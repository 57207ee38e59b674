/** Vault's Kubernetes log-in, set up by the app's share host, tried by a service account of a real API server. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { createSharePort } from '../../electron/shares/share-port.ts';
import type { SharePort } from '../../electron/workflows/ports.ts';
import type { VaultSetUpPort, WantedInVault } from '../../electron/workflows/vault-setup-ports.ts';
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

const wanted = (): readonly WantedInVault[] => [
  { kind: 'transit-engine', mount: 'transit' },
  { kind: 'transit-key', mount: 'transit', name: 'kleidi' },
  {
    kind: 'policy',
    name: 'kleidi',
    text: 'path "transit/encrypt/kleidi" { capabilities = ["update"] }',
  },
  { kind: 'kubernetes-auth', mount: 'kubernetes' },
  {
    kind: 'kubernetes-config',
    mount: 'kubernetes',
    host: cluster.address,
    certificateAuthorityPem: cluster.certificateAuthority,
  },
  {
    kind: 'kubernetes-role',
    mount: 'kubernetes',
    name: 'kleidi',
    serviceAccounts: ['kleidi-vault-auth'],
    namespaces: ['kube-system'],
    audience: '',
    policies: ['kleidi'],
    timeToLive: 86_400,
  },
];

test('a service account logs in with what was set up, and another one does not', async () => {
  for (const one of wanted()) {
    expect(await port.make('run', one, false), one.kind).toMatchObject({ ok: true, value: { made: true } });
    expect(await port.make('run', one, false), one.kind).toMatchObject({ ok: true, value: { made: false } });
  }
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
  const tokenOf = async (name: string): Promise<string> =>
    (await cluster.arrange(['create', 'token', name, '--namespace=kube-system'])).trim();
  const logIn = async (name: string): Promise<unknown> =>
    byHand.call('PUT', 'auth/kubernetes/login', { role: 'kleidi', jwt: await tokenOf(name) }, '');
  const reply = await logIn('kleidi-vault-auth');
  expect(reply).toMatchObject({ auth: { token_policies: ['default', 'kleidi'], lease_duration: 86_400 } });
  const testToken = (reply as { auth: { client_token: string } }).auth.client_token;
  expect(await byHand.call('PUT', 'transit/encrypt/kleidi', { plaintext: 'dGVzdA==' }, testToken)).toMatchObject({
    data: { key_version: 1 },
  });
  await expect(logIn('somebody-else')).rejects.toThrow(/403|400/u);
});
