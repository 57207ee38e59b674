/** What main does when a window asks how a cluster's KMS plugins stand. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { channels } from '../../electron/contract/channels.ts';
import { createChosenFiles } from '../../electron/ipc/chosen-files.ts';
import { createKmsHandlers } from '../../electron/ipc/handlers/kms.ts';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { ApiServers, EtcdPlace } from '../../electron/workflows/kms-ports.ts';
import { valueOf } from '../fixtures/token-port.ts';

const pin: ClusterPin = {
  context: 'test',
  kubeconfigPaths: ['/home/me/.kube/config'],
  clusterName: 'test-cluster',
  server: 'https://api.example:6443',
  caSha256: '',
  userName: 'me',
  clusterUid: '',
};
const keyIdHash = `sha256:${createHash('sha256').update('key-1').digest('hex')}`;
const told: ApiServers = {
  complete: true,
  servers: [
    {
      name: 'control-plane-1',
      address: 'https://api.example:6443',
      reached: true,
      healthy: true,
      problem: '',
      uses: [{ use: 'told', provider: 'kms', keyIdHash, at: 1_795_383_136.5 }],
      resources: [{ resource: 'secrets', provider: 'kms' }],
    },
  ],
};

function rig(chosen: readonly string[] = []) {
  const chosenFiles = createChosenFiles();
  for (const path of chosen) chosenFiles.remember(path);
  const counted: (readonly [EtcdPlace, string])[] = [];
  const handlers = createKmsHandlers({
    chosenFiles,
    clusters: {
      pin: async (contextId) =>
        contextId === 'known' ? success(pin) : failure('App_NotFound', 'It is not there.', 'Choose another.'),
    },
    core: {
      kms: {
        readApiServers: async () => success(told),
        countStored: async (_, etcd, resource) => {
          counted.push([etcd, resource]);
          return success({ resource, total: 2, under: [{ provider: 'kms:v2:kms', keyId: 'key-1', count: 2 }] });
        },
      },
    },
  });
  return { ask: handlers['kms.status'], counted };
}

const inPod = { pod: '', prefix: '/registry' };
const byAddress = {
  address: 'https://127.0.0.1:2379',
  caPath: '/pki/ca.crt',
  certificatePath: '/pki/client.crt',
  keyPath: '/pki/client.key',
  prefix: '/registry',
};

describe('kms.status', () => {
  it('answers without etcd: nothing is counted, and no key is said to be free', async () => {
    const { ask, counted } = rig();
    const reply = valueOf(await ask({ contextId: 'known', etcd: '', resources: [] }));
    expect(channels['kms.status'].reply.parse(reply)).toEqual(reply);
    expect(reply).toMatchObject({ complete: true, counted: [], notCounted: ['secrets'] });
    expect(reply.plugins[0]).toMatchObject({
      provider: 'kms',
      converged: 'yes',
      keys: [{ keyIdHash, keyId: '', servers: 1, objects: null, fate: 'current' }],
    });
    expect(counted).toEqual([]);
  });

  it('counts what the servers say that is encrypted, and what it is asked beside', async () => {
    const { ask, counted } = rig();
    const reply = valueOf(await ask({ contextId: 'known', etcd: inPod, resources: ['configmaps', 'secrets'] }));
    expect(counted).toEqual([
      [inPod, 'secrets'],
      [inPod, 'configmaps'],
    ]);
    expect(reply.plugins[0]?.keys).toEqual([{ keyIdHash, keyId: 'key-1', servers: 1, objects: 4, fate: 'current' }]);
  });

  it('reads etcd with files that a person chose, and with no other', async () => {
    const files = [byAddress.caPath, byAddress.certificatePath, byAddress.keyPath];
    for (const chosen of [[], files.slice(1), ['/etc/shadow']]) {
      const { ask, counted } = rig(chosen);
      expect(await ask({ contextId: 'known', etcd: byAddress, resources: [] })).toMatchObject({
        error: { code: 'Custody_PlanInvalid' },
      });
      expect(counted).toEqual([]);
    }
    expect((await rig(files).ask({ contextId: 'known', etcd: byAddress, resources: [] })).ok).toBe(true);
  });

  it('asks no cluster that this app does not know', async () => {
    expect(await rig().ask({ contextId: '--flag', etcd: '', resources: [] })).toMatchObject({
      error: { code: 'App_NotFound' },
    });
  });

  it.each([
    { contextId: '', etcd: '', resources: [] },
    { contextId: 'known', resources: [] },
    { contextId: 'known', etcd: { pod: '--flag', prefix: '/registry' }, resources: [] },
    { contextId: 'known', etcd: { ...inPod, prefix: '/../' }, resources: [] },
    { contextId: 'known', etcd: { ...byAddress, address: 'http://127.0.0.1:2379' }, resources: [] },
    { contextId: 'known', etcd: '', resources: ['--all'] },
    { contextId: 'known', etcd: '', resources: Array.from({ length: 501 }, () => 'secrets') },
    { contextId: 'known', etcd: '', resources: [], server: 'https://elsewhere' },
  ])('refuses what is malformed: %j', (request) => {
    expect(channels['kms.status'].request.safeParse(request).success).toBe(false);
  });
});
