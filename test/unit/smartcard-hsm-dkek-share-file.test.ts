/**
 * The ten million rounds are real here: they take about three seconds for each key, so the tests share files
 * and there are few of them.
 */
import { createHash, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  createDkekShareFile,
  isDkekShareFile,
  openDkekShareFile,
  type DkekShareFile,
} from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { repeatMd5 } from '../../native/smartcard-hsm/dkek/repeat-md5.ts';

const testPassword = Buffer.from('test password é');

/**
 * Made with OpenSSL itself: EVP_BytesToKey(EVP_aes_256_cbc(), EVP_md5(), salt, password, 10000000) of libcrypto
 * 3.0 and `openssl enc -aes-256-cbc`.
 */
const madeByOpenSsl = {
  testPassword: Buffer.from('correct horse é'),
  file: Buffer.from(
    '53616c7465645f5f0102030405060708f17e7b2a41504a9644093f01aee0b2befae3d52a4e16697b1f17fde043c830fb99e5728f0ade0bad828566b8f3c776f0',
    'hex',
  ),
  share: Buffer.from(Array.from({ length: 32 }, (_, index) => index)),
};

describe('repeated MD5', () => {
  it.each([0, 1, 2, 1000])('is what node makes of %i rounds', (times) => {
    for (let example = 0; example < 8; example++) {
      let digest: Buffer = randomBytes(16);
      const words = new Int32Array([0, 4, 8, 12].map((offset) => digest.readInt32LE(offset)));
      for (let round = 0; round < times; round++) digest = createHash('md5').update(digest).digest();
      repeatMd5(words, times);
      const own = Buffer.alloc(16);
      words.forEach((word, index) => own.writeInt32LE(word, 4 * index));
      expect(own.toString('hex')).toBe(digest.toString('hex'));
    }
  });
});

describe('a DKEK share file', { timeout: 60_000 }, () => {
  let made: DkekShareFile;
  const progress: number[] = [];

  beforeAll(async () => {
    made = await createDkekShareFile(testPassword, { onProgress: (done) => progress.push(done) });
  }, 60_000);

  it('has the form of sc-hsm-tool', () => {
    expect(made.file).toHaveLength(64);
    expect(Buffer.from(made.file.subarray(0, 8)).toString()).toBe('Salted__');
    expect(made.share).toHaveLength(32);
    expect(isDkekShareFile(made.file)).toBe(true);
    // Nothing of the share stands in the file.
    expect(Buffer.from(made.file).includes(Buffer.from(made.share.subarray(0, 4)))).toBe(false);
  });

  it('tells how far it is, always further and up to the end', () => {
    expect(progress.length).toBeGreaterThan(20);
    expect(progress).toEqual(progress.toSorted((one, other) => one - other));
    expect(progress.at(-1)).toBe(1);
  });

  it('opens with its password, while the event loop goes on', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    try {
      const opened = await openDkekShareFile(made.file, testPassword);
      expect(opened).toEqual({ ok: true, value: Uint8Array.from(made.share) });
    } finally {
      clearInterval(timer);
    }
    // A timer that had to wait for the whole work, or for a digest of it, would have had three turns at most.
    expect(turns).toBeGreaterThan(20);
  });

  it('made by OpenSSL opens', async () => {
    const opened = await openDkekShareFile(madeByOpenSsl.file, madeByOpenSsl.testPassword);
    expect(opened).toEqual({ ok: true, value: Uint8Array.from(madeByOpenSsl.share) });
  });

  it('does not open with another password', async () => {
    const opened = await openDkekShareFile(made.file, Buffer.from('test password e'));
    expect(opened).toMatchObject({ ok: false, error: { code: 'Device_SharePasswordWrong' } });
    expect(JSON.stringify(opened)).not.toContain('test password');
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['63 bytes', Buffer.concat([Buffer.from('Salted__'), Buffer.alloc(55)])],
    ['65 bytes', Buffer.concat([Buffer.from('Salted__'), Buffer.alloc(57)])],
    ['another beginning', Buffer.concat([Buffer.from('salted__'), Buffer.alloc(56)])],
  ])('is not %s, which is told at once', async (_what, file) => {
    expect(isDkekShareFile(file)).toBe(false);
    const opened = await openDkekShareFile(file, testPassword, {
      onProgress: () => {
        throw new Error('The key was derived for a file that is none.');
      },
    });
    expect(opened).toMatchObject({ ok: false, error: { code: 'Device_ShareFileInvalid' } });
  });

  it('is given up between two slices', async () => {
    const controller = new AbortController();
    const seen: number[] = [];
    const opening = openDkekShareFile(made.file, testPassword, {
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done);
        if (seen.length === 3) controller.abort();
      },
    });
    await expect(opening).rejects.toThrow(/abort/i);
    expect(seen).toHaveLength(3);
    await expect(createDkekShareFile(testPassword, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });
});
