/**
 * Every kind that an EncryptionConfiguration names, custom resources too, counted from inside etcd's Pod and written
 * again: a real API server, etcd and etcdctl; of the Pod's kubelet, the streaming endpoints.
 */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ClusterPin, ClusterPort } from '../../electron/workflows/cluster-ports.ts';
import { failure } from '../../electron/workflows/failures.ts';
import type { KmsVerifyPlan } from '../../electron/workflows/kms-plans.ts';
import type { EtcdInPod, KmsPort } from '../../electron/workflows/kms-ports.ts';
import { createTestClusterPort, pinOnly } from '../fixtures/cluster-desk.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { openRunHarness } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKmsPlugin, type KmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const pluginName = 'test-plugin';
const etcd: EtcdInPod = { pod: '', prefix: '/registry' };

let directory = '';
let cluster: KubernetesServer;
let plugin: KmsPlugin;
let port: ClusterPort & KmsPort;
let pin: ClusterPin;

const lockers = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'lockers.custodian.test' },
  spec: {
    group: 'custodian.test',
    scope: 'Cluster',
    names: { kind: 'Locker', plural: 'lockers', singular: 'locker', listKind: 'LockerList' },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', properties: { content: { type: 'string' } } } },
      },
    ],
  },
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kc-kinds-'));
  cluster = await startKubernetes({ kubelet: true });
  plugin = await startKmsPlugin(join(directory, 'kms.sock'));
  await cluster.arrange(['create', '-f', '-'], JSON.stringify(lockers));
  await cluster.arrange(['wait', '--for=condition=Established', '--timeout=60s', 'crd/lockers.custodian.test']);
  const namespaced = { namespace: 'default' };
  const objects = [
    ...['one', 'two'].map((name) => ({
      apiVersion: 'custodian.test/v1',
      kind: 'Locker',
      metadata: { name },
      content: `content-of-${name}`,
    })),
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', ...namespaced },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: { containers: [{ name: 'web', image: 'web:1' }] },
        },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', ...namespaced },
      spec: { clusterIP: 'None', selector: { app: 'web' } },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'web', ...namespaced },
      spec: { defaultBackend: { service: { name: 'web', port: { number: 80 } } } },
    },
    // The values of one page are more than one answer may hold.
    ...Array.from({ length: 16 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: `large-${index.toString()}`, ...namespaced },
      data: { text: 'x'.repeat(1_000_000) },
    })),
  ];
  await cluster.arrange(['create', '-f', '-'], objects.map((object) => JSON.stringify(object)).join('\n'));
  port = createTestClusterPort({
    kubectlPath: cluster.kubectlPath,
    kubeconfig: await cluster.kubeconfigFor('operator', ['system:masters']),
    directory,
  });
  pin = await pinOnly(port);
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [
      {
        resources: ['*.*'],
        providers: [
          { kms: { apiVersion: 'v2', name: pluginName, endpoint: `unix://${plugin.socketPath}`, timeout: '5s' } },
          { identity: {} },
        ],
      },
    ],
  };
  await writeFile(join(directory, 'encryption.json'), JSON.stringify(configuration));
});
afterAll(async () => {
  await port.close();
  await cluster.stop();
  await plugin.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('inside the Pod', () => {
  test('each kind is found where it lies in etcd', async () => {
    const totals = new Map<string, number>();
    for (const name of [
      'lockers.custodian.test',
      'customresourcedefinitions.apiextensions.k8s.io',
      'deployments.apps',
      'services',
      'ingresses.networking.k8s.io',
      'nodes',
      'configmaps',
    ])
      totals.set(name, valueOf(await port.countStored(pin, etcd, name)).total);
    expect(Object.fromEntries(totals)).toMatchObject({
      'lockers.custodian.test': 2,
      'customresourcedefinitions.apiextensions.k8s.io': 1,
      'deployments.apps': 1,
      // One is the API server's own.
      services: 2,
      'ingresses.networking.k8s.io': 1,
      nodes: 1,
    });
    expect(totals.get('configmaps')).toBeGreaterThanOrEqual(16);
  });

  test('kinds are those that the API server keeps, each once', async () => {
    const listed = valueOf(await port.listResources(pin));
    expect(listed).toEqual(
      expect.arrayContaining(['secrets', 'deployments.apps', 'lockers.custodian.test', 'ingresses.networking.k8s.io']),
    );
    expect(listed).not.toContain('tokenreviews.authentication.k8s.io');
    expect(new Set(listed).size).toBe(listed.length);
    expect(await port.rewritePage(pin, 'nothing.example.test', '')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_KindMissing' },
    });
  });

  test('a Pod without etcdctl, another prefix, and no such Pod are told apart', async () => {
    const { node } = cluster;
    if (node === undefined) throw new Error('The cluster has no node.');
    expect(await port.tryCanary(pin, { ...etcd, prefix: '/other' }, 'default')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_OtherCluster' },
    });
    expect(await port.countStored(pin, { ...etcd, pod: 'etcd-other' }, 'secrets')).toMatchObject({
      ok: false,
      error: { code: 'Cluster_NotFound' },
    });
    expect(await cluster.arrange(['get', 'secrets', '--all-namespaces', '--output=name'])).not.toContain('canary');
  });

  test('one who may not exec is told so, and no canary stays', async () => {
    const limited = createTestClusterPort({
      kubectlPath: cluster.kubectlPath,
      kubeconfig: await cluster.custodianKubeconfig(),
      directory: join(directory, 'limited'),
    });
    try {
      const answer = await limited.tryCanary(await pinOnly(limited), etcd, 'default');
      expect(answer).toMatchObject({ ok: false, error: { code: 'Cluster_RightsMissing' } });
      expect(JSON.stringify(answer)).toContain('pods/exec');
    } finally {
      await limited.close();
    }
    expect(await cluster.arrange(['get', 'secrets', '--all-namespaces', '--output=name'])).not.toContain('canary');
  });
});

