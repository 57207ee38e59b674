/** bank-vaults' values in a Secret of a real cluster: raw ciphertexts in, the same out, and nothing replaced. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ClusterPin, ClusterPort } from '../../electron/workflows/cluster-ports.ts';
import { openClusterDoor, pinOf, type ClusterDoor } from '../fixtures/cluster-door.ts';
import { filesHolding } from '../fixtures/secret-search.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

let cluster: KubernetesServer;
let door: ClusterDoor;
let port: ClusterPort;
let pin: ClusterPin;
let count = 0;
let secret = { namespace: 'default', name: '' };

beforeAll(async () => {
  cluster = await startKubernetes();
  door = await openClusterDoor({
    KUBECONFIG: await cluster.custodianKubeconfig({ context: 'test' }),
    KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath,
  });
  ({ port } = door);
  pin = await pinOf(port, 'test');
});
afterAll(async () => {
  await door.close();
  await cluster.stop();
});
beforeEach(() => {
  count += 1;
  secret = { namespace: 'default', name: `vault-unseal-keys-${count.toString()}` };
});
afterEach(async () => {
  await cluster.kubectl(['delete', 'secret', secret.name, '--ignore-not-found']);
});

/** As long as an RSA-2048 ciphertext. */
const ciphertext = (): Buffer => randomBytes(256);

interface PlainSecret {
  readonly type: string;
  readonly metadata: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> };
  readonly data: Record<string, string>;
}

async function live(): Promise<PlainSecret> {
  return JSON.parse(await cluster.arrange(['get', 'secret', secret.name, '-o', 'json'])) as PlainSecret;
}

async function arrange(data: Readonly<Record<string, Buffer>>, more: object = {}): Promise<void> {
  const encoded = Object.fromEntries(Object.entries(data).map(([name, value]) => [name, value.toString('base64')]));
  const manifest = { apiVersion: 'v1', kind: 'Secret', metadata: secret, data: encoded, ...more };
  await cluster.arrange(['create', '-f', '-'], JSON.stringify(manifest));
}

test('values are written as raw bytes with their labels, read back, and found again as they are', async () => {
  expect(valueOf(await port.readValues(pin, secret))).toBeUndefined();
  const values = { 'vault-unseal-0': ciphertext(), 'vault-unseal-1': ciphertext(), 'vault-root': ciphertext() };
  const labels = { 'app.kubernetes.io/name': 'vault' };
  expect(valueOf(await port.writeValues(pin, secret, values, labels))).toEqual({
    created: true,
    written: ['vault-unseal-0', 'vault-unseal-1', 'vault-root'],
  });
  const there = await live();
  expect(there).toMatchObject({ type: 'Opaque', metadata: { labels } });
  expect(Buffer.from(there.data['vault-unseal-1'] ?? '', 'base64').equals(values['vault-unseal-1'])).toBe(true);
  const read = valueOf(await port.readValues(pin, secret));
  expect(Object.keys(read?.values ?? {}).sort()).toEqual(Object.keys(values).sort());
  for (const [name, value] of Object.entries(values)) {
    expect(Buffer.from(read?.values[name] ?? []).equals(value)).toBe(true);
  }
  expect(valueOf(await port.writeValues(pin, secret, values, labels))).toEqual({ created: false, written: [] });
});

test('a value that differs is never replaced, and what else lies there stays', async () => {
  const [root, own] = [ciphertext(), Buffer.from('somebody else’s')];
  await arrange({ 'vault-root': root, 'other-value': own }, { metadata: { ...secret, annotations: { kept: 'yes' } } });
  const share = ciphertext();
  expect(codeOf(await port.writeValues(pin, secret, { 'vault-unseal-0': share, 'vault-root': ciphertext() }, {}))).toBe(
    'Cluster_ValueExists',
  );
  expect(Object.keys((await live()).data).sort()).toEqual(['other-value', 'vault-root']);
  expect(valueOf(await port.writeValues(pin, secret, { 'vault-unseal-0': share, 'vault-root': root }, {}))).toEqual({
    created: false,
    written: ['vault-unseal-0'],
  });
  const there = await live();
  expect(there.metadata.annotations).toEqual({ kept: 'yes' });
  expect(there.data).toEqual({
    'vault-root': root.toString('base64'),
    'vault-unseal-0': share.toString('base64'),
    'other-value': own.toString('base64'),
  });
  const read = valueOf(await port.readValues(pin, secret));
  expect(Object.keys(read?.values ?? {}).sort()).toEqual(['vault-root', 'vault-unseal-0']);

  valueOf(await port.removeValues(pin, secret, ['vault-unseal-0', 'vault-unseal-7']));
  expect(Object.keys((await live()).data).sort()).toEqual(['other-value', 'vault-root']);
  valueOf(await port.removeValues(pin, { ...secret, name: 'not-there' }, ['vault-unseal-0']));
  expect(codeOf(await port.removeValues(pin, secret, ['other-value']))).toBe('Cluster_ValueInvalid');
});

