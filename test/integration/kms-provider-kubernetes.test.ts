/** The KMS provider behind a real kube-apiserver with etcd, in the place of a plugin that wrote as kleidi does. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  createKmsPlace,
  createKmsToken,
  startKmsProcess,
  type KmsPlace,
  type KmsProcess,
  type KmsToken,
} from '../fixtures/kms-provider.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const prefix = 'k8s:enc:kms:v2:kleidi-kms-plugin:';
const patient = { timeout: 90_000, interval: 500 };
const kleidiKey = randomBytes(32);

let token: KmsToken;
let place: KmsPlace;
let provider: KmsProcess | undefined;
let cluster: KubernetesServer;

const startProvider = (): Promise<KmsProcess> => startKmsProcess(['--config', place.configurationPath], token);

beforeAll(async () => {
  token = await createKmsToken();
  token.addKey('kleidi-kms-plugin', 1, kleidiKey);
  place = await createKmsPlace(token, { keyLabel: 'kleidi-kms-plugin', health: '127.0.0.1:0' });
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  const encryption = join(place.directory, 'encryption.json');
  const kms = { apiVersion: 'v2', name: 'kleidi-kms-plugin', endpoint: `unix://${place.socketPath}`, timeout: '5s' };
  const configuration = {
    apiVersion: 'apiserver.config.k8s.io/v1',
    kind: 'EncryptionConfiguration',
    resources: [{ resources: ['secrets', 'configmaps'], providers: [{ kms }, { identity: {} }] }],
  };
  await writeFile(encryption, JSON.stringify(configuration));
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

function secretList(name: string, count: number): string {
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-${index}`, namespace: 'default' },
    stringData: { value: `value ${index}` },
  }));
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

async function readValue(name: string): Promise<string> {
  const encoded = await cluster.arrange(['get', 'secret', name, '--output=jsonpath={.data.value}']);
  return Buffer.from(encoded, 'base64').toString();
}

async function countCalls(method: string): Promise<number> {
  const address = /"health":"([^"]+)"/u.exec(provider?.log() ?? '')?.[1] ?? '';
  const metrics = await (await fetch(`http://${address}/metrics`)).text();
  const line = new RegExp(`^key_custodian_kms_calls_total\\{method="${method}",code="0"\\} (\\d+)$`, 'mu').exec(
    metrics,
  );
  return Number(line?.[1] ?? 0);
}

it('reads what kleidi wrote, and encrypts 1,500 Secrets with one call', async () => {
  provider = await startProvider();
  await cluster.restart();
  expect(await readValue('old-19')).toBe('value 19');
  await cluster.arrange(['create', '--filename=-'], secretList('new', 1500));
  expect(await countCalls('encrypt')).toBe(1);
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
  expect(await readValue('new-7')).toBe('value 7');
  provider = await startProvider();
  await cluster.restart();
  expect(await readValue('old-3')).toBe('value 3');
  expect(await readValue('new-1499')).toBe('value 1499');
  await cluster.arrange(['create', 'secret', 'generic', 'after', '--from-literal=value=after']);
  expect(await readValue('after')).toBe('after');
  const ready = async (): Promise<string> => (await cluster.kubectl(['get', '--raw=/readyz'])).stdout;
  await expect.poll(ready, patient).toBe('ok');
});
