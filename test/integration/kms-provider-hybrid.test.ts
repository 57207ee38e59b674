/** KMS v2 with a key pair instead of AES: on SoftHSM, and on a SmartCard-HSM in software behind pcscd and OpenSC. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startKmsProcess, type KmsProcess } from '../fixtures/kms-process.ts';
import {
  changed,
  createKmsPlace,
  createKmsPlaceFor,
  createKmsToken,
  kmsTestPin,
  type KmsPlace,
  type KmsToken,
} from '../fixtures/kms-provider.ts';
import { smartCardHsmOf, type KmsCard } from '../fixtures/kms-card.ts';
import { runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { codeOf, connectKms, valueOf, type KmsClient, type SealedSeed } from '../servers/kms-client.ts';

const patient = { timeout: 60_000, interval: 200 };
const invalidArgument = 3;
const deadlineExceeded = 4;
const notFound = 5;
const annotation = 'wrapped-key.kms-v1.key-custodian';
const pairTypes = { rsa: 'rsa:2048', ec: 'EC:prime256v1' } as const;

const wrappedOf = (sealed: SealedSeed): Buffer => sealed.annotations[annotation] ?? Buffer.alloc(0);

async function makePair(token: KmsToken, kind: keyof typeof pairTypes, id: string): Promise<void> {
  const log = ['--module', softHsmModulePath, '--token-label', token.label, '--login', '--pin', kmsTestPin];
  const usage = kind === 'rsa' ? '--usage-decrypt' : '--usage-derive';
  const key = ['--keypairgen', '--key-type', pairTypes[kind], usage, '--label', 'kms-key', '--id', id];
  const made = await runTool('pkcs11-tool', [...log, ...key], {
    environment: { SOFTHSM2_CONF: token.configurationPath },
  });
  if (made.exitCode !== 0) throw new Error(made.output);
}

for (const kind of ['rsa', 'ec'] as const) {
  describe(`a KMS v2 provider with a key pair of the kind ${kind} on SoftHSM`, () => {
    let token: KmsToken;
    let place: KmsPlace;
    let provider: KmsProcess;
    let client: KmsClient;
    const restart = async (): Promise<void> => {
      await provider.end('SIGKILL');
      client.close();
      provider = await startKmsProcess(['--config', place.configurationPath], token);
      client = connectKms(place.socketPath);
    };

    beforeAll(async () => {
      token = await createKmsToken();
      await makePair(token, kind, '01');
      place = await createKmsPlace(token);
      provider = await startKmsProcess(['--config', place.configurationPath], token);
      client = connectKms(place.socketPath);
    });
    afterAll(async () => {
      client.close();
      await provider.end('SIGKILL');
      await place.remove();
      await token.dispose();
    });

    it('encrypts under a local key that travels wrapped, and opens it after a start by SIGKILL', async () => {
      const status = valueOf(await client.status());
      expect(status).toMatchObject({ healthz: 'ok', key_id: expect.stringMatching(`^kc1-${kind}-[0-9a-f]{32}$`) });
      const seeds = Array.from({ length: 200 }, () => randomBytes(32));
      const sealed = (await Promise.all(seeds.map((seed) => client.encrypt(seed)))).map(valueOf);
      expect(new Set(sealed.map(({ key_id: keyId }) => keyId))).toEqual(new Set([status.key_id]));
      expect(new Set(sealed.map((one) => wrappedOf(one).toString('hex'))).size).toBe(1);
      for (const one of sealed) expect(one.ciphertext).toHaveLength(1 + 12 + 32 + 16);
      await restart();
      const fresh = valueOf(await client.encrypt(randomBytes(32)));
      expect(fresh.key_id).toBe(status.key_id);
      // Nobody takes a local key over from what a caller sends.
      expect(wrappedOf(fresh)).not.toEqual(wrappedOf(sealed[0] ?? fresh));
      const opened = (await Promise.all(sealed.map((one) => client.decrypt(one)))).map(valueOf);
      expect(opened.map(({ plaintext }) => plaintext)).toEqual(seeds);
      // SoftHSM has OAEP with SHA-1 alone, and that is said.
      expect(provider.log().includes('a downgrade from SHA-256')).toBe(kind === 'rsa');
    });

    it('refuses what is changed, cut off, swapped or another’s, wrapped keys as well', async () => {
      const sealed = valueOf(await client.encrypt(randomBytes(32)));
      await restart();
      const other = valueOf(await client.encrypt(randomBytes(32)));
      const wrapped = wrappedOf(sealed);
      const withWrapped = (bytes: Buffer): SealedSeed => ({ ...sealed, annotations: { [annotation]: bytes } });
      const refused: readonly SealedSeed[] = [
        ...[0, 1, 13, 45, 60].map((index) => ({ ...sealed, ciphertext: changed(sealed.ciphertext, index) })),
        { ...sealed, ciphertext: sealed.ciphertext.subarray(0, -1) },
        { ...sealed, ciphertext: sealed.ciphertext.subarray(0, 20) },
        ...[0, 1, 40, wrapped.length - 1].map((index) => withWrapped(changed(wrapped, index))),
        withWrapped(wrapped.subarray(0, -1)),
        withWrapped(wrapped.subarray(0, 1)),
        withWrapped(Buffer.alloc(0)),
        withWrapped(wrappedOf(other)),
        { ...sealed, annotations: {} },
        { ...sealed, annotations: { ...sealed.annotations, 'other.example': Buffer.of(1) } },
      ];
      for (const request of refused) expect(codeOf(await client.decrypt(request))).toBe(invalidArgument);
      expect(codeOf(await client.decrypt({ ...sealed, key_id: `${sealed.key_id}0` }))).toBe(notFound);
      expect(codeOf(await client.decrypt({ ...sealed, key_id: '' }))).toBe(invalidArgument);
      expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
      expect(valueOf(await client.status()).healthz).toBe('ok');
    });

    it('keeps to sizes and answers 1,000 calls at once', async () => {
      expect(codeOf(await client.encrypt(Buffer.alloc(0)))).toBe(invalidArgument);
      expect(codeOf(await client.encrypt(Buffer.alloc(4096)))).toBe(invalidArgument);
      const largest = valueOf(await client.encrypt(Buffer.alloc(512, 5)));
      expect(largest.ciphertext.length).toBeLessThan(1024);
      const seeds = Array.from({ length: 1000 }, () => randomBytes(32));
      const sealed = (await Promise.all(seeds.map((seed) => client.encrypt(seed)))).map(valueOf);
      const opened = (await Promise.all(sealed.map((one) => client.decrypt(one)))).map(valueOf);
      expect(opened.map(({ plaintext }) => plaintext)).toEqual(seeds);
    });

    it('takes a pair with a higher id for the new one, and reads what the old one wrote', async () => {
      const before = valueOf(await client.encrypt(randomBytes(32)));
      await makePair(token, kind, '02');
      const keyId = async (): Promise<string> => valueOf(await client.status()).key_id;
      await expect.poll(keyId, patient).not.toBe(before.key_id);
      const after = valueOf(await client.encrypt(randomBytes(32)));
      expect(after.key_id).toBe(await keyId());
      for (const sealed of [before, after]) expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
    });

    it('writes with AES where the label has that too, unless the configuration names the kind', async () => {
      const pairs = valueOf(await client.status()).key_id;
      token.addKey('kms-key', 9, randomBytes(32));
      await expect.poll(async () => valueOf(await client.status()).key_id, patient).toMatch(/^kc1-aes-/u);
      const named = await createKmsPlace(token, { keyKind: kind });
      const second = await startKmsProcess(['--config', named.configurationPath], token);
      const another = connectKms(named.socketPath);
      try {
        expect(valueOf(await another.status())).toMatchObject({ healthz: 'ok', key_id: pairs });
        const sealed = valueOf(await client.encrypt(randomBytes(32)));
        expect(valueOf(await another.decrypt(sealed)).plaintext).toHaveLength(32);
        // Two nodes with the same pair, or the same card's copy, open each other's.
        const wrapped = valueOf(await another.encrypt(randomBytes(32)));
        expect(valueOf(await client.decrypt(wrapped)).plaintext).toHaveLength(32);
      } finally {
        another.close();
        await second.end('SIGKILL');
        await named.remove();
      }
    });
  });
}

describe.each(['rsa', 'ec'] as const)('a KMS v2 provider on a SmartCard-HSM with a key pair of the kind %s', (kind) => {
  let card: KmsCard;
  let place: KmsPlace;
  let provider: KmsProcess;
  let client: KmsClient;
  const start = async (): Promise<void> => {
    provider = await startKmsProcess(['--config', place.configurationPath]);
    client = connectKms(place.socketPath);
  };
  const healthz = async (): Promise<string> => valueOf(await client.status()).healthz;

  beforeAll(async () => {
    card = await smartCardHsmOf('kms-key', pairTypes[kind]);
    place = await createKmsPlaceFor((pinFile) => ({
      provider: 'pkcs11',
      path: card.modulePath,
      tokenSerial: card.serial,
      keyLabel: 'kms-key',
      pinFile,
    }));
    await place.writePin(card.testPin);
    await start();
  });
  afterAll(async () => {
    client.close();
    await provider.end('SIGKILL');
    await place.remove();
    await card.close();
  });

  it('lets the card unwrap once for a start, and once for the keys of the start before', async () => {
    await expect.poll(healthz, patient).toBe('ok');
    const seeds = Array.from({ length: 1000 }, () => randomBytes(32));
    const sealed = (await Promise.all(seeds.map((seed) => client.encrypt(seed)))).map(valueOf);
    await Promise.all(sealed.map(async (one) => valueOf(await client.decrypt(one))));
    expect(card.privateOperations()).toBe(1);
    expect(valueOf(await client.status()).key_id).toMatch(new RegExp(`^kc1-${kind}-`, 'u'));
    client.close();
    await provider.end('SIGKILL');
    await start();
    await expect.poll(healthz, patient).toBe('ok');
    const opened = (await Promise.all(sealed.map((one) => client.decrypt(one)))).map(valueOf);
    expect(opened.map(({ plaintext }) => plaintext)).toEqual(seeds);
    expect(card.privateOperations()).toBe(3);
    // Status asks the card each time, and for no private operation.
    const before = card.commands();
    for (let call = 0; call < 5; call += 1) expect(await healthz()).toBe('ok');
    expect(card.commands()).toBeGreaterThanOrEqual(before + 5);
    expect(card.privateOperations()).toBe(3);
  });

  it('is unhealthy within 10 seconds of the card’s going, and well again by itself with no PIN try burnt', async () => {
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    const log = provider.log().length;
    card.pullOut();
    // Nobody asks for Status: it is noticed by itself.
    await expect.poll(() => provider.log().slice(log), { timeout: 10_000, interval: 100 }).toContain('Unhealthy.');
    expect(await healthz()).not.toBe('ok');
    expect((await client.encrypt(randomBytes(32))).ok).toBe(false);
    expect((await client.decrypt(sealed)).ok).toBe(false);
    await card.putBack();
    await expect.poll(healthz, patient).toBe('ok');
    expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
    expect(card.pinTries()).toBe(3);
  });

  it('keeps nobody waiting past a deadline while the card hangs, and goes on by itself when it answers again', async () => {
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    // As long as kube-apiserver waits.
    const impatient = connectKms(place.socketPath, 3000);
    try {
      card.delay(6000);
      for (let call = 0; call < 3; call += 1) expect(codeOf(await impatient.status())).toBe(deadlineExceeded);
      card.delay(0);
      await expect.poll(healthz, patient).toBe('ok');
      expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
      expect(card.pinTries()).toBe(3);
    } finally {
      card.delay(0);
      impatient.close();
    }
  });

  it('sends a wrong PIN once, also after the card was put in again', async () => {
    client.close();
    await provider.end('SIGTERM');
    await place.writePin(card.wrongTestPin);
    await start();
    await expect.poll(healthz, patient).toMatch(/refused this PIN. It is not sent again/u);
    card.pullOut();
    await expect.poll(healthz, patient).toMatch(/There is no token/u);
    await card.putBack();
    await expect.poll(healthz, patient).toMatch(/refused this PIN. It is not sent again/u);
    expect(card.pinTries()).toBe(2);
    await place.writePin(card.testPin);
    await expect.poll(healthz, patient).toBe('ok');
    expect(card.pinTries()).toBe(3);
    expect(await provider.end('SIGTERM')).toBe(0);
    expect(await readFile(join(place.directory, 'config.json'), 'utf8')).not.toContain(card.testPin);
  });
});
