/** What is read of API servers' metrics about KMS plugins, and what is concluded: who uses which key, and which may go. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ApiServer, ApiServers, StoredCount } from '../../electron/workflows/kms-ports.ts';
import { judgeKms, type KmsState, type PluginState } from '../../electron/workflows/kms-status.ts';
import { readEnvelopeMetrics } from '../../k8s-bridge/kms/envelope-metrics.ts';

const hashOf = (keyId: string): string => `sha256:${createHash('sha256').update(keyId).digest('hex')}`;
const [older, newer] = ['kc1-aes-older', 'kc1-aes-newer'].map((keyId) => ({ keyId, hash: hashOf(keyId) }));
if (older === undefined || newer === undefined) throw new Error('There are two keys.');

function server(name: string, tells: readonly string[], change: Partial<ApiServer> = {}): ApiServer {
  const uses = tells.map((keyIdHash, index) => ({ use: 'told' as const, provider: 'kms', keyIdHash, at: 100 + index }));
  const resources = [{ resource: 'secrets', provider: 'kms' }];
  const address = `https://${name}:6443`;
  return { name, address, reached: true, healthy: true, problem: '', uses, resources, ...change };
}

const count = (resource: string, under: Readonly<Record<string, number>>): StoredCount => ({
  resource,
  total: Object.values(under).reduce((sum, one) => sum + one, 0),
  under: Object.entries(under).map(([keyId, objects]) => ({ provider: 'kms:v2:kms', keyId, count: objects })),
});

const all = (...servers: readonly ApiServer[]): ApiServers => ({ servers: [...servers], complete: true });

function judged(servers: ApiServers, counts: readonly StoredCount[] = []): KmsState & { readonly plugin: PluginState } {
  const state = judgeKms(servers, counts, hashOf);
  const [plugin, another] = state.plugins;
  if (plugin === undefined || another !== undefined) throw new Error('One plugin was expected.');
  return { ...state, plugin };
}

const fates = ({ keys }: PluginState): readonly string[] =>
  keys.map(({ keyIdHash, fate }) => `${keyIdHash === newer.hash ? 'newer' : 'older'} ${fate}`);

describe('whether all API servers use the same key', () => {
  test('they do, once each was told the newer one last', () => {
    const { plugin } = judged(all(server('a', [older.hash, newer.hash]), server('b', [newer.hash])));
    expect(plugin.converged).toBe('yes');
    expect(plugin.servers.map(({ name, keyIdHash, toldAt }) => [name, keyIdHash, toldAt])).toEqual([
      ['a', newer.hash, 101],
      ['b', newer.hash, 100],
    ]);
  });

  test.each<[string, ApiServers, PluginState['converged']]>([
    ['one was not told yet', all(server('a', [newer.hash]), server('b', [older.hash])), 'no'],
    ['one is not healthy', all(server('a', [newer.hash]), server('b', [newer.hash], { healthy: false })), 'no'],
    [
      'one was not reached',
      all(server('a', [newer.hash]), server('b', [], { reached: false, healthy: false })),
      'unknown',
    ],
    ['one knows no plugin', all(server('a', [newer.hash]), server('b', [])), 'unknown'],
    ['how many there are is not known', { servers: [server('a', [newer.hash])], complete: false }, 'unknown'],
  ])('%s', (_, servers, converged) => {
    expect(judged(servers, [count('secrets', { [newer.keyId]: 3 })]).plugin.converged).toBe(converged);
  });
});

describe('when an older key may go', () => {
  const rotated = all(server('a', [older.hash, newer.hash]), server('b', [older.hash, newer.hash]));

  test('when no server uses it and nothing in etcd lies under it', () => {
    const { plugin } = judged(rotated, [count('secrets', { [newer.keyId]: 7 })]);
    expect(fates(plugin)).toEqual(['newer current', 'older may-go']);
    expect(plugin.keys[0]).toMatchObject({ keyId: newer.keyId, objects: 7, servers: 2 });
  });

  test.each<[string, ApiServers, readonly StoredCount[], readonly string[]]>([
    [
      'an object lies under it',
      rotated,
      [count('secrets', { [newer.keyId]: 7, [older.keyId]: 1 })],
      ['newer current', 'older stored'],
    ],
    ['nothing was counted', rotated, [], ['newer current', 'older unknown']],
    [
      'a kind that is encrypted was not counted',
      all(server('a', [older.hash, newer.hash], { resources: [{ resource: 'configmaps', provider: 'kms' }] })),
      [count('secrets', { [newer.keyId]: 7 })],
      ['newer current', 'older unknown'],
    ],
    [
      'a server uses it still',
      all(server('a', [older.hash, newer.hash]), server('b', [older.hash])),
      [count('secrets', { [newer.keyId]: 7 })],
      ['newer in-use', 'older in-use'],
    ],
    [
      'a server was not reached',
      all(server('a', [older.hash, newer.hash]), server('b', [], { reached: false, healthy: false })),
      [count('secrets', { [newer.keyId]: 7 })],
      ['newer current', 'older unknown'],
    ],
  ])('not while %s', (_, servers, counts, expected) => {
    expect(fates(judged(servers, counts).plugin)).toEqual(expected);
  });

  test('a key that only etcd knows is told in the clear', () => {
    const { plugin } = judged(all(server('a', [newer.hash])), [count('secrets', { [older.keyId]: 2 })]);
    expect(plugin.keys.find(({ fate }) => fate === 'stored')).toMatchObject({ keyId: older.keyId, objects: 2 });
  });

  test('two plugins are told apart', () => {
    const other = { use: 'told' as const, provider: 'other', keyIdHash: older.hash, at: 5 };
    const both = server('a', [newer.hash]);
    const { plugins } = judgeKms(all({ ...both, uses: [...both.uses, other] }), [], hashOf);
    expect(plugins.map(({ provider, keys }) => [provider, keys.length])).toEqual([
      ['kms', 1],
      ['other', 1],
    ]);
  });
});

describe('an API server’s metrics', () => {
  const id = hashOf('apiserver-x');
  const labels = (more: string): string =>
    `apiserver_id_hash="${id}",key_id_hash="${newer.hash}",provider_name="kms"${more}`;
  const prefix = 'apiserver_envelope_encryption_key_id_hash';

  test('say which key was told, and which one wrote and read', () => {
    const text = [
      '# HELP apiserver_envelope_encryption_key_id_hash_total [ALPHA] …',
      `${prefix}_total{${labels(',transformation_type="to_storage"')}} 4`,
      `${prefix}_status_last_timestamp_seconds{${labels('')}} 1.7953831364744012e+09`,
      `${prefix}_last_timestamp_seconds{${labels(',transformation_type="to_storage"')}} 12`,
      `${prefix}_last_timestamp_seconds{${labels(',transformation_type="from_storage"')}} 13 1700000000000`,
      'apiserver_storage_transformation_operations_total{resource="deployments.apps",status="OK",transformation_type="to_storage",transformer_prefix="k8s:enc:kms:v2:kms:"} 1',
      'apiserver_storage_transformation_operations_total{resource="pods",status="OK",transformation_type="to_storage",transformer_prefix="k8s:enc:aescbc:v1:key:"} 1',
      'go_goroutines 12',
    ].join('\n');
    expect(readEnvelopeMetrics(text)).toEqual({
      serverIdHash: id,
      uses: [
        { use: 'told', provider: 'kms', keyIdHash: newer.hash, at: 1_795_383_136.474_401_2 },
        { use: 'wrote', provider: 'kms', keyIdHash: newer.hash, at: 12 },
        { use: 'read', provider: 'kms', keyIdHash: newer.hash, at: 13 },
      ],
      resources: [{ resource: 'deployments.apps', provider: 'kms' }],
    });
  });

  test.each([
    '',
    '{}',
    `${prefix}_status_last_timestamp_seconds`,
    `${prefix}_status_last_timestamp_seconds{`,
    `${prefix}_status_last_timestamp_seconds{} 1`,
    `${prefix}_status_last_timestamp_seconds{key_id_hash="sha256:zz",provider_name="kms"} 1`,
    `${prefix}_status_last_timestamp_seconds{key_id_hash="${newer.hash}",provider_name=""} 1`,
    `${prefix}_status_last_timestamp_seconds{key_id_hash="${newer.hash}",provider_name="kms"} NaN`,
    `${prefix}_status_last_timestamp_seconds{key_id_hash="${newer.hash}",provider_name="kms"} -1`,
    `${prefix}_last_timestamp_seconds{key_id_hash="${newer.hash}",provider_name="kms"} 1`,
    `${prefix}_status_last_timestamp_seconds{key_id_hash="${newer.hash}\\",provider_name="kms} 1`,
    'apiserver_storage_transformation_operations_total{resource="--flag",transformer_prefix="k8s:enc:kms:v2:kms:"} 1',
  ])('are left out where they are malformed: %s', (text) => {
    expect(readEnvelopeMetrics(text)).toEqual({ serverIdHash: '', uses: [], resources: [] });
  });
});
