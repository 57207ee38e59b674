import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { rename, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createKmsPlace,
  createKmsToken,
  startKmsProcess,
  type KmsPlace,
  type KmsProcess,
  type KmsToken,
} from '../fixtures/kms-provider.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { connectKms, type Answer, type KmsClient, type SealedSeed } from '../servers/kms-client.ts';

const patient = { timeout: 60_000, interval: 200 };
const invalidArgument = 3;
const notFound = 5;
const keyValue = randomBytes(32);
const kleidiValue = randomBytes(32);

let token: KmsToken;
let place: KmsPlace;
let provider: KmsProcess;
let client: KmsClient;

beforeAll(async () => {
  token = await createKmsToken();
  token.addKey('kms-key', 1, keyValue);
  token.addKey('kleidi-kms-plugin', 9, kleidiValue);
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

function valueOf<Value>(answer: Answer<Value>): Value {
  if (!answer.ok) throw new Error(`${String(answer.code)}: ${answer.details}`);
  return answer.value;
}
const codeOf = (answer: Answer<unknown>): number => (answer.ok ? 0 : answer.code);
const changed = (bytes: Buffer, index: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ 1;
  return copy;
};
async function keyIdOfStatus(): Promise<string> {
  const { version, healthz, key_id: keyId } = valueOf(await client.status());
  expect([version, healthz]).toEqual(['v2', 'ok']);
  return keyId;
}

describe('a KMS v2 provider on a token', () => {
  it('encrypts seeds so that the key alone opens them: 12-byte nonce, data that binds key id and purpose', async () => {
    const seed = randomBytes(32);
    const sealed = valueOf(await client.encrypt(seed));
    expect(sealed.key_id).toBe(await keyIdOfStatus());
    expect(sealed.ciphertext[0]).toBe(1);
    expect(sealed.ciphertext).toHaveLength(1 + 12 + 32 + 16);
    const decipher = createDecipheriv('aes-256-gcm', keyValue, sealed.ciphertext.subarray(1, 13));
    decipher.setAAD(Buffer.from(`key-custodian/kms/v1\0${sealed.key_id}`));
    decipher.setAuthTag(sealed.ciphertext.subarray(-16));
    expect(Buffer.concat([decipher.update(sealed.ciphertext.subarray(13, -16)), decipher.final()])).toEqual(seed);
    expect(valueOf(await client.decrypt(sealed)).plaintext).toEqual(seed);
    expect(valueOf(await client.encrypt(seed)).ciphertext).not.toEqual(sealed.ciphertext);
  });

  it('refuses what is empty, too large, changed, cut off or another’s', async () => {
    expect(codeOf(await client.encrypt(Buffer.alloc(0)))).toBe(invalidArgument);
    expect(codeOf(await client.encrypt(Buffer.alloc(4096)))).toBe(invalidArgument);
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    const { ciphertext } = sealed;
    const refused: readonly [SealedSeed, number][] = [
      ...[0, 1, 12, 13, 44, 45, 60].map((index): [SealedSeed, number] => [
        { ...sealed, ciphertext: changed(ciphertext, index) },
        invalidArgument,
      ]),
      [{ ...sealed, ciphertext: ciphertext.subarray(0, -1) }, invalidArgument],
      [{ ...sealed, ciphertext: ciphertext.subarray(0, 20) }, invalidArgument],
      [{ ...sealed, ciphertext: Buffer.alloc(0) }, invalidArgument],
      [{ ...sealed, ciphertext: Buffer.alloc(1025, 1) }, invalidArgument],
      [{ ...sealed, key_id: '' }, invalidArgument],
      [{ ...sealed, key_id: 'another' }, notFound],
      [{ ...sealed, key_id: 'kleidi-kms-plugin' }, invalidArgument],
      [{ ...sealed, annotations: { 'v2.kleidi.beezy.dev': Buffer.from('1') } }, invalidArgument],
      [{ ...sealed, annotations: { 'large.example': Buffer.alloc(33 * 1024) } }, invalidArgument],
    ];
    for (const [request, code] of refused) expect(codeOf(await client.decrypt(request))).toBe(code);
    expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
  });

  it('opens what kleidi wrote, under both of its marks, and nothing without a mark', async () => {
    const seed = randomBytes(32);
    const nonce = randomBytes(16);
    const cipher = createCipheriv('aes-256-gcm', kleidiValue, nonce);
    cipher.setAAD(Buffer.from('kleidi-kms-plugin'));
    const ciphertext = Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
    const written = (annotations: SealedSeed['annotations']): SealedSeed => ({
      ciphertext,
      key_id: 'kleidi-kms-plugin',
      annotations,
    });
    const one = Buffer.from('1');
    for (const mark of ['v2.kleidi.beezy.dev', 'version.encryption.remote.io'])
      expect(valueOf(await client.decrypt(written({ [mark]: one }))).plaintext).toEqual(seed);
    for (const annotations of [{}, { 'other.example': one }, { 'v2.kleidi.beezy.dev': Buffer.from('2') }])
      expect(codeOf(await client.decrypt(written(annotations)))).toBe(invalidArgument);
  });

  it('goes on after junk on its socket and answers 1,000 calls at once', async () => {
    for (const junk of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), randomBytes(4096), Buffer.alloc(0)]) {
      await new Promise<void>((resolve) => {
        const socket = connect(place.socketPath, () => socket.end(junk));
        socket.on('data', () => undefined);
        socket.once('error', () => socket.destroy());
        socket.once('close', () => resolve());
      });
    }
    const seeds = Array.from({ length: 1000 }, () => randomBytes(32));
    const sealed = (await Promise.all(seeds.map((seed) => client.encrypt(seed)))).map(valueOf);
    const opened = (await Promise.all(sealed.map((one) => client.decrypt(one)))).map(valueOf);
    expect(opened.map(({ plaintext }) => plaintext)).toEqual(seeds);
  });

  it('keeps to the contract, which is checked on any plugin', async () => {
    const desk = await makeDesk();
    const other = await startKmsPlugin(join(place.directory, 'other.socket'), kleidiValue);
    try {
      const own = await desk.run(['kms', 'check', '--socket', `unix://${place.socketPath}`]);
      expect(own).toMatchObject({ exitCode: 0, stderr: '' });
      expect(own.stdout.match(/^holds/gmu)).toHaveLength(12);
      // It writes as kleidi does, and does not decrypt.
      const broken = await desk.run(['kms', 'check', '--socket', other.socketPath]);
      expect(broken.exitCode).toBe(1);
      expect(broken.stdout).toMatch(/BROKEN +Decrypt gives the plaintext back/u);
      expect(broken.stderr).toContain('Kms_ContractBroken');
      const none = await desk.run(['kms', 'check', '--socket', join(place.directory, 'none')]);
      expect(none.stderr).toContain('Kms_Unreachable');
    } finally {
      await other.stop();
      await desk.remove();
    }
  });

  it('keeps its socket to its owner, leaves a live one alone and replaces a stale one', async () => {
    expect((await stat(place.socketPath)).mode & 0o777).toBe(0o600);
    expect((await stat(join(place.directory, 'socket'))).mode & 0o777).toBe(0o700);
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    const second = await startKmsProcess([`-configfile=${place.configurationPath}`], token);
    expect(await second.exited).toBe(1);
    expect(second.log()).toContain('Kms_SocketInUse');
    await provider.end('SIGKILL');
    expect((await stat(place.socketPath)).isSocket()).toBe(true);
    provider = await startKmsProcess([`-configfile=${place.configurationPath}`, '-provider', 'softhsm'], token);
    client.close();
    client = connectKms(place.socketPath);
    expect(await keyIdOfStatus()).toBe(sealed.key_id);
    expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
  });

  it('takes a new key in the middle of 10,000 encrypts: every key id is one that Status told', async () => {
    const before = await keyIdOfStatus();
    const told = new Set([before]);
    const seen = new Map<string, SealedSeed>();
    let left = 10_000;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (left === 5000) token.addKey('kms-key', 2, randomBytes(32));
        if (left % 500 === 0) told.add(valueOf(await client.status()).key_id);
        const sealed = valueOf(await client.encrypt(Buffer.alloc(32, 7)));
        seen.set(sealed.key_id, sealed);
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
    await expect.poll(keyIdOfStatus, patient).not.toBe(before);
    const after = await keyIdOfStatus();
    told.add(after);
    const last = valueOf(await client.encrypt(Buffer.alloc(32, 7)));
    expect(last.key_id).toBe(after);
    seen.set(last.key_id, last);
    expect([...seen.keys()].toSorted()).toEqual([before, after].toSorted());
    expect(told.size).toBe(2);
    for (const sealed of seen.values())
      expect(valueOf(await client.decrypt(sealed)).plaintext).toEqual(Buffer.alloc(32, 7));
  });

  it('says unhealthy while the token is away, and is healthy again by itself', async () => {
    const sealed = valueOf(await client.encrypt(randomBytes(32)));
    const tokens = join(token.directory, 'tokens');
    await rename(tokens, `${tokens}-away`);
    await expect.poll(async () => valueOf(await client.status()).healthz, patient).not.toBe('ok');
    expect((await client.encrypt(randomBytes(32))).ok).toBe(false);
    await rename(`${tokens}-away`, tokens);
    await expect.poll(async () => valueOf(await client.status()).healthz, patient).toBe('ok');
    expect(valueOf(await client.decrypt(sealed)).plaintext).toHaveLength(32);
  });

  it('sends a wrong PIN once, and goes on when its file was put right; a file open to others is not read', async () => {
    await provider.end('SIGTERM');
    await place.writePin('000000');
    provider = await startKmsProcess(['--config', place.configurationPath], token);
    client.close();
    client = connectKms(place.socketPath);
    const healthz = async (): Promise<string> => valueOf(await client.status()).healthz;
    await expect.poll(healthz, patient).toMatch(/refused this PIN. It is not sent again/u);
    expect(provider.log().split('The token refused the PIN.')).toHaveLength(3);
    await place.writePin('482913', 0o444);
    await expect.poll(healthz, patient).toMatch(/open to others/u);
    await place.writePin('482913');
    await expect.poll(healthz, patient).toBe('ok');
    expect(await provider.end('SIGTERM')).toBe(0);
    await expect(stat(place.socketPath)).rejects.toThrow();
  });
});
