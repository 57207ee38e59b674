import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { mkdir, open, rename, stat, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startKmsProcess, type KmsProcess, type KmsProcessExtras } from '../fixtures/kms-process.ts';
import {
  changed,
  createKmsPlace,
  createKmsPlaceFor,
  createKmsToken,
  kmsTestPin,
  type KmsPlace,
  type KmsToken,
} from '../fixtures/kms-provider.ts';
import { makeDesk } from '../fixtures/custodian.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { startKmsPlugin } from '../servers/kms-plugin.ts';
import { codeOf, connectKms, valueOf, type KmsClient, type SealedSeed } from '../servers/kms-client.ts';

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

/** @returns once the provider, or this side, has closed the connection */
function sendBytes(bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(place.socketPath, () => socket.end(bytes));
    socket.on('data', () => undefined);
    socket.once('error', () => socket.destroy());
    socket.once('close', () => resolve());
  });
}

/** grpc-status that Encrypt answers to a body as it is. */
async function statusOfBody(body: Buffer): Promise<string> {
  const session = connectHttp2('http://localhost', { createConnection: () => connect(place.socketPath) });
  try {
    return await new Promise((resolve, reject) => {
      const path = '/v2.KeyManagementService/Encrypt';
      const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc' });
      const settle = (headers: object): void => {
        if ('grpc-status' in headers) resolve(String(headers['grpc-status']));
      };
      stream.on('response', settle);
      stream.on('trailers', settle);
      stream.on('data', () => undefined);
      stream.once('error', reject);
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

/** What the docs say of an AES key's id, and a ciphertext under it, made without the provider. */
function sealByHand(key: Buffer, seed: Buffer): SealedSeed {
  const naming = createCipheriv('aes-256-gcm', key, Buffer.from('kc-key-id-v1'));
  naming.setAAD(Buffer.from('key-custodian/kms/v1 key id'));
  const name = Buffer.concat([naming.update(Buffer.alloc(16)), naming.final(), naming.getAuthTag()]);
  const keyId = `kc1-aes-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(`key-custodian/kms/v1\0${keyId}`));
  const ciphertext = Buffer.concat([Buffer.of(1), nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]);
  return { ciphertext, key_id: keyId, annotations: {} };
}

function sealAsKleidi(seed: Buffer, nonceLength: number): SealedSeed {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', kleidiValue, nonce);
  cipher.setAAD(Buffer.from('kleidi-kms-plugin'));
  return {
    ciphertext: Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()]),
    key_id: 'kleidi-kms-plugin',
    annotations: { 'v2.kleidi.beezy.dev': Buffer.from('1') },
  };
}

/** Milliseconds, the middle of many calls. */
async function statusTime(of: KmsClient): Promise<number> {
  const took: number[] = [];
  for (let call = 0; call < 80; call += 1) {
    const started = performance.now();
    valueOf(await of.status());
    took.push(performance.now() - started);
  }
  return took.toSorted((one, other) => one - other)[40] ?? Number.NaN;
}

async function keyIdOfStatus(): Promise<string> {
  const { version, healthz, key_id: keyId } = valueOf(await client.status());
  expect([version, healthz]).toEqual(['v2', 'ok']);
  return keyId;
}

it('stays logged in while it looks for new keys, before and after it has encrypted', async () => {
  const seed = randomBytes(32);
  const sealed = valueOf(await client.encrypt(seed));
  const looks = 2;
  for (let look = 0; look < looks; look += 1) {
    // Longer than between two looks for keys.
    await new Promise((resolve) => setTimeout(resolve, 5200));
    expect(valueOf(await client.status()).healthz).toBe('ok');
    expect(valueOf(await client.decrypt(sealed)).plaintext.equals(seed)).toBe(true);
  }
  expect(provider.log()).not.toMatch(/not usable|Unhealthy/u);
});

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
    const written = (annotations: SealedSeed['annotations']): SealedSeed => ({
      ...sealAsKleidi(seed, 16),
      annotations,
    });
    const one = Buffer.from('1');
    for (const mark of ['v2.kleidi.beezy.dev', 'version.encryption.remote.io'])
      expect(valueOf(await client.decrypt(written({ [mark]: one }))).plaintext).toEqual(seed);
    for (const annotations of [{}, { 'other.example': one }, { 'v2.kleidi.beezy.dev': Buffer.from('2') }])
      expect(codeOf(await client.decrypt(written(annotations)))).toBe(invalidArgument);
  });

  it('opens what kleidi wrote with nonces of the length that its file says, and of its usual one', async () => {
    const seed = randomBytes(32);
    const other = await createKmsPlace(token, { GCMIVLength: 12 });
    const process = await startKmsProcess(['--config', other.configurationPath], token);
    const itsClient = connectKms(other.socketPath);
    try {
      for (const length of [12, 16])
        expect(valueOf(await itsClient.decrypt(sealAsKleidi(seed, length))).plaintext).toEqual(seed);
      expect(codeOf(await itsClient.decrypt(sealAsKleidi(seed, 13)))).toBe(invalidArgument);
      expect(codeOf(await client.decrypt(sealAsKleidi(seed, 12)))).toBe(invalidArgument);
    } finally {
      itsClient.close();
      await process.end('SIGKILL');
      await other.remove();
    }
  });

  it('goes on after junk on its socket and answers 1,000 calls at once', async () => {
    const preface = Buffer.concat([
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
      Buffer.from('000000040000000000', 'hex'),
    ]);
    const pings = Buffer.alloc(17 * 20_000, Buffer.from('000008060000000000'.padEnd(34, '0'), 'hex'));
    const junkFrames = Array.from({ length: 40 }, (_, index) => {
      const head = Buffer.from('00001000010000000100'.slice(0, 18), 'hex');
      head[3] = index % 11;
      return Buffer.concat([preface, head, randomBytes(16 + index * 8)]);
    });
    const junk = [Buffer.from('GET / HTTP/1.1\r\n\r\n'), randomBytes(4096), Buffer.alloc(0)];
    for (const bytes of [...junk, preface, Buffer.concat([preface, pings]), ...junkFrames]) await sendBytes(bytes);
    // Bodies that are no gRPC message, a compressed one, two, and one that is no message of KMS v2.
    const bodies = [
      '',
      '00',
      '0000000005',
      '010000000100',
      '00000000000000000000',
      '0000000003ffffff',
      '00000000020a7f',
    ];
    for (const body of bodies) expect(await statusOfBody(Buffer.from(body, 'hex'))).toBe('3');
    expect(await statusOfBody(Buffer.alloc(70_000))).toBe('8');
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
      expect(own.stdout.match(/^holds/gmu)).toHaveLength(13);
      // It writes as kleidi does, does not decrypt, and answers Status later than kube-apiserver waits.
      other.delayStatus(3200);
      const broken = await desk.run(['kms', 'check', '--socket', other.socketPath]);
      expect(broken.exitCode).toBe(1);
      expect(broken.stdout).toMatch(/BROKEN +Decrypt gives the plaintext back/u);
      expect(broken.stdout).toMatch(/BROKEN +Status answers within 3 seconds/u);
      expect(broken.stdout).toMatch(/BROKEN +100 calls at once.*0 of 100/u);
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
    const samples: SealedSeed[] = [];
    let left = 10_000;
    const work = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (left === 5000) token.addKey('kms-key', 2, randomBytes(32));
        if (left % 500 === 0) told.add(valueOf(await client.status()).key_id);
        const sealed = valueOf(await client.encrypt(Buffer.alloc(32, 7)));
        seen.set(sealed.key_id, sealed);
        if (left % 50 === 0) samples.push(sealed);
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
    for (const sealed of [...seen.values(), ...samples])
      expect(valueOf(await client.decrypt(sealed)).plaintext).toEqual(Buffer.alloc(32, 7));
  });

  it('reads with 50 old keys, and Status does not look through them each time', async () => {
    const many = await createKmsToken();
    const values = Array.from({ length: 51 }, () => randomBytes(32));
    for (const [index, value] of values.entries()) many.addKey('kms-key', index + 1, value);
    const another = await createKmsPlace(many);
    const second = await startKmsProcess(['--config', another.configurationPath], many);
    const manyClient = connectKms(another.socketPath);
    try {
      const current = valueOf(await manyClient.status());
      expect(current).toMatchObject({ healthz: 'ok', key_id: sealByHand(values[50] ?? keyValue, keyValue).key_id });
      for (const value of values) {
        const seed = randomBytes(32);
        expect(valueOf(await manyClient.decrypt(sealByHand(value, seed))).plaintext).toEqual(seed);
      }
      const few = await statusTime(client);
      // Looking through them takes tens of times as long.
      expect(await statusTime(manyClient)).toBeLessThan(few * 8);
    } finally {
      manyClient.close();
      await second.end('SIGKILL');
      await another.remove();
      await many.dispose();
    }
  });

  it('takes its PIN from a descriptor or a systemd credential, and gives its socket to whom it is told', async () => {
    const isRoot = process.getuid?.() === 0;
    const [owner, group] = isRoot ? [54_321, 65_432] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
    const fields = { provider: 'pkcs11', path: softHsmModulePath, tokenLabel: token.label, keyLabel: 'kms-key' };
    const credentials = join(place.directory, 'credentials');
    await mkdir(credentials, { mode: 0o700 });
    // As systemd gives it to a unit's user: readable by the group's bits.
    await writeFile(join(credentials, 'token-pin'), kmsTestPin, { mode: 0o440 });
    const descriptor = await open(place.pinPath, 'r');
    const ways: readonly [object, KmsProcessExtras, RegExp][] = [
      [{ pinFd: 3, socketOwner: owner, socketGroup: group }, { third: descriptor.fd }, /^ok$/u],
      [{ pinCredential: 'token-pin' }, { environment: { CREDENTIALS_DIRECTORY: credentials } }, /^ok$/u],
      [{ pinCredential: 'token-pin' }, {}, /no credentials of systemd/u],
      [{ pinFd: 3 }, {}, /cannot be read|PIN is empty/u],
    ];
    for (const [way, extras, expected] of ways) {
      const another = await createKmsPlaceFor(() => ({ ...fields, ...way }));
      const second = await startKmsProcess(['--config', another.configurationPath], token, extras);
      const secondClient = connectKms(another.socketPath);
      try {
        await expect.poll(async () => valueOf(await secondClient.status()).healthz, patient).toMatch(expected);
        const socket = await stat(another.socketPath);
        const directory = await stat(join(another.directory, 'socket'));
        const isGiven = 'socketGroup' in way;
        expect([socket.mode & 0o777, directory.mode & 0o777]).toEqual(isGiven ? [0o660, 0o750] : [0o600, 0o700]);
        if (isGiven)
          expect([socket.uid, socket.gid, directory.uid, directory.gid]).toEqual([owner, group, owner, group]);
      } finally {
        secondClient.close();
        await second.end('SIGKILL');
        await another.remove();
      }
    }
    await descriptor.close();
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
