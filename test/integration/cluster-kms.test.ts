/** Encryption at rest, seen in a real etcd behind a real API server with a KMS v2 plugin. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createClusterPort } from '../../electron/clusters/cluster-port.ts';
import type { ClusterPin, ClusterPort } from '../../electron/workflows/cluster-ports.ts';
import type { KmsVerifyPlan } from '../../electron/workflows/kms-plans.ts';
import { failure } from '../../electron/workflows/failures.ts';
import type { EtcdAccess, KmsPort } from '../../electron/workflows/kms-ports.ts';
import { openRunHarness, type RunHarness } from '../fixtures/run-harness.ts';
import { createSoftHsmDirectory, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { launchHostFromSource, valueOf } from '../fixtures/token-port.ts';
import { startKmsPlugin, type KmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const secrets = 620;
const pluginName = 'test-plugin';

let directory = '';
let cluster: KubernetesServer;
let plugin: KmsPlugin;
let port: ClusterPort & KmsPort;
let pin: ClusterPin;
let etcd: EtcdAccess;
let encryptionArgument = '';

function secretList(count: number): string {
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `secret-${index.toString()}`, namespace: index % 2 === 0 ? 'default' : 'kube-system' },
    stringData: { value: `value ${index.toString()}` },
  }));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kc-kms-'));
  cluster = await startKubernetes();
  plugin = await startKmsPlugin(join(directory, 'kms.sock'));
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['secrets', 'configmaps'],
        providers: [
          { kms: { apiVersion: 'v2', name: pluginName, endpoint: `unix://${plugin.socketPath}`, timeout: '5s' } },
          { identity: {} },
        ],
      },
    ],
  };
  await writeFile(join(directory, 'encryption.json'), JSON.stringify(configuration));
  encryptionArgument = `--encryption-provider-config=${join(directory, 'encryption.json')}`;
  await cluster.arrange(['create', '--filename=-'], secretList(secrets));
  await cluster.arrange(['create', 'configmap', 'one', '--from-literal=a=b']);
  const kubeconfig = await cluster.kubeconfigFor('operator', ['system:masters']);
  port = createClusterPort({
    launch: launchHostFromSource,
    discoveryDirectory: join(directory, 'discovery'),
    allowances: { current: () => [], add: () => Promise.resolve({ ok: true, value: {} }) },
    environment: { KUBECONFIG: kubeconfig, KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath },
  });
  const [context] = valueOf(await port.listContexts());
  if (context === undefined) throw new Error('The kubeconfig has no context.');
  pin = valueOf(await port.pin(context.id));
  const { address, caPath, certificatePath, keyPath } = cluster.etcd;
  etcd = { address, caPath, certificatePath, keyPath, prefix: '/registry' };
});
afterAll(async () => {
  await port.close();
  await cluster.stop();
  await plugin.stop();
  await rm(directory, { recursive: true, force: true });
});

async function rewriteAll(): Promise<{ readonly pages: number; readonly rewritten: number }> {
  let pages = 0;
  let rewritten = 0;
  let from = '';
  do {
    const page = valueOf(await port.rewritePage(pin, 'secrets', from));
    pages += 1;
    rewritten += page.rewritten;
    from = page.continueFrom;
  } while (from !== '');
  return { pages, rewritten };
}

describe('from identity to a KMS v2 plugin, and to its next key', () => {
  test('without encryption the canary is readable, and everything lies as it is', async () => {
    expect(await port.tryCanary(pin, etcd, 'default')).toMatchObject({
      ok: true,
      value: { provider: 'identity', readable: true },
    });
    expect(await port.countStored(pin, etcd, 'secrets')).toMatchObject({
      ok: true,
      value: { total: secrets, under: [{ provider: 'identity', keyId: '', count: secrets }] },
    });
  });

  test('with it new objects are encrypted and old ones are not, until they are written again', async () => {
    await cluster.restart([encryptionArgument]);
    expect(await port.tryCanary(pin, etcd, 'default')).toMatchObject({
      ok: true,
      value: {
        provider: `kms:v2:${pluginName}`,
        keyId: 'test-key-1',
        beginsWith: `k8s:enc:kms:v2:${pluginName}:`,
        readable: false,
      },
    });
    expect(valueOf(await port.countStored(pin, etcd, 'secrets')).under).toEqual([
      { provider: 'identity', keyId: '', count: secrets },
    ]);
    expect(await rewriteAll()).toEqual({ pages: 2, rewritten: secrets });
    expect(valueOf(await port.countStored(pin, etcd, 'secrets'))).toEqual({
      resource: 'secrets',
      total: secrets,
      under: [{ provider: `kms:v2:${pluginName}`, keyId: 'test-key-1', count: secrets }],
    });
    expect(
      Buffer.from(
        await cluster.arrange(['get', 'secret', 'secret-8', '--output=jsonpath={.data.value}']),
        'base64',
      ).toString(),
    ).toBe('value 8');
  });

  test('a second time nothing is written, since all lies under the key in force', async () => {
    const before = await cluster.etcdGet('/registry/secrets/default/secret-0');
    await rewriteAll();
    expect((await cluster.etcdGet('/registry/secrets/default/secret-0')).equals(before)).toBe(true);
  });

  test('after a rotation what lies under the old key is told, and written under the new one', async () => {
    expect(plugin.rotate()).toBe('test-key-2');
    await cluster.restart([encryptionArgument]);
    expect(valueOf(await port.countStored(pin, etcd, 'secrets')).under).toMatchObject([{ keyId: 'test-key-1' }]);
    await rewriteAll();
    expect(valueOf(await port.countStored(pin, etcd, 'secrets')).under).toMatchObject([
      { keyId: 'test-key-2', count: secrets },
    ]);
  });
});

describe('as a run', () => {
  let softHsm: SoftHsmDirectory;
  let harness: RunHarness;
  const askedFrom: string[] = [];
  let pagesUntilCut = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    softHsm = await createSoftHsmDirectory();
    const cutOff: KmsPort = {
      ...port,
      rewritePage: async (...given) => {
        if (pagesUntilCut === 0) return failure('Cluster_Unreachable', 'The cluster is away.', 'Wait.');
        pagesUntilCut -= 1;
        askedFrom.push(given[2]);
        return port.rewritePage(...given);
      },
    };
    harness = await openRunHarness({
      dataDirectory: join(directory, 'data'),
      softhsmConfiguration: softHsm.configurationPath,
      clusters: port,
      kms: cutOff,
    });
  });
  afterAll(async () => {
    await harness.close();
    await softHsm.dispose();
  });

  const plan = (): KmsVerifyPlan => ({
    workflow: 'kms-verify',
    rehearsal: false,
    cluster: pin,
    provider: pluginName,
    etcd,
    namespace: 'default',
    resources: ['secrets', 'configmaps'],
    reencrypt: true,
  });
  const options = { by: 'Ada', typedName: '', throughDeliberateSteps: true } as const;

  test('verifies, goes on where it was cut off, and ends with everything under the new key', async () => {
    plugin.rotate();
    await cluster.restart([encryptionArgument]);
    pagesUntilCut = 1;
    const { runId } = valueOf(await harness.runner.start(plan(), 'Ada'));
    const name = pin.clusterName === '' ? pin.context : pin.clusterName;
    const proceed = async (): Promise<string> => {
      const { state } = valueOf(await harness.runner.proceed(runId, { ...options, typedName: name }));
      return state.steps.map(({ id, status }) => `${id} ${status}`).join(', ');
    };
    expect(await proceed()).toContain('count-configmaps done, rewrite-secrets failed');
    pagesUntilCut = Number.POSITIVE_INFINITY;
    let last = '';
    for (let turn = 0; turn < 4 && !last.includes('confirm-configmaps done'); turn += 1) last = await proceed();
    expect(last).toContain('confirm-secrets done');
    expect(last).toContain('confirm-configmaps done');
    const { state } = valueOf(await harness.runner.snapshot(runId));
    expect(state.status).toBe('completed');
    // The first page was not asked for again.
    expect(askedFrom.filter((from) => from === '')).toHaveLength(2);
    const confirmed = state.steps.find(({ id }) => id === 'confirm-secrets')?.evidence;
    expect(confirmed).toMatchObject({ counted: secrets, underKey: secrets, unencrypted: 0, underOtherKeys: 0 });
  });

  test('a plugin of another name is not what encrypts here', async () => {
    const { runId } = valueOf(
      await harness.runner.start({ ...plan(), provider: 'somebody-else', reencrypt: false }, 'Ada'),
    );
    const { state } = valueOf(await harness.runner.proceed(runId, options));
    expect(state.steps.find(({ id }) => id === 'canary')?.failure?.code).toBe('Cluster_NotEncrypted');
  });
});

describe('what does not fit', () => {
  test('the etcd of another cluster, or another prefix, is noticed, and no canary stays', async () => {
    expect(await port.tryCanary(pin, { ...etcd, prefix: '/other' }, 'default')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_OtherCluster' },
    });
    expect(await cluster.arrange(['get', 'secrets', '--all-namespaces', '--output=name'])).not.toContain('canary');
  });

  test.each([
    ['a certificate that is not there', { certificatePath: '/nowhere/client.pem' }],
    ['an address where nothing answers', { address: 'https://127.0.0.1:9' }],
  ])('%s', async (_, change) => {
    expect(await port.countStored(pin, { ...etcd, ...change }, 'secrets')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_Unreachable' },
    });
  });

  test('a certificate that etcd does not take', async () => {
    expect(await port.countStored(pin, { ...etcd, certificatePath: etcd.caPath }, 'secrets')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_Unreachable' },
    });
  });
});
