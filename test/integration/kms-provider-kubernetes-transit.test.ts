/** The KMS provider between a real kube-apiserver and a real Vault whose wire is slow, cut, or sealed at its end. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
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
import { createKmsPlaceFor, type KmsPlace } from '../fixtures/kms-provider.ts';
import { startTransitVault, type TransitVault } from '../fixtures/transit-vault.ts';
import { vaultByHand } from '../fixtures/vault-by-hand.ts';
import { connectKms, valueOf, type KmsClient } from '../servers/kms-client.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startToxiproxy, type Toxiproxy } from '../servers/toxiproxy.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const patient = { timeout: 90_000, interval: 500 };
const name = 'transit';
const prefix = `k8s:enc:kms:v2:${name}:`;

let vault: TransitVault;
let wire: Toxiproxy;
let place: KmsPlace;
let provider: KmsProcess;
let client: KmsClient;
let cluster: KubernetesServer;

/** Vault's snapshots, which are no JSON. */
function transfer(
  server: TestVault,
  token: string,
  method: 'GET' | 'POST',
  path: string,
  body?: Buffer,
): Promise<Buffer> {
  const options = { method, ca: readFileSync(server.caPath), agent: false, headers: { 'x-vault-token': token } };
  return new Promise((resolve, reject) => {
    const asked = request(`${server.address}/v1/${path}`, options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        if ((response.statusCode ?? 500) < 300) resolve(Buffer.concat(chunks));
        else reject(new Error(`${path}: ${String(response.statusCode)} ${Buffer.concat(chunks).toString()}`));
      });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}
/** As a machine comes up: the provider first, then an API server that may not get ready. */
async function startCold(): Promise<void> {
  await cluster.kill();
  await provider.end('SIGKILL');
  provider = await startKmsProcess(['--config', place.configurationPath]);
  expect(provider.log()).toContain('Serving KMS v2.');
  await cluster.begin();
}
const health = (): Promise<string> => healthOf(cluster, '/healthz');

beforeAll(async () => {
  vault = await startTransitVault('kms');
  const tokenFile = await vault.writeToken();
  wire = await startToxiproxy(Number(new URL(vault.server.address).port));
  const address = `https://127.0.0.1:${wire.port}`;
  place = await createKmsPlaceFor(() => ({ ...vault.fields, address, authmethod: 'token', tokenFile }));
  await mkdir(dirname(place.socketPath), { mode: 0o700 });
  provider = await startKmsProcess(['--config', place.configurationPath]);
  client = connectKms(place.socketPath);
  const encryption = join(place.directory, 'encryption.json');
  await writeFile(encryption, encryptionConfiguration([kmsEntry(name, place.socketPath), { identity: {} }]));
  cluster = await startKubernetes({ extraArguments: [`--encryption-provider-config=${encryption}`] });
});

afterAll(async () => {
  await cluster.stop();
  client.close();
  await provider.end('SIGKILL');
  await place.remove();
  await wire.stop();
  await vault.server.stop();
});

it('opens Secrets under 50 old key ids when the API server starts', async () => {
  await cluster.arrange(['create', '--filename=-'], secretList('aged', 50));
  expect((await storedSecret(cluster, 'aged-0')).startsWith(prefix)).toBe(true);
  const keyIds = new Set<string>();
  for (let index = 0; index < 50; index += 1) {
    keyIds.add(await rewrapSeed(cluster, client, name, `aged-${index}`));
    await vault.asRoot('transit/keys/kms/rotate', {});
    valueOf(await client.status());
  }
  expect(keyIds.size).toBe(50);
  expect(keyIds.has(valueOf(await client.status()).key_id)).toBe(false);
  await cluster.restart();
  const values = await readAllValues(cluster);
  for (let index = 0; index < 50; index += 1) expect(values.get(`aged-${index}`)).toBe(`value ${index}`);
  expect(await healthOf(cluster, '/readyz')).toBe('ok');
});

it('goes on through answers that come 100 ms later', async () => {
  await wire.delay(100);
  expect(valueOf(await client.status()).healthz).toBe('ok');
  // Nothing is remembered by an API server that has just started: it asks for each of the 50 seeds.
  await cluster.restart();
  expect((await readAllValues(cluster)).get('aged-49')).toBe('value 49');
  await cluster.arrange(['create', 'secret', 'generic', 'slow', '--from-literal=value=slow']);
  expect(await readValue(cluster, 'slow')).toBe('slow');
  expect(await health()).toBe('ok');
});

it('lets reads go on while answers come 3 s later, says that it is unhealthy, and is healthy again by itself', async () => {
  await wire.delay(3000);
  await expect.poll(health, patient).toContain('kms-providers');
  expect((await readAllValues(cluster)).get('aged-11')).toBe('value 11');
  // As another API server would have written it: this one has to ask for that seed.
  await rewrapSeed(cluster, client, name, 'aged-12');
  const readRewrapped = (): Promise<string> => readValue(cluster, 'aged-12').catch(String);
  await expect.poll(readRewrapped, patient).toBe('value 12');
  expect(await health()).toContain('kms-providers');
  await wire.delay(0);
  await expect.poll(health, patient).toBe('ok');
});

it('lets reads and writes go on while Vault is sealed, and is healthy again by itself once it is unsealed', async () => {
  await vault.byHand.seal(vault.testRootToken);
  await expect.poll(health, patient).toContain('kms-providers');
  expect(await healthOf(cluster, '/livez')).toBe('ok');
  expect(await readValue(cluster, 'aged-3')).toBe('value 3');
  await cluster.arrange(['create', 'secret', 'generic', 'meanwhile', '--from-literal=value=meanwhile']);
  await vault.byHand.unseal(vault.testShares);
  await expect.poll(health, patient).toBe('ok');
  await cluster.arrange(['create', 'secret', 'generic', 'after', '--from-literal=value=after']);
  expect([await readValue(cluster, 'meanwhile'), await readValue(cluster, 'after')]).toEqual(['meanwhile', 'after']);
});

it('starts while Vault is sealed: what is not encrypted is served, and Secrets too once it is unsealed', async () => {
  const plain = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'plain', namespace: 'default' } };
  await cluster.etcdPut('/registry/secrets/default/plain', Buffer.from(JSON.stringify(plain)));
  await vault.byHand.seal(vault.testRootToken);
  await startCold();
  await expect.poll(() => healthOf(cluster, '/livez'), patient).toBe('ok');
  expect(await healthOf(cluster, '/readyz')).toContain('kms-providers');
  const pod = { metadata: { name: 'vault-0' }, spec: { containers: [{ name: 'vault', image: 'vault' }] } };
  await cluster.arrange(['create', '--filename=-'], JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...pod }));
  expect(await cluster.arrange(['get', 'pods', '--output=name'])).toContain('pod/vault-0');
  expect((await cluster.kubectl(['get', 'secret', 'aged-1'])).exitCode).toBe(1);
  expect((await cluster.kubectl(['get', 'secrets'])).exitCode).toBe(1);
  expect((await cluster.kubectl(['get', 'secret', 'plain'])).exitCode).toBe(0);
  await vault.byHand.unseal(vault.testShares);
  await expect.poll(() => healthOf(cluster, '/readyz'), patient).toBe('ok');
  expect(await readValue(cluster, 'aged-1')).toBe('value 1');
});

