/** The KMS provider on the Transit engine of a real Vault. */
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import { createKmsPlaceFor, type KmsPlace } from '../fixtures/kms-provider.ts';
import { allowSignedTokens, makeSignedToken, startTransitVault, type TransitVault } from '../fixtures/transit-vault.ts';
import { connectKms, valueOf, type KmsClient, type SealedSeed } from '../servers/kms-client.ts';
import { createClusterAuthority } from '../servers/kubernetes-certificates.ts';

const patient = { timeout: 60_000, interval: 250 };
const unavailable = 14;
const kleidiMark = { 'v2.kleidi.beezy.dev': Buffer.from('1') };

let vault: TransitVault;
let place: KmsPlace;
let provider: KmsProcess;
let client: KmsClient;

const versionOf = ({ ciphertext }: SealedSeed): string | undefined =>
  /^vault:v(\d+):/u.exec(ciphertext.toString('ascii'))?.[1];
const healthz = async (): Promise<string> => valueOf(await client.status()).healthz;
const currentKeyId = async (): Promise<string> => valueOf(await client.status()).key_id;

beforeAll(async () => {
  vault = await startTransitVault('kleidi');
  // Renewed after 2.7 seconds, and for the last time after 8: all of its life passes while the tests run.
  const { files } = await vault.allowAppRole({ token_ttl: '4s', token_max_ttl: '8s' });
  place = await createKmsPlaceFor(() => ({ ...vault.fields, authmethod: 'approle', ...files }));
  provider = await startKmsProcess(['--config', place.configurationPath]);
  client = connectKms(place.socketPath);
});

afterAll(async () => {
  client.close();
  await provider.end('SIGKILL');
  await place.remove();
  await vault.server.stop();
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
    const reply = await vault.asRoot('transit/encrypt/kleidi', { plaintext: seed.toString('base64') });
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
    await Promise.all([
      work(),
      work(),
      work(),
      vault.asRoot('transit/keys/kleidi/rotate', {}),
      client.status(),
      work(),
    ]);
    await expect.poll(currentKeyId, patient).toMatch(/^kc1-transit-v2-/u);
    sealed.push(valueOf(await client.encrypt(randomBytes(32))));
    const pairs = new Set(sealed.map((one) => `${one.key_id} ${versionOf(one) ?? ''}`));
    expect([...pairs].toSorted()).toEqual([`${before} 1`, `${await currentKeyId()} 2`].toSorted());
    for (const one of [sealed[0], sealed.at(-1)])
      if (one !== undefined) expect(valueOf(await client.decrypt(one)).plaintext).toHaveLength(32);
  });

  it('goes on where Vault no longer lets the old version write', async () => {
    await vault.asRoot('transit/keys/kleidi/rotate', {});
    await vault.asRoot('transit/keys/kleidi/config', { min_encryption_version: 3 });
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
    await vault.byHand.seal(vault.testRootToken);
    await expect.poll(healthz, patient).toMatch(/sealed/u);
    const refused = await client.encrypt(randomBytes(32));
    expect(refused.ok ? 0 : refused.code).toBe(unavailable);
    await vault.byHand.unseal(vault.testShares);
    await expect.poll(healthz, patient).toBe('ok');
    valueOf(await client.encrypt(randomBytes(32)));
  });

  it('logs in with a token of a file, a signed token and a client certificate', async () => {
    const { testJwt, publicKey } = makeSignedToken('kms');
    await allowSignedTokens(vault, 'jwt', publicKey);
    const { asRoot, policy, writeSecret } = vault;
    const authority = await createClusterAuthority('nodes');
    const node = await authority.signUser('node-1', []);
    await asRoot('sys/auth/cert', { type: 'cert' });
    await asRoot('auth/cert/certs/kms', { certificate: authority.certificate, token_policies: [policy] });
    const ways = [
      { authmethod: 'token', tokenFile: await vault.writeToken() },
      { authmethod: 'k8s', authpath: 'auth/jwt', vaultrole: policy, tokenFile: await writeSecret('jwt', testJwt) },
      {
        authmethod: 'cert',
        vaultrole: 'kms',
        clientCertificateFile: await writeSecret('node.pem', node.certificate),
        clientKeyFile: await writeSecret('node-key.pem', node.key),
      },
    ];
    for (const way of ways) {
      const other = await createKmsPlaceFor(() => ({ ...vault.fields, ...way }));
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

  it('logs in with the certificate that its files hold now, where theirs was replaced while it runs', async () => {
    const [before, after] = await Promise.all([createClusterAuthority('before'), createClusterAuthority('after')]);
    const [oldNode, newNode] = await Promise.all([before.signUser('node-1', []), after.signUser('node-1', [])]);
    const { asRoot, policy, writeSecret } = vault;
    const accept = (certificate: string): Promise<unknown> =>
      asRoot('auth/renewed/certs/kms', { certificate, token_policies: [policy], token_ttl: '2s', token_max_ttl: '3s' });
    await asRoot('sys/auth/renewed', { type: 'cert' });
    await accept(before.certificate);
    const files = {
      clientCertificateFile: await writeSecret('renewed.pem', oldNode.certificate),
      clientKeyFile: await writeSecret('renewed-key.pem', oldNode.key),
    };
    const other = await createKmsPlaceFor(() => ({
      ...vault.fields,
      authmethod: 'cert',
      authpath: 'renewed',
      vaultrole: 'kms',
      ...files,
    }));
    const started = await startKmsProcess(['--config', other.configurationPath]);
    const caller = connectKms(other.socketPath);
    const itsHealth = async (): Promise<string> => valueOf(await caller.status()).healthz;
    try {
      await expect.poll(itsHealth, patient).toBe('ok');
      await accept(after.certificate);
      await expect.poll(itsHealth, patient).toMatch(/log in/u);
      await rm(files.clientCertificateFile);
      await rm(files.clientKeyFile);
      await writeSecret('renewed.pem', newNode.certificate);
      await writeSecret('renewed-key.pem', newNode.key);
      await expect.poll(itsHealth, patient).toBe('ok');
      expect(started.log()).toContain('Certificate files were replaced, and read.');
    } finally {
      caller.close();
      await started.end('SIGKILL');
      await other.remove();
    }
  });
});
