import { generateKeyPairSync } from 'node:crypto';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSharePort } from '../../electron/shares/share-port.ts';
import type { SharePort } from '../../electron/workflows/ports.ts';
import { launchHostFromSource } from '../fixtures/token-port.ts';

const run = promisify(execFile);

let directory: string;
let home: string;
let shares: SharePort;

async function gpg(...argumentList: readonly string[]): Promise<string> {
  const given = ['--homedir', home, '--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', ''];
  return (await run('gpg', [...given, ...argumentList])).stdout;
}

async function fingerprintOf(user: string): Promise<string> {
  return /^fpr:+([0-9A-F]+):/mu.exec(await gpg('--with-colons', '--fingerprint', user))?.[1] ?? '';
}

interface RefusedKey {
  readonly armored: string;
  readonly fingerprint: string;
}

async function exported(user: string): Promise<RefusedKey> {
  return { armored: await gpg('--armor', '--export', user), fingerprint: await fingerprintOf(user) };
}

/** Made at a time at which its two days had not passed yet. */
const longAgo = ['--faked-system-time', '20240101T000000', '--quick-generate-key'] as const;

const makeKey: Readonly<Record<string, () => Promise<RefusedKey>>> = {
  async expired() {
    await gpg(...longAgo, 'expired@example.org', 'future-default', 'default', '2d');
    return exported('expired@example.org');
  },
  async 'expired in its encryption part'() {
    await gpg(...longAgo, 'half@example.org', 'ed25519', 'sign', 'never');
    const fingerprint = await fingerprintOf('half@example.org');
    await gpg('--faked-system-time', '20240102T000000', '--quick-add-key', fingerprint, 'cv25519', 'encr', '2d');
    return exported('half@example.org');
  },
  async revoked() {
    await gpg('--quick-generate-key', 'revoked@example.org', 'future-default', 'default', 'never');
    const fingerprint = await fingerprintOf('revoked@example.org');
    const certificate = await readFile(join(home, 'openpgp-revocs.d', `${fingerprint}.rev`), 'utf8');
    // gpg puts a colon before the armor so that nobody applies it by mistake.
    const applied = join(directory, 'revocation.asc');
    await writeFile(applied, certificate.replace(':-----BEGIN', '-----BEGIN'));
    await gpg('--import', applied);
    return exported('revoked@example.org');
  },
  async 'for signing only'() {
    await gpg('--quick-generate-key', 'signer@example.org', 'ed25519', 'sign', 'never');
    return exported('signer@example.org');
  },
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kc-pgp-'));
  home = await mkdtemp(join(tmpdir(), 'kc-gpg-'));
  shares = createSharePort({ launch: launchHostFromSource });
});
afterAll(async () => {
  await shares.close();
  await run('gpgconf', ['--homedir', home, '--kill', 'all']);
  await Promise.all([directory, home].map((path) => rm(path, { recursive: true, force: true, maxRetries: 3 })));
});

describe('a PGP key that is', () => {
  test.each([
    ['expired', 'Pgp_KeyExpired', /expired on 2024-01-03/u],
    ['expired in its encryption part', 'Pgp_KeyExpired', /encryption part/u],
    ['revoked', 'Pgp_KeyRevoked', /revoked/u],
    ['for signing only', 'Pgp_KeyCannotEncrypt', /sign only/u],
  ])('%s is refused when it is chosen, and by an initialisation before Vault is asked', async (kind, code, words) => {
    const key = await makeKey[kind]?.();
    if (key === undefined) throw new Error(`no such key: ${kind}`);
    const described = await shares.describePgpKey(Buffer.from(key.armored));
    expect(described).toMatchObject({
      ok: false,
      error: { code, message: expect.stringMatching(words), details: { fingerprint: key.fingerprint } },
    });
    expect(described.ok ? '' : described.error.next).not.toBe('');
    const wrapping = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const initialized = await shares.initialize({
      runId: 'run-1',
      // Nobody listens there: that this is not said shows that nobody was asked.
      connection: { address: 'http://127.0.0.1:1', trust: { kind: 'system' } },
      shares: 1,
      threshold: 1,
      destinations: [{ kind: 'pgp', custodian: 'Ada', publicKeyArmored: key.armored, fingerprint: key.fingerprint }],
      rootToken: { kind: 'revoked' },
      wrappingKeySpki: wrapping.export({ format: 'der', type: 'spki' }).toString('base64'),
      escrowPath: join(directory, 'escrow.json'),
    });
    expect(initialized).toMatchObject({ ok: false, error: { code } });
    await expect(readFile(join(directory, 'escrow.json'))).rejects.toThrow('ENOENT');
  });
});