test('two custodians who write at once lose nothing, and of two values under one name one is refused', async () => {
  const other = await openClusterDoor({
    KUBECONFIG: await cluster.custodianKubeconfig({ context: 'test' }),
    KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath,
  });
  try {
    const otherPin = await pinOf(other.port, 'test');
    const mine = [ciphertext(), ciphertext(), ciphertext()];
    const theirs = [ciphertext(), ciphertext(), ciphertext()];
    const write = async (by: ClusterPort, at: ClusterPin, values: readonly Buffer[], from: number): Promise<void> => {
      for (const [index, value] of values.entries()) {
        valueOf(await by.writeValues(at, secret, { [`vault-unseal-${(from + index).toString()}`]: value }, {}));
      }
    };
    await Promise.all([write(port, pin, mine, 0), write(other.port, otherPin, theirs, 3)]);
    const { data } = await live();
    expect([0, 1, 2, 3, 4, 5].map((index) => data[`vault-unseal-${index.toString()}`])).toEqual(
      [...mine, ...theirs].map((value) => value.toString('base64')),
    );
    const [one, two] = [ciphertext(), ciphertext()];
    const outcomes = await Promise.all([
      port.writeValues(pin, secret, { 'vault-root': one }, {}),
      other.port.writeValues(otherPin, secret, { 'vault-root': two }, {}),
    ]);
    expect(outcomes.map(codeOf).sort()).toEqual(['Cluster_ValueExists', 'ok']);
    const winner = outcomes[0].ok ? one : two;
    expect((await live()).data['vault-root']).toBe(winner.toString('base64'));
  } finally {
    await other.close();
  }
});

test('shares in the clear, values that are none and too many of them are refused before anything is sent', async () => {
  const clearShare = '5e'.repeat(33);
  await arrange({ 'vault-unseal-0': Buffer.from(clearShare) });
  const refused = await port.readValues(pin, secret);
  expect(refused).toMatchObject({ error: { code: 'Cluster_ValueInvalid', details: { value: 'vault-unseal-0' } } });
  expect(JSON.stringify(refused)).not.toContain(clearShare);

  const fresh = { ...secret, name: `${secret.name}-fresh` };
  expect(codeOf(await port.writeValues(pin, fresh, { 'vault-unseal-0': Buffer.from(clearShare) }, {}))).toBe(
    'Cluster_ValueInvalid',
  );
  expect(codeOf(await port.writeValues(pin, fresh, { 'ssh-key': ciphertext() }, {}))).toBe('Cluster_ValueInvalid');
  const many = Object.fromEntries(
    Array.from({ length: 2049 }, (_unused, index) => [`vault-unseal-${index.toString()}`, randomBytes(512)]),
  );
  expect(codeOf(await port.writeValues(pin, fresh, many, {}))).toBe('Cluster_ObjectTooLarge');
  expect(valueOf(await port.readValues(pin, fresh))).toBeUndefined();
});

test('a namespace that is not there and a Secret that never changes are said', async () => {
  const values = { 'vault-unseal-0': ciphertext() };
  expect(await port.writeValues(pin, { namespace: 'not-there', name: 'x' }, values, {})).toMatchObject({
    error: { code: 'Cluster_NotFound', details: { serverSaid: expect.stringContaining('not-there') } },
  });
  await arrange({ 'vault-root': ciphertext() }, { immutable: true });
  expect(codeOf(await port.writeValues(pin, secret, values, {}))).toBe('Cluster_ObjectInvalid');
  expect(codeOf(await port.removeValues(pin, secret, ['vault-root']))).toBe('Cluster_ObjectInvalid');
});

test('a user without the right is told which, and no value is in a file or an argument', async () => {
  const seenPath = join(cluster.directory, 'seen');
  const watched = join(cluster.directory, 'watched-kubectl');
  await writeFile(
    watched,
    `#!/bin/sh\ncat /proc/$$/cmdline /proc/$$/environ >> '${seenPath}'\nexec ${cluster.kubectlPath} "$@"\n`,
    { mode: 0o700 },
  );
  const limited = await openClusterDoor({
    KUBECONFIG: await cluster.limitedKubeconfig({ context: 'test' }),
    KEY_CUSTODIAN_KUBECTL: watched,
  });
  try {
    const limitedPin = await pinOf(limited.port, 'test');
    const marker = 'marker '.repeat(40).slice(0, 256);
    const values = { 'vault-unseal-0': Buffer.from(marker) };
    expect(await limited.port.writeValues(limitedPin, secret, values, {})).toMatchObject({
      error: { code: 'Cluster_RightsMissing', message: expect.stringContaining('may not get secrets') },
    });
    valueOf(await port.writeValues(pin, secret, values, {}));
    valueOf(await port.readValues(pin, secret));
    for (const directory of [door.directory, limited.directory]) {
      const { read, holding } = await filesHolding(directory, [marker]);
      expect(read).toBeGreaterThan(0);
      expect(holding).toEqual([]);
    }
    expect((await filesHolding(cluster.directory, [marker])).holding.filter((path) => path === seenPath)).toEqual([]);
  } finally {
    await limited.close();
  }
});
