/** What the KMS provider writes down, with its debug log on: names of keys and calls, and nothing that passes through. */
import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { startKmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlace, createKmsPlaceFor, createKmsToken } from '../fixtures/kms-provider.ts';
import { markerOf, markersIn, searchFiles, type Marker } from '../fixtures/markers.ts';
import { readProcess } from '../fixtures/secret-search.ts';
import { startTransitVault } from '../fixtures/transit-vault.ts';
import { connectKms, valueOf } from '../servers/kms-client.ts';

const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

interface Served {
  readonly configurationPath: string;
  readonly socketPath: string;
  readonly directory: string;
  readonly token?: Awaited<ReturnType<typeof createKmsToken>>;
}

/** Good calls, calls with what was changed, and calls that are none; then everything that was written is looked through. */
async function useAndSearch({ configurationPath, socketPath, directory, token }: Served, more: readonly Marker[]) {
  const provider = await startKmsProcess(['--config', configurationPath, '--debug'], token);
  endings.push(() => provider.end('SIGKILL'));
  const client = connectKms(socketPath);
  endings.push(() => Promise.resolve(client.close()));
  await expect.poll(async () => valueOf(await client.status()).healthz, { timeout: 20_000 }).toBe('ok');
  const seeds = Array.from({ length: 20 }, () => randomBytes(32));
  const refusals: string[] = [];
  for (const seed of seeds) {
    const sealed = valueOf(await client.encrypt(seed));
    expect(valueOf(await client.decrypt(sealed)).plaintext).toEqual(seed);
    // A caller that mistakes what it holds: the seed as ciphertext, as key id and as annotation.
    const mistakes = [
      { ...sealed, ciphertext: seed },
      { ...sealed, annotations: { 'seed.example': seed } },
      { ...sealed, key_id: 'kleidi-kms-plugin', annotations: { 'v2.kleidi.beezy.dev': Buffer.from('1') } },
    ];
    for (const mistake of mistakes) {
      const answer = await client.decrypt(mistake);
      refusals.push(answer.ok ? 'opened' : answer.details);
    }
    const tooLong = await client.encrypt(Buffer.concat(Array.from({ length: 20 }, () => seed)));
    refusals.push(tooLong.ok ? 'taken' : tooLong.details);
  }
  expect(refusals).not.toContain('opened');
  expect(refusals).not.toContain('taken');
  const markers = [...seeds.map((seed, index) => markerOf(`seed ${index}`, seed.toString('hex'))), ...more];
  const metrics = await (await fetch(`http://${provider.healthAddress()}/metrics`)).text();
  const process = await readProcess(provider.pid);
  // There is something to search.
  const keyId = valueOf(await client.status()).key_id;
  expect(provider.log().split(keyId).length).toBeGreaterThan(20);
  expect(metrics).toContain(keyId);
  expect(process.includes('--debug')).toBe(true);
  expect(markersIn(provider.log(), markers), 'log').toEqual([]);
  expect(markersIn(refusals.join('\n'), markers), 'words to the caller').toEqual([]);
  expect(markersIn(metrics, markers), 'metrics').toEqual([]);
  expect(markersIn(process, markers), 'arguments and environment').toEqual([]);
  return { provider, client, markers, searched: await searchFiles(directory, markers) };
}

it('on a token: no seed in log, words, metrics, arguments, environment or files', async () => {
  const token = await createKmsToken();
  endings.push(() => token.dispose());
  const key = randomBytes(32);
  token.addKey('kms-key', 1, key);
  token.addKey('kleidi-kms-plugin', 2, randomBytes(32));
  const place = await createKmsPlace(token, { health: '127.0.0.1:0' });
  endings.push(() => place.remove());
  const { searched } = await useAndSearch({ ...place, token }, [markerOf('key', key.toString('hex'))]);
  expect(searched.found).toEqual([]);
  expect(searched.read).toBeGreaterThan(1);
});

it('in Transit: neither seeds nor what logs in to Vault', async () => {
  const vault = await startTransitVault('kms', { storage: 'inmem' });
  endings.push(() => vault.server.stop());
  const { testRoleId, testSecretId, files } = await vault.allowAppRole({ token_ttl: '1s', token_max_ttl: '2s' });
  const place = await createKmsPlaceFor(() => ({
    ...vault.fields,
    authmethod: 'approle',
    ...files,
    health: '127.0.0.1:0',
  }));
  endings.push(() => place.remove());
  const own = [markerOf('secret id', testSecretId), markerOf('role id', testRoleId)];
  const { provider, client, markers, searched } = await useAndSearch(place, own);
  expect(searched.found).toEqual([]);
  // Its token ends while nothing gets it another one: what Vault says to that is written down too.
  await vault.asRoot('auth/approle/role/kms/secret-id/destroy', { secret_id: testSecretId });
  const healthz = async (): Promise<string> => valueOf(await client.status()).healthz;
  await expect.poll(healthz, { timeout: 20_000 }).not.toBe('ok');
  expect(markersIn(await healthz(), markers)).toEqual([]);
  expect(provider.log()).toContain('Unhealthy.');
  expect(markersIn(provider.log(), markers)).toEqual([]);
});
