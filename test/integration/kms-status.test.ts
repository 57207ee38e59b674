/** How a KMS plugin stands, told by a real API server's metrics and health, its lease and its etcd. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readKmsStatus } from '../../electron/core/kms-status.ts';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { EtcdPlace } from '../../electron/workflows/kms-ports.ts';
import type { KmsState, PluginState } from '../../electron/workflows/kms-status.ts';
import { createTestClusterPort, pinOnly } from '../fixtures/cluster-desk.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKmsPlugin, type KmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const pluginName = 'test-plugin';

let directory = '';
let cluster: KubernetesServer;
let plugin: KmsPlugin;
let port: ReturnType<typeof createTestClusterPort>;
let pin: ClusterPin;
let etcd: EtcdPlace;
let encryptionArgument = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kc-kms-status-'));
  plugin = await startKmsPlugin(join(directory, 'kms.sock'));
  const kms = { apiVersion: 'v2', name: pluginName, endpoint: `unix://${plugin.socketPath}`, timeout: '3s' };
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets', 'configmaps'], providers: [{ kms }, { identity: {} }] }],
  };
  await writeFile(join(directory, 'encryption.json'), JSON.stringify(configuration));
  encryptionArgument = `--encryption-provider-config=${join(directory, 'encryption.json')}`;
  cluster = await startKubernetes({ extraArguments: [encryptionArgument] });
  const kubeconfig = await cluster.kubeconfigFor('operator', ['system:masters']);
  port = createTestClusterPort({ kubectlPath: cluster.kubectlPath, kubeconfig, directory });
  pin = await pinOnly(port);
  const { address, caPath, certificatePath, keyPath } = cluster.etcd;
  etcd = { address, caPath, certificatePath, keyPath, prefix: '/registry' };
});
afterAll(async () => {
  await port.close();
  await cluster.stop();
  await plugin.stop();
  await rm(directory, { recursive: true, force: true });
});

async function look(place?: EtcdPlace): Promise<{ readonly state: KmsState; readonly plugin: PluginState }> {
  const state = valueOf(await readKmsStatus(port, { cluster: pin, etcd: place, resources: ['secrets', 'configmaps'] }));
  const [found] = state.plugins;
  if (found === undefined) throw new Error('The API server tells no plugin.');
  return { state, plugin: found };
}

const fates = ({ keys }: PluginState): readonly string[] =>
  keys.map(({ keyId, objects, fate }) => `${keyId} ${objects === 0 ? 'none' : 'some'} ${fate}`);

test('one API server, by the name of its lease, with the key that Status told it and objects under it', async () => {
  await cluster.arrange(['create', 'secret', 'generic', 'a', '--from-literal=a=b']);
  const { state, plugin: found } = await look(etcd);
  const lease = await cluster.arrange([
    'get',
    'leases',
    '--namespace=kube-system',
    '--selector=apiserver.kubernetes.io/identity=kube-apiserver',
    '--output=jsonpath={.items[*].metadata.labels.kubernetes\\.io/hostname}',
  ]);
  expect(state).toMatchObject({ complete: true, notCounted: [] });
  expect(state.counted).toContain('secrets');
  expect(found).toMatchObject({ provider: pluginName, converged: 'yes' });
  expect(found.servers).toEqual([
    expect.objectContaining({ name: lease, reached: true, healthy: true, problem: '', address: cluster.address }),
  ]);
  expect(found.servers[0]?.wroteUnder).toBe(found.servers[0]?.keyIdHash);
  expect(fates(found)).toEqual(['test-key-1 some current']);
});

test('after a rotation the older key is needed while objects lie under it, and may go when none does', async () => {
  expect(plugin.rotate()).toBe('test-key-2');
  await cluster.restart([encryptionArgument]);
  expect(fates((await look(etcd)).plugin)).toEqual([' none current', 'test-key-1 some stored']);
  for (const resource of ['secrets', 'configmaps'])
    expect(valueOf(await port.rewritePage(pin, resource, '')).rewritten).toBeGreaterThan(0);
  await expect
    .poll(async () => fates((await look(etcd)).plugin), { timeout: 30_000, interval: 500 })
    .toEqual(['test-key-2 some current', ' none may-go']);
  // Without etcd nothing is promised.
  expect((await look()).plugin.keys.map(({ fate }) => fate)).toEqual(['current', 'unknown']);
});

/** Of this machine, such that another node could reach it. */
function ownAddress(): string {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const found = all.find(({ family, address }) => family === 'IPv4' && !/^(?:127|169\.254)\./u.test(address));
  if (found === undefined) throw new Error('This machine has no IPv4 address but 127.0.0.1: a second node needs one.');
  return found.address;
}

