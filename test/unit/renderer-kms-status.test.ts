/** How KMS plugins stand, as the window says it. */
import { describe, expect, test } from 'vitest';
import { paths, parsePath } from '../../renderer/stores/navigation-store.ts';
import { text } from '../../renderer/text/en.ts';
import {
  keysThatMayGo,
  limitsOf,
  markOfPlugin,
  markOfServer,
  nameOfKey,
  toldAt,
  toldKey,
  wroteUnder,
  type KmsPluginState,
  type KmsStatus,
} from '../../renderer/views/kms-status.ts';

const words = text.kmsStatus;
const hash = `sha256:${'ab'.repeat(32)}`;
const other = `sha256:${'cd'.repeat(32)}`;
const server: KmsPluginState['servers'][number] = {
  name: 'control-plane-1',
  address: 'https://10.0.0.1:6443',
  reached: true,
  healthy: true,
  problem: '',
  keyIdHash: hash,
  toldAt: 1_795_383_136.5,
  wroteUnder: hash,
  wroteAt: 1_795_383_137,
};
const key: KmsPluginState['keys'][number] = { keyIdHash: hash, keyId: '', servers: 1, objects: null, fate: 'current' };
const plugin: KmsPluginState = { provider: 'kms', servers: [server], converged: 'yes', keys: [key] };
const status: KmsStatus = { plugins: [plugin], complete: true, counted: ['secrets'], notCounted: [] };

describe('the page of KMS health', () => {
  test('has a path of its own', () => {
    expect(parsePath(paths.kmsStatus('a/b'))).toEqual({ page: 'kms-status', contextId: 'a/b' });
  });

  test('says how each API server is', () => {
    expect(markOfServer(server).words).toBe(words.healthy);
    expect(markOfServer({ ...server, healthy: false }).words).toBe(words.unhealthy);
    expect(markOfServer({ ...server, reached: false, healthy: false }).words).toBe(words.away);
  });

  test.each(['yes', 'no', 'unknown'] as const)('says whether they agree: %s', (converged) => {
    expect(markOfPlugin({ ...plugin, converged }).words).toBe(words.converged[converged]);
  });

  test('names a key as an object does, else by the beginning of its hash', () => {
    expect(nameOfKey(key)).toBe('sha256:abababababab');
    expect(nameOfKey({ ...key, keyId: 'kc1-aes-1' })).toBe('kc1-aes-1');
    expect(toldKey({ ...plugin, keys: [{ ...key, keyId: 'kc1-aes-1' }] }, server)).toBe('kc1-aes-1');
    expect(toldKey(plugin, { ...server, keyIdHash: '' })).toBe(words.never);
  });

  test('says when Status told the key, and under which one was written', () => {
    expect(toldAt(server)).toContain('2026');
    expect(toldAt({ ...server, toldAt: 0 })).toBe(words.never);
    expect(wroteUnder(server)).toBe(words.same);
    expect(wroteUnder({ ...server, wroteUnder: other })).toBe(words.other);
    expect(wroteUnder({ ...server, wroteUnder: '' })).toBe(words.notWritten);
  });

  test('counts the keys that may go, and says what was not seen', () => {
    expect(keysThatMayGo({ ...plugin, keys: [key, { ...key, keyIdHash: other, fate: 'may-go' }] })).toBe(1);
    expect(limitsOf(status)).toEqual([words.counted('secrets')]);
    expect(limitsOf({ ...status, complete: false, counted: [] })).toEqual([words.incomplete, words.nothingCounted]);
    expect(limitsOf({ ...status, notCounted: ['configmaps'] })).toEqual([
      words.counted('secrets'),
      words.countMissing('configmaps'),
    ]);
  });
});
