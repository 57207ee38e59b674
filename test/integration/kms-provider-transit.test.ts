/** The KMS provider on the Transit engine of a real Vault. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { kmsPolicy } from '../../electron/workflows/recipes/transit-setup.ts';
import { createKmsPlaceFor, startKmsProcess, type KmsPlace, type KmsProcess } from '../fixtures/kms-provider.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { connectKms, valueOf, type KmsClient, type SealedSeed } from '../servers/kms-client.ts';
import { createClusterAuthority } from '../servers/kubernetes-certificates.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const patient = { timeout: 60_000, interval: 250 };
const unavailable = 14;
const kleidiMark = { 'v2.kleidi.beezy.dev': Buffer.from('1') };

let vault: TestVault;
let byHand: ByHand;
let shares: readonly string[];
let root: string;
let place: KmsPlace;
let provider: KmsProcess;
let client: KmsClient;

const asRoot = (path: string, body: unknown): Promise<unknown> => byHand.call('PUT', path, body, root);

const versionOf = ({ ciphertext }: SealedSeed): string | undefined =>
  /^vault:v(\d+):/u.exec(ciphertext.toString('ascii'))?.[1];
const healthz = async (): Promise<string> => valueOf(await client.status()).healthz;
const currentKeyId = async (): Promise<string> => valueOf(await client.status()).key_id;

/** Writes a file with one secret beside the configuration. */
async function writeSecret(name: string, text: string): Promise<string> {
  const path = join(vault.dataDirectory, name);
  await writeFile(path, `${text}\n`, { mode: 0o400 });
  return path;
}

function configurationOf(fields: object): object {
  return { provider: 'hvault', address: vault.address, caFile: vault.caPath, transitkey: 'kleidi', ...fields };
}

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
  await asRoot('transit/keys/kleidi', {});
  await asRoot('sys/policies/acl/kms', { policy: kmsPolicy({ mount: 'transit', key: 'kleidi' }) });
  await asRoot('sys/auth/approle', { type: 'approle' });
  // Renewed after 2.7 seconds, and for the last time after 8: all of its life passes while the tests run.
  const role = { token_policies: ['kms'], token_ttl: '4s', token_max_ttl: '8s' };
  await asRoot('auth/approle/role/kms', role);
  const roleId = z
    .object({ data: z.object({ role_id: z.string() }) })
    .parse(await byHand.call('GET', 'auth/approle/role/kms/role-id', undefined, root)).data.role_id;
  const secretId = z
    .object({ data: z.object({ secret_id: z.string() }) })
    .parse(await asRoot('auth/approle/role/kms/secret-id', {})).data.secret_id;
  const files = {
    roleIdFile: await writeSecret('role-id', roleId),
    secretIdFile: await writeSecret('secret-id', secretId),
  };
  place = await createKmsPlaceFor(() => configurationOf({ authmethod: 'approle', ...files }));
  provider = await startKmsProcess(['--config', place.configurationPath]);
  client = connectKms(place.socketPath);
});

afterAll(async () => {
  client.close();
  await provider.end('SIGKILL');
  await place.remove();
  await vault.stop();
});