test('all kinds are brought under the plugin’s key, taken up in the middle of them', async () => {
  await cluster.restart([`--encryption-provider-config=${join(directory, 'encryption.json')}`]);
  const others = [
    'customresourcedefinitions.apiextensions.k8s.io',
    'lockers.custodian.test',
    'services',
    'deployments.apps',
    'ingresses.networking.k8s.io',
    'nodes',
  ];
  const asked: string[] = [];
  let isCut = true;
  const harness = await openRunHarness({
    dataDirectory: join(directory, 'data'),
    softhsmConfiguration: join(directory, 'none.conf'),
    clusters: port,
    kms: {
      ...port,
      rewritePage: async (...given) => {
        if (isCut && given[1] === 'services') return failure('Cluster_Unreachable', 'The cluster is away.', 'Wait.');
        asked.push(given[1]);
        return port.rewritePage(...given);
      },
    },
  });
  try {
    const plan: KmsVerifyPlan = {
      workflow: 'kms-verify',
      rehearsal: false,
      cluster: pin,
      provider: pluginName,
      etcd,
      namespace: 'default',
      resources: [],
      others,
      reencrypt: true,
    };
    const { runId } = valueOf(await harness.runner.start(plan, 'Ada'));
    const proceed = async () =>
      valueOf(
        await harness.runner.proceed(runId, { by: 'Ada', typedName: pin.clusterName, throughDeliberateSteps: true }),
      );
    expect(failedSteps(await proceed())).toEqual(['rewrite-others: Cluster_Unreachable']);
    isCut = false;
    const ended = await proceed();

    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    // None was asked for twice.
    expect(asked).toEqual(others);
    const confirmed = ended.state.steps.find(({ id }) => id === 'confirm-others')?.evidence;
    expect(confirmed).toMatchObject({ unencrypted: 0, underOtherKeys: 0, underKey: confirmed?.['counted'] });
  } finally {
    await harness.close();
  }
  const prefix = `k8s:enc:kms:v2:${pluginName}:`;
  for (const key of ['custodian.test/lockers/one', 'deployments/default/web', 'services/specs/default/web'])
    expect((await cluster.etcdGet(`/registry/${key}`)).subarray(0, prefix.length).toString('latin1')).toBe(prefix);
  const locker = await cluster.arrange(['get', 'locker', 'two', '--output=jsonpath={.content}']);
  expect(locker).toBe('content-of-two');
  for (const entry of await readdir(join(directory, 'data'), { recursive: true, withFileTypes: true }))
    if (entry.isFile())
      expect((await readFile(join(entry.parentPath, entry.name))).includes('content-of-')).toBe(false);
});