it('starts again where Vault is lost with its cluster: on a Vault restored from its snapshot elsewhere', async () => {
  const snapshot = await transfer(vault.server, vault.testRootToken, 'GET', 'sys/storage/raft/snapshot');
  const keyId = valueOf(await client.status()).key_id;
  await vault.server.kill();
  await startCold();
  await expect.poll(() => healthOf(cluster, '/livez'), patient).toBe('ok');
  const elsewhere = await startVaultServer();
  try {
    const byHandThere = vaultByHand(elsewhere);
    const made = await byHandThere.initialize(1, 1);
    await byHandThere.unseal(made.testShares);
    const restore = (): Promise<Buffer> =>
      transfer(elsewhere, made.testRootToken, 'POST', 'sys/storage/raft/snapshot-force', snapshot);
    await vi.waitFor(restore, patient);
    // The restored Vault is the lost one: it takes that one's shares.
    await vi.waitFor(() => byHandThere.unseal(vault.testShares), patient);
    const configuration: unknown = JSON.parse(await readFile(place.configurationPath, 'utf8'));
    const there = { address: elsewhere.address, caFile: elsewhere.caPath };
    await writeFile(place.configurationPath, JSON.stringify(Object.assign({}, configuration, there)));
    await provider.end('SIGTERM');
    provider = await startKmsProcess(['--config', place.configurationPath]);
    await expect.poll(() => healthOf(cluster, '/readyz'), patient).toBe('ok');
    const values = await readAllValues(cluster);
    for (let index = 0; index < 50; index += 1) expect(values.get(`aged-${index}`)).toBe(`value ${index}`);
    expect(valueOf(await client.status()).key_id).toBe(keyId);
  } finally {
    await elsewhere.stop();
  }
});
