/** The KMS provider between a real kube-apiserver and a real Vault whose wire is slow, cut, or sealed at its end. */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { kmsPolicy } from '../../electron/workflows/recipes/transit-setup.ts';
import {
  encryptionConfiguration,
  healthOf,
  kmsEntry,
  readAllValues,
  readValue,
  rewrapSeed,
  secretList,
  storedSecret,
  valueOf,
} from '../fixtures/kms-cluster.ts';
import { createKmsPlaceFor, startKmsProcess, type KmsPlace, type KmsProcess } from '../fixtures/kms-provider.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { connectKms, type KmsClient } from '../servers/kms-client.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startToxiproxy, type Toxiproxy } from '../servers/toxiproxy.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const patient = { timeout: 90_000, interval: 500 };
const name = 'transit';
const prefix = `k8s:enc:kms:v2:${name}:`;

let vault: TestVault;
let byHand: ByHand;
let shares: readonly string[];
let root: string;
let wire: Toxiproxy;
let place: KmsPlace;
let provider: KmsProcess;
let client: KmsClient;
let cluster: KubernetesServer;

const asRoot = (path: string, body: unknown): Promise<unknown> => byHand.call('PUT', path, body, root);
const health = (): Promise<string> => healthOf(cluster, '/healthz');

beforeAll(async () => {
  vault = await startVaultServer();
  byHand = vaultByHand(vault);
  const made = await byHand.initialize(1, 1);
  [shares, root] = [made.testShares, made.testRootToken];
  await byHand.unseal(shares);
  // Unsealed is not active yet.
  const leader = (): Promise<unknown> => byHand.call('GET', 'sys/leader', undefined, root);
  await vi.waitFor(async () => expect(await leader()).toMatchObject({ is_self: true }), patient);
  await asRoot('sys/mounts/transit', { type: 'transit' });
  await asRoot('transit/keys/kms', {});
  await asRoot('sys/policies/acl/kms', { policy: kmsPolicy({ mount: 'transit', key: 'kms' }) });
  const token = z
    .object({ auth: z.object({ client_token: z.string() }) })
    .parse(await asRoot('auth/token/create', { policies: ['kms'], ttl: '1h' })).auth.client_token;
  const tokenFile = join(vault.dataDirectory, 'kms-token');
  await writeFile(tokenFile, `${token}\n`, { mode: 0o400 });
  wire = await startToxiproxy(Number(new URL(vault.address).port));
  place = await createKmsPlaceFor(() => ({
    provider: 'hvault',
    address: `https://127.0.0.1:${wire.port}`,
    caFile: vault.caPath,
    transitkey: 'kms',
    authmethod: 'token',
    tokenFile,
  }));
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
  await vault.stop();
});

it('opens Secrets under 50 old key ids when the API server starts', async () => {
  await cluster.arrange(['create', '--filename=-'], secretList('aged', 50));
  expect((await storedSecret(cluster, 'aged-0')).startsWith(prefix)).toBe(true);
  const keyIds = new Set<string>();
  for (let index = 0; index < 50; index += 1) {
    keyIds.add(await rewrapSeed(cluster, client, name, `aged-${index}`));
    await asRoot('transit/keys/kms/rotate', {});
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
  await wire.delay(0);
  await expect.poll(health, patient).toBe('ok');
});

it('lets reads and writes go on while Vault is sealed, and is healthy again by itself once it is unsealed', async () => {
  await byHand.seal(root);
  await expect.poll(health, patient).toContain('kms-providers');
  expect(await healthOf(cluster, '/livez')).toBe('ok');
  expect(await readValue(cluster, 'aged-3')).toBe('value 3');
  await cluster.arrange(['create', 'secret', 'generic', 'meanwhile', '--from-literal=value=meanwhile']);
  await byHand.unseal(shares);
  await expect.poll(health, patient).toBe('ok');
  await cluster.arrange(['create', 'secret', 'generic', 'after', '--from-literal=value=after']);
  expect([await readValue(cluster, 'meanwhile'), await readValue(cluster, 'after')]).toEqual(['meanwhile', 'after']);
});
