/** The KMS provider behind a real kube-apiserver with etcd, in the place of a plugin that wrote as kleidi does. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  encryptionConfiguration,
  healthOf,
  kmsEntry,
  readAllValues,
  readValue,
  rewrapSeed,
  secretList,
  storedSecret,
} from '../fixtures/kms-cluster.ts';
import { startKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlace, createKmsToken, type KmsPlace, type KmsToken } from '../fixtures/kms-provider.ts';
import { connectKms } from '../servers/kms-client.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const keyLabel = 'kleidi-kms-plugin';
const prefix = `k8s:enc:kms:v2:${keyLabel}:`;
const patient = { timeout: 90_000, interval: 500 };
const kleidiKey = randomBytes(32);

let token: KmsToken;
let place: KmsPlace;
let provider: KmsProcess | undefined;
let cluster: KubernetesServer;

const startProvider = (): Promise<KmsProcess> => startKmsProcess(['--config', place.configurationPath], token);

beforeAll(async () => {
  token = await createKmsToken();
  token.addKey(keyLabel, 1, kleidiKey);
  place = await createKmsPlace(token, { keyLabel, health: '127.0.0.1:0' });
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  const encryption = join(place.directory, 'encryption.json');
  await writeFile(encryption, encryptionConfiguration([kmsEntry(keyLabel, place.socketPath), { identity: {} }]));
  const kleidi = await startKmsPlugin(place.socketPath, kleidiKey);
  try {
    cluster = await startKubernetes({ extraArguments: [`--encryption-provider-config=${encryption}`] });
    await cluster.arrange(['create', '--filename=-'], secretList('old', 20));
    await cluster.kill();
  } finally {
    await kleidi.stop();
  }
});

afterAll(async () => {
  await cluster.stop();
  await provider?.end('SIGKILL');
  await place.remove();
  await token.dispose();
});

async function countCalls(method: string): Promise<number> {
  const address = provider?.healthAddress() ?? '';
  const metrics = await (await fetch(`http://${address}/metrics`)).text();
  const line = new RegExp(`^key_custodian_kms_calls_total\\{method="${method}",code="0"\\} (\\d+)$`, 'mu').exec(
    metrics,
  );
  return Number(line?.[1] ?? 0);
}

it('reads what kleidi wrote, and encrypts 1,500 Secrets with one call', async () => {
  provider = await startProvider();
  await cluster.restart();
  expect(await readValue(cluster, 'old-19')).toBe('value 19');
  await cluster.arrange(['create', '--filename=-'], secretList('new', 1500));
  expect(await countCalls('encrypt')).toBe(1);
  // Lists from etcd decrypt each Secret anew: the API server does that by itself.
  const decrypted = await countCalls('decrypt');
  for (const _ of ['first', 'again']) await cluster.arrange(['get', 'secrets', '--output=name']);
  expect(await countCalls('decrypt')).toBe(decrypted);
  await cluster.arrange(['create', 'configmap', 'plain-words', '--from-literal=a=plain-words-in-a-configmap']);
  for (const path of ['secrets/default/new-1499', 'configmaps/default/plain-words']) {
    const stored = (await cluster.etcdGet(`/registry/${path}`)).toString('latin1');
    expect(stored.startsWith(prefix)).toBe(true);
    expect(stored).toContain('kc1-aes-');
    expect(stored).not.toContain('plain-words-in-a-configmap');
  }
  expect((await cluster.etcdGet('/registry/secrets/default/old-0')).toString('latin1')).not.toContain('kc1-aes-');
});

it('keeps reads going while the provider is killed, and serves on after it and the API server were started again', async () => {
  await provider?.end('SIGKILL');
  expect(await readValue(cluster, 'new-7')).toBe('value 7');
  provider = await startProvider();
  await cluster.restart();
  expect(await readValue(cluster, 'old-3')).toBe('value 3');
  expect(await readValue(cluster, 'new-1499')).toBe('value 1499');
  await cluster.arrange(['create', 'secret', 'generic', 'after', '--from-literal=value=after']);
  expect(await readValue(cluster, 'after')).toBe('after');
  await expect.poll(() => healthOf(cluster, '/readyz'), patient).toBe('ok');
});

it('moves what kleidi wrote under a key id of its own, and needs kleidi’s no more', async () => {
  const written = await cluster.arrange(['get', 'secrets', '--output=json']);
  await cluster.arrange(['replace', '--filename=-'], written);
  for (let index = 0; index < 20; index += 1) expect(await storedSecret(cluster, `old-${index}`)).toContain('kc1-aes-');
  expect(await readValue(cluster, 'old-19')).toBe('value 19');
});

it('lets reads go on while the token is gone, and is healthy again by itself, with the newer key that came back', async () => {
  const [store, away] = [join(token.directory, 'tokens'), join(token.directory, 'away')];
  await rename(store, away);
  await expect.poll(() => healthOf(cluster, '/healthz'), patient).toContain('kms-providers');
  expect(await healthOf(cluster, '/readyz')).toContain('kms-providers');
  expect(await healthOf(cluster, '/livez')).toBe('ok');
  expect(await readValue(cluster, 'old-7')).toBe('value 7');
  expect(await readValue(cluster, 'new-1499')).toBe('value 1499');
  await cluster.arrange(['create', 'secret', 'generic', 'meanwhile', '--from-literal=value=meanwhile']);
  await rename(away, store);
  token.addKey(keyLabel, 60, randomBytes(32));
  await expect.poll(() => healthOf(cluster, '/healthz'), patient).toBe('ok');
  // The provider may have looked at the token before the newer key lay there: then the next look finds it.
  const keyIdOf = async (name: string): Promise<string | undefined> =>
    /kc1-aes-[0-9a-f]{32}/u.exec(await storedSecret(cluster, name))?.[0];
  const older = await keyIdOf('meanwhile');
  let count = 0;
  const writeAnother = async (): Promise<boolean> => {
    // /healthz has the API server ask for Status.
    await healthOf(cluster, '/healthz');
    count += 1;
    await cluster.arrange(['create', 'secret', 'generic', `newer-${count}`, `--from-literal=value=newer`]);
    return (await keyIdOf(`newer-${count}`)) !== older;
  };
  await expect.poll(writeAnother, patient).toBe(true);
  expect(await readValue(cluster, `newer-${count}`)).toBe('newer');
});

it('opens Secrets under 50 old keys of the token when the API server starts', async () => {
  await cluster.arrange(['create', '--filename=-'], secretList('aged', 50));
  const keyIds = new Set<string>();
  const rotate = async (id: number): Promise<void> => {
    token.addKey(keyLabel, id, randomBytes(32));
    // Started anew, it need not be waited for until it looks for keys by itself.
    await provider?.end('SIGTERM');
    provider = await startProvider();
  };
  for (let index = 0; index < 50; index += 1) {
    await rotate(100 + index);
    const client = connectKms(place.socketPath);
    keyIds.add(await rewrapSeed(cluster, client, keyLabel, `aged-${index}`));
    client.close();
  }
  expect(keyIds.size).toBe(50);
  await rotate(200);
  await cluster.restart();
  const values = await readAllValues(cluster);
  for (let index = 0; index < 50; index += 1) expect(values.get(`aged-${index}`)).toBe(`value ${index}`);
  expect(await countCalls('decrypt')).toBeGreaterThanOrEqual(50);
  await expect.poll(() => healthOf(cluster, '/readyz'), patient).toBe('ok');
});