test('two API servers in the middle of a rotation: each tells its key, and the older one may not go before both agree', async () => {
  const other = await plugin.startOnAnotherNode(join(directory, 'other-kms.sock'));
  const file = join(directory, 'other-encryption.json');
  await writeFile(
    file,
    (await readFile(join(directory, 'encryption.json'), 'utf8')).replace('kms.sock', 'other-kms.sock'),
  );
  const host = ownAddress();
  expect(other.rotate()).toBe('test-key-3');
  const otherPort = await cluster.startOnAnotherNode('control-plane-2', host, [`--encryption-provider-config=${file}`]);
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: [host] }],
    ports: [{ name: 'https', port: otherPort, protocol: 'TCP' }],
  };
  await cluster.arrange(['create', '--filename=-'], JSON.stringify(slice));
  const { state, plugin: apart } = await look(etcd);
  expect(state.complete).toBe(true);
  expect(apart.converged).toBe('no');
  expect(apart.servers.map(({ name, reached, healthy }) => [name, reached, healthy])).toEqual([
    [hostname(), true, true],
    ['control-plane-2', true, true],
  ]);
  expect(new Set(apart.servers.map(({ keyIdHash }) => keyIdHash)).size).toBe(2);
  expect(apart.keys.map(({ fate }) => fate)).not.toContain('may-go');

  plugin.catchUp();
  await cluster.restart([encryptionArgument]);
  for (const resource of ['secrets', 'configmaps'])
    expect(valueOf(await port.rewritePage(pin, resource, '')).rewritten).toBeGreaterThan(0);
  await expect
    .poll(async () => fates((await look(etcd)).plugin), { timeout: 30_000, interval: 500 })
    .toEqual(['test-key-3 some current', ' none may-go']);
  const { plugin: together } = await look(etcd);
  expect(together.converged).toBe('yes');
  expect(together.servers).toHaveLength(2);
  await cluster.arrange(['delete', 'endpointslice', 'kubernetes']);
  await cluster.removeOtherNode('control-plane-2');
  await other.stop();
});

test('an API server that does not answer is told by its lease, and nothing is promised', async () => {
  const lease = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: {
      name: 'apiserver-anotheronethatisaway00000',
      namespace: 'kube-system',
      labels: { 'apiserver.kubernetes.io/identity': 'kube-apiserver', 'kubernetes.io/hostname': 'control-plane-2' },
    },
    spec: {
      holderIdentity: 'x',
      leaseDurationSeconds: 3600,
      renewTime: `${new Date().toISOString().slice(0, -1)}000Z`,
    },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['192.0.2.2'] }],
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
  };
  for (const object of [lease, slice]) await cluster.arrange(['create', '--filename=-'], JSON.stringify(object));
  const { state, plugin: found } = await look(etcd);
  expect(state.complete).toBe(true);
  expect(found.converged).toBe('unknown');
  expect(found.servers.map(({ name, reached }) => [name, reached])).toEqual([
    [expect.any(String), true],
    ['control-plane-2', false],
  ]);
  expect(found.servers[1]?.problem).toContain('192.0.2.2:6443');
  expect(found.keys.map(({ fate }) => fate)).toEqual(['current', 'unknown']);
  await cluster.arrange(['delete', 'lease', lease.metadata.name, '--namespace=kube-system']);
  await cluster.arrange(['delete', 'endpointslice', 'kubernetes']);
});

test('a plugin that went away is told as not healthy, with the API server’s own words', async () => {
  await plugin.stop();
  const isHealthy = async (): Promise<unknown> => (await look()).plugin.servers[0]?.healthy;
  await expect.poll(isHealthy, { timeout: 60_000, interval: 1000 }).toBe(false);
  const { plugin: found } = await look();
  expect(found.converged).toBe('no');
  expect(found.servers[0]?.problem).toMatch(/rpc error|kms/u);
});

test('one who may not read metrics is told which right is missing', async () => {
  const kubeconfig = await cluster.kubeconfigFor('nobody');
  const refused = createTestClusterPort({ kubectlPath: cluster.kubectlPath, kubeconfig, directory });
  try {
    const asked = await refused.readApiServers(await pinOnly(refused));
    expect(asked).toMatchObject({
      ok: false,
      error: { code: 'Cluster_RightsMissing', message: expect.stringContaining('/metrics') },
    });
  } finally {
    await refused.close();
  }
});