describe('a KMS v2 provider on Transit', () => {
  it('encrypts with the version that its key id names, and opens nothing that was changed or is another’s', async () => {
    const seed = randomBytes(32);
    const sealed = valueOf(await client.encrypt(seed));
    expect(sealed.key_id).toMatch(/^kc1-transit-v1-[0-9a-f]{32}$/u);
    expect(sealed.key_id).toBe(await currentKeyId());
    expect(versionOf(sealed)).toBe('1');
    expect(valueOf(await client.decrypt(sealed)).plaintext).toEqual(seed);
    const changed = Buffer.from(sealed.ciphertext);
    changed[20] = changed[20] === 65 ? 66 : 65;
    for (const wrong of [
      { ...sealed, ciphertext: changed },
      { ...sealed, ciphertext: sealed.ciphertext.subarray(0, -4) },
      { ...sealed, key_id: 'kc1-transit-v1-00000000000000000000000000000000' },
      { ...sealed, key_id: 'kleidi-kms-plugin_1_1714553158', annotations: kleidiMark },
      { ...sealed, annotations: kleidiMark },
    ])
      expect((await client.decrypt(wrong)).ok).toBe(false);
  });

  it('opens what kleidi wrote with Transit', async () => {
    const seed = randomBytes(32);
    const reply = await asRoot('transit/encrypt/kleidi', { plaintext: seed.toString('base64') });
    const { ciphertext } = z.object({ data: z.object({ ciphertext: z.string() }) }).parse(reply).data;
    const written = { ciphertext: Buffer.from(ciphertext), key_id: 'kleidi-kms-plugin_1_1714553158' };
    expect(valueOf(await client.decrypt({ ...written, annotations: kleidiMark })).plaintext).toEqual(seed);
    expect((await client.decrypt({ ...written, annotations: {} })).ok).toBe(false);
  });

  it('follows a rotation in the middle of its work: key id and version belong together in every answer', async () => {
    const before = await currentKeyId();
    const sealed: SealedSeed[] = [];
    const work = async (): Promise<void> => {
      for (let call = 0; call < 60; call += 1) sealed.push(valueOf(await client.encrypt(randomBytes(32))));
    };
    await Promise.all([work(), work(), work(), asRoot('transit/keys/kleidi/rotate', {}), client.status(), work()]);
    await expect.poll(currentKeyId, patient).toMatch(/^kc1-transit-v2-/u);
    sealed.push(valueOf(await client.encrypt(randomBytes(32))));
    const pairs = new Set(sealed.map((one) => `${one.key_id} ${versionOf(one) ?? ''}`));
    expect([...pairs].toSorted()).toEqual([`${before} 1`, `${await currentKeyId()} 2`].toSorted());
    for (const one of [sealed[0], sealed.at(-1)])
      if (one !== undefined) expect(valueOf(await client.decrypt(one)).plaintext).toHaveLength(32);
  });

  it('goes on where Vault no longer lets the old version write', async () => {
    await asRoot('transit/keys/kleidi/rotate', {});
    await asRoot('transit/keys/kleidi/config', { min_encryption_version: 3 });
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    expect([versionOf(sealed), sealed.key_id]).toEqual(['3', await currentKeyId()]);
  });

  it('renews its token, and logs in anew when that has an end', async () => {
    const count = (words: string): number => provider.log().split(words).length - 1;
    const logIns = (): number => count('Logged in to Vault.');
    const refusals = count('A call was refused.');
    const before = logIns();
    await expect
      .poll(async () => {
        valueOf(await client.encrypt(randomBytes(32)));
        return logIns();
      }, patient)
      .toBeGreaterThan(before);
    expect(count('A call was refused.')).toBe(refusals);
  });

  it('says that Vault is sealed, and is healthy again by itself', async () => {
    await byHand.seal(root);
    await expect.poll(healthz, patient).toMatch(/sealed/u);
    const refused = await client.encrypt(randomBytes(32));
    expect(refused.ok ? 0 : refused.code).toBe(unavailable);
    await byHand.unseal(shares);
    await expect.poll(healthz, patient).toBe('ok');
    valueOf(await client.encrypt(randomBytes(32)));
  });

  it('logs in with a token of a file, a signed token and a client certificate', async () => {
    const made = z
      .object({ auth: z.object({ client_token: z.string() }) })
      .parse(await asRoot('auth/token/create', { policies: ['kms'], ttl: '1h' }));
    const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await asRoot('sys/auth/jwt', { type: 'jwt' });
    const publicKey = keys.publicKey.export({ type: 'spki', format: 'pem' });
    await asRoot('auth/jwt/config', { jwt_validation_pubkeys: [publicKey] });
    const bound = { role_type: 'jwt', user_claim: 'sub', bound_audiences: ['vault'], token_policies: ['kms'] };
    await asRoot('auth/jwt/role/kms', bound);
    const now = Math.floor(Date.now() / 1000);
    const text = [{ alg: 'ES256' }, { sub: 'kms', aud: 'vault', iat: now, exp: now + 600 }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const signature = sign('sha256', Buffer.from(text), { key: keys.privateKey, dsaEncoding: 'ieee-p1363' });
    const jwt = `${text}.${signature.toString('base64url')}`;
    const authority = await createClusterAuthority('nodes');
    const node = await authority.signUser('node-1', []);
    await asRoot('sys/auth/cert', { type: 'cert' });
    await asRoot('auth/cert/certs/kms', { certificate: authority.certificate, token_policies: ['kms'] });
    const ways = [
      { authmethod: 'token', tokenFile: await writeSecret('token', made.auth.client_token) },
      { authmethod: 'k8s', authpath: 'auth/jwt', vaultrole: 'kms', tokenFile: await writeSecret('jwt', jwt) },
      {
        authmethod: 'cert',
        vaultrole: 'kms',
        clientCertificateFile: await writeSecret('node.pem', node.certificate),
        clientKeyFile: await writeSecret('node-key.pem', node.key),
      },
    ];
    for (const way of ways) {
      const other = await createKmsPlaceFor(() => configurationOf(way));
      const started = await startKmsProcess(['-provider=hvault', `-configfile=${other.configurationPath}`]);
      const caller = connectKms(other.socketPath);
      try {
        await expect.poll(async () => valueOf(await caller.status()).healthz, patient).toBe('ok');
        expect(valueOf(await caller.status()).key_id).toBe(await currentKeyId());
      } finally {
        caller.close();
        await started.end('SIGKILL');
        await other.remove();
      }
    }
  });
});
