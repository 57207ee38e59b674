import { constants, createPrivateKey, generateKeyPairSync, privateDecrypt } from 'node:crypto';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { HostLauncher } from '../../electron/hosts/host-process.ts';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import { escrowSchema } from '../../electron/custody/escrow-file.ts';
import { createSharePort } from '../../electron/shares/share-port.ts';
import type {
  Escrow,
  RootTokenDestination,
  ShareDestination,
  SharePort,
  VaultConnection,
} from '../../electron/workflows/ports.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

/** Stands in for the token's public half only; what is written is decrypted with the private one to check it. */
const wrapping = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { format: 'der', type: 'spki' },
  privateKeyEncoding: { format: 'der', type: 'pkcs8' },
});
const wrappingKeySpki = wrapping.publicKey.toString('base64');

const entryPath = join(import.meta.dirname, '..', '..', 'electron', 'shares', 'share-host.ts');
const launch = createNodeLauncher({ entryPath: () => entryPath });

/** The host that was started last. */
let hostPid = 0;
const launchWatched: HostLauncher = (...given) => {
  const host = launch(...given);
  hostPid = host.pid ?? 0;
  return host;
};

/** A file size limit stands for the full disk: writes fail the same way, and an ordinary user may set it. */
function limitFiles(limit: string): void {
  execFileSync('prlimit', ['--pid', String(hostPid), `--fsize=${limit}`]);
}

let directory = '';
let server: TestVault | undefined;
let shares: SharePort;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-shares-'));
  shares = createSharePort({ launch });
});
afterEach(async () => {
  await shares.close();
  await server?.stop();
  server = undefined;
  await rm(directory, { recursive: true, force: true });
});

async function startServer(nodes = 1): Promise<{ vault: TestVault; connections: VaultConnection[] }> {
  const vault = await startVaultServer({ nodes });
  server = vault;
  return {
    vault,
    connections: vault.addresses.map((address) => ({ address, trust: { kind: 'ca-file', path: vault.caPath } })),
  };
}

function firstOf<Value>(values: readonly Value[]): Value {
  const value = values[0];
  if (value === undefined) throw new Error('expected one at least');
  return value;
}

function request(
  connection: VaultConnection,
  destinations: readonly ShareDestination[],
  rootToken: RootTokenDestination,
  threshold = 2,
): Parameters<SharePort['initialize']>[0] {
  return {
    runId: 'run-1',
    connection,
    shares: destinations.length,
    threshold,
    destinations,
    rootToken,
    wrappingKeySpki,
    escrowPath: join(directory, 'escrow.json'),
  };
}

const toToken: ShareDestination = { kind: 'token' };

async function readEscrow(): Promise<Escrow> {
  return escrowSchema.parse(JSON.parse(await readFile(join(directory, 'escrow.json'), 'utf8')));
}

function decryptEntry(escrow: Escrow, label: string): Buffer {
  const entry = escrow.entries.find((candidate) => candidate.label === label);
  if (entry === undefined) throw new Error(`no ${label}`);
  const key = createPrivateKey({ key: wrapping.privateKey, format: 'der', type: 'pkcs8' });
  return privateDecrypt(
    { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
    Buffer.from(entry.tokenCiphertext, 'base64'),
  );
}

async function submit(connections: readonly VaultConnection[], share: Uint8Array) {
  const recipient = await shares.sealingPublicKey();
  if (!recipient.ok) throw new Error(recipient.error.message);
  return shares.submitShare(connections, await sealSecret(recipient.value, new Uint8Array(share), secretPurpose.share));
}

async function codeOf(connections: readonly VaultConnection[], share: Uint8Array): Promise<string> {
  const answered = await submit(connections, share);
  if (!answered.ok) return answered.error.code;
  const { result } = firstOf(answered.value);
  return result.ok ? `progress ${result.value.progress} sealed ${result.value.sealed}` : result.error.code;
}

describe('an initialisation', () => {
  test('leaves an escrow in bank-vaults form whose values unseal the Vault, and asking again finds it', async () => {
    const { connections } = await startServer();
    const initialize = request(firstOf(connections), [toToken, toToken, toToken], { kind: 'token' });
    expect(await shares.initialize(initialize)).toEqual({
      ok: true,
      value: { labels: ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'] },
    });
    expect((await stat(join(directory, 'escrow.json'))).mode & 0o777).toBe(0o600);
    const escrow = await readEscrow();
    expect(decryptEntry(escrow, 'vault-unseal-1').toString()).toMatch(/^[0-9a-f]{66}$/u);
    expect(decryptEntry(escrow, 'vault-root').toString()).toMatch(/^hvs\./u);
    expect(await shares.initialize(initialize)).toMatchObject({ ok: true });
    expect(await codeOf(connections, decryptEntry(escrow, 'vault-unseal-0'))).toBe('progress 1 sealed true');
    expect(await codeOf(connections, decryptEntry(escrow, 'vault-unseal-0'))).toBe('Vault_ShareDuplicate');
    expect(await codeOf(connections, Buffer.from('not a share'))).toBe('Vault_ShareCorrupt');
    const base64 = Buffer.from(
      Buffer.from(decryptEntry(escrow, 'vault-unseal-2').toString(), 'hex').toString('base64'),
    );
    expect(await codeOf(connections, base64)).toBe('progress 0 sealed false');
    const other = { ...initialize, runId: 'run-2', escrowPath: join(directory, 'other.json') };
    expect(await shares.initialize(other)).toMatchObject({ ok: false, error: { code: 'Vault_AlreadyInitialized' } });
    const recipient = await shares.sealingPublicKey();
    if (!recipient.ok) throw new Error(recipient.error.message);
    const seal = () =>
      sealSecret(recipient.value, new Uint8Array(decryptEntry(escrow, 'vault-root')), secretPurpose.share);
    // A node that was unsealed a moment ago does not lead its cluster yet, and says so.
    await expect
      .poll(async () => shares.revokeRootToken(firstOf(connections), await seal()), { timeout: 20_000, interval: 200 })
      .toEqual({ ok: true, value: { revoked: true } });
    expect(await shares.revokeRootToken(firstOf(connections), await seal())).toMatchObject({
      ok: false,
      error: { code: 'Vault_PermissionDenied' },
    });
  });

  test('says foreign shares, resets by others and a changed nonce in words of their own', async () => {
    const { connections } = await startServer();
    const connection = firstOf(connections);
    expect(
      await shares.initialize(
        request(
          connection,
          Array.from({ length: 5 }, () => toToken),
          { kind: 'revoked' },
          3,
        ),
      ),
    ).toMatchObject({ ok: true });
    const escrow = await readEscrow();
    const share = (index: number): Buffer => decryptEntry(escrow, `vault-unseal-${index}`);
    const foreign = Buffer.from('ab'.repeat(32) + '77');
    await submit(connections, share(0));
    await submit(connections, share(1));
    expect(await codeOf(connections, foreign)).toBe('Vault_ShareForeign');
    await submit(connections, share(0));
    const somebodyElse = createSharePort({ launch });
    try {
      expect(await somebodyElse.resetUnseal(connection)).toMatchObject({ ok: true, value: { progress: 0 } });
      expect(await codeOf(connections, share(1))).toBe('Vault_ResetByAnother');
      expect(await codeOf(connections, share(1))).toBe('progress 1 sealed true');
      await somebodyElse.resetUnseal(connection);
      const recipient = await somebodyElse.sealingPublicKey();
      if (!recipient.ok) throw new Error(recipient.error.message);
      await somebodyElse.submitShare(
        connections,
        await sealSecret(recipient.value, new Uint8Array(share(4)), secretPurpose.share),
      );
      expect(await codeOf(connections, share(0))).toBe('Vault_NonceChanged');
      expect(await codeOf(connections, share(0))).toBe('progress 2 sealed true');
      expect(await codeOf(connections, share(1))).toBe('progress 0 sealed false');
    } finally {
      await somebodyElse.close();
    }
  });

  test('unseals several nodes of one cluster in one act', async () => {
    const { connections } = await startServer(2);
    expect(
      await shares.initialize(request(firstOf(connections), [toToken, toToken, toToken], { kind: 'token' })),
    ).toMatchObject({ ok: true });
    const escrow = await readEscrow();
    // The second node joins the first once that is unsealed: the first act leaves it out, the next take both.
    await submit(connections.slice(0, 1), decryptEntry(escrow, 'vault-unseal-0'));
    await submit(connections.slice(0, 1), decryptEntry(escrow, 'vault-unseal-1'));
    await expect
      .poll(() => codeOf(connections.slice(1), decryptEntry(escrow, 'vault-unseal-0')), {
        timeout: 20_000,
        interval: 500,
      })
      .toBe('progress 1 sealed true');
    const both = await submit(connections, decryptEntry(escrow, 'vault-unseal-1'));
    expect(both).toMatchObject({
      ok: true,
      value: [{ result: { ok: true, value: { sealed: false } } }, { result: { ok: true, value: { sealed: false } } }],
    });
    await server?.restart();
    await submit(connections, decryptEntry(escrow, 'vault-unseal-2'));
    const again = await submit(connections, decryptEntry(escrow, 'vault-unseal-0'));
    expect(again).toMatchObject({
      ok: true,
      value: [{ result: { ok: true, value: { sealed: false } } }, { result: { ok: true, value: { sealed: false } } }],
    });
  }, 90_000);

  test('a folder that cannot be written is met before Vault is asked', async () => {
    const { vault, connections } = await startServer();
    const blocked = {
      ...request(firstOf(connections), [toToken], { kind: 'token' }, 1),
      escrowPath: join(directory, 'missing', 'escrow.json'),
    };
    expect(await shares.initialize(blocked)).toMatchObject({ ok: false, error: { code: 'Custody_WriteFailed' } });
    const full = createSharePort({ launch: launchWatched });
    try {
      await full.sealingPublicKey();
      limitFiles('0:unlimited');
      expect(await full.initialize({ ...blocked, escrowPath: join(directory, 'escrow.json') })).toMatchObject({
        ok: false,
        error: { code: 'Custody_DiskFull' },
      });
    } finally {
      await full.close();
    }
    await mkdir(join(directory, 'missing'));
    expect(await shares.initialize(blocked)).toMatchObject({ ok: true });
    expect(vault.addresses).toHaveLength(1);
  });
});

describe('after the reply of Vault', () => {
  /** Stands before the real Vault and does something at the moment when the init request, or its reply, passes. */
  async function startGate(act: (moment: 'request' | 'reply') => 'forward' | 'drop') {
    const vault = await startVaultServer({ tls: false });
    server = vault;
    let initRequests = 0;
    const gate = createServer((client) => {
      const upstream = connect({ host: '127.0.0.1', port: Number(new URL(vault.address).port) });
      let initializing = false;
      client.on('data', (chunk: Buffer) => {
        if (chunk.includes('PUT /v1/sys/init')) {
          initializing = true;
          initRequests += 1;
          act('request');
        }
        upstream.write(chunk);
      });
      upstream.on('data', (chunk: Buffer) => {
        if (initializing && chunk.includes('root_token') && act('reply') === 'drop') client.destroy();
        else client.write(chunk);
      });
      for (const [one, other] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        one.on('error', () => other.destroy());
        one.on('close', () => other.destroy());
      }
    });
    gate.listen(0, '127.0.0.1');
    await once(gate, 'listening');
    const address = gate.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    const connection: VaultConnection = { address: `http://127.0.0.1:${address.port}`, trust: { kind: 'system' } };
    return { connection, initRequests: () => initRequests, close: () => gate.close() };
  }

  test('a disk that fills up then costs nothing: asked again, the shares are written from memory', async () => {
    const gate = await startGate((moment) => {
      if (moment === 'request') limitFiles('0:unlimited');
      return 'forward';
    });
    const full = createSharePort({ launch: launchWatched });
    try {
      const initialize = request(gate.connection, [toToken, toToken], { kind: 'token' });
      expect(await full.initialize(initialize)).toMatchObject({ ok: false, error: { code: 'Custody_DiskFull' } });
      expect(await full.initialize(initialize)).toMatchObject({ ok: false, error: { code: 'Custody_DiskFull' } });
      limitFiles('unlimited:unlimited');
      expect(await full.initialize(initialize)).toMatchObject({ ok: true });
      expect(gate.initRequests()).toBe(1);
      const escrow = await readEscrow();
      await submit([gate.connection], decryptEntry(escrow, 'vault-unseal-0'));
      expect(await codeOf([gate.connection], decryptEntry(escrow, 'vault-unseal-1'))).toBe('progress 0 sealed false');
    } finally {
      await full.close();
      gate.close();
    }
  });

  test('locking or quitting meanwhile waits until the shares are on disk', async () => {
    const gate = await startGate((moment) => {
      if (moment === 'request') limitFiles('0:unlimited');
      return 'forward';
    });
    const full = createSharePort({ launch: launchWatched });
    try {
      const asked = full.initialize(request(gate.connection, [toToken, toToken], { kind: 'token' }));
      expect(full.holdsUnsaved).toBe(true);
      let closed = false;
      const closing = full.close().then(() => {
        closed = true;
      });
      expect(await asked).toMatchObject({ ok: false, error: { code: 'Custody_DiskFull' } });
      expect({ closed, holdsUnsaved: full.holdsUnsaved }).toEqual({ closed: false, holdsUnsaved: true });
      limitFiles('unlimited:unlimited');
      await closing;
      expect(full.holdsUnsaved).toBe(false);
      expect((await readEscrow()).entries).toHaveLength(3);
      expect(gate.initRequests()).toBe(1);
    } finally {
      if (full.holdsUnsaved) limitFiles('unlimited:unlimited');
      await full.close();
      gate.close();
    }
  });

  test('a lost reply is said to be lost, also to the next process of the run', async () => {
    const gate = await startGate((moment) => (moment === 'reply' ? 'drop' : 'forward'));
    try {
      const initialize = request(gate.connection, [toToken, toToken], { kind: 'token' });
      expect(await shares.initialize(initialize)).toMatchObject({ ok: false, error: { code: 'Vault_InitReplyLost' } });
      await shares.close();
      expect(await shares.initialize(initialize)).toMatchObject({ ok: false, error: { code: 'Vault_InitReplyLost' } });
      expect(gate.initRequests()).toBe(1);
    } finally {
      gate.close();
    }
  });
});

describe('PGP', () => {
  let home = '';
  beforeAll(async () => {
    home = await mkdtemp(join(tmpdir(), 'kc-gpg-'));
  });
  afterAll(async () => {
    await gpg(['--version']);
    const ended = spawn('gpgconf', ['--kill', 'gpg-agent'], { env: { ...process.env, GNUPGHOME: home } });
    await once(ended, 'close');
    await rm(home, { recursive: true, force: true });
  });

  async function gpg(argumentList: readonly string[], input?: Uint8Array): Promise<Buffer> {
    const child = spawn(
      'gpg',
      ['--batch', '--quiet', '--pinentry-mode', 'loopback', '--passphrase', '', ...argumentList],
      {
        env: { ...process.env, GNUPGHOME: home },
        stdio: ['pipe', 'pipe', 'ignore'],
      },
    );
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stdin.end(input);
    await once(child, 'close');
    return Buffer.concat(chunks);
  }

  test('shares for custodians are read by gpg, and what gpg encrypted unseals', async () => {
    await gpg(['--quick-generate-key', 'Ada <ada@example.org>', 'future-default', 'default', 'never']);
    await gpg(['--quick-generate-key', 'Signer <signer@example.org>', 'ed25519', 'sign', 'never']);
    await shares.close();
    shares = createSharePort({ launch, environment: { GNUPGHOME: home } });
    expect(await shares.describePgpKey(await gpg(['--export', 'signer@example.org']))).toMatchObject({
      ok: false,
      error: { code: 'Pgp_KeyCannotEncrypt' },
    });
    expect(
      await shares.describePgpKey(await gpg(['--armor', '--export-secret-keys', 'ada@example.org'])),
    ).toMatchObject({ ok: false, error: { code: 'Pgp_KeyIsPrivate' } });
    expect(await shares.describePgpKey(Buffer.from('no key'))).toMatchObject({
      ok: false,
      error: { code: 'Pgp_KeyUnreadable' },
    });
    const described = await shares.describePgpKey(await gpg(['--export', 'ada@example.org']));
    if (!described.ok) throw new Error(described.error.message);
    expect(described.value).toMatchObject({
      userId: 'Ada <ada@example.org>',
      expires: '',
      fingerprint: expect.stringMatching(/^[0-9A-F]{40}$/u),
    });
    const ada: ShareDestination = {
      kind: 'pgp',
      custodian: 'Ada',
      publicKeyArmored: described.value.publicKeyArmored,
      fingerprint: described.value.fingerprint,
    };
    const { connections } = await startServer();
    expect(
      await shares.initialize(request(firstOf(connections), [ada, ada, toToken], { kind: 'revoked' })),
    ).toMatchObject({ ok: true });
    const escrow = await readEscrow();
    const message = Buffer.from(firstOf(escrow.entries).pgpMessage, 'base64');
    expect((await gpg(['--decrypt'], message)).equals(decryptEntry(escrow, 'vault-unseal-0'))).toBe(true);
    expect(escrow.entries[2]?.pgpMessage).toBe('');
    expect(await shares.submitPgpShare(connections, message)).toMatchObject({
      ok: true,
      value: [{ result: { ok: true, value: { progress: 1 } } }],
    });
    const fromGpg = await gpg(
      ['--trust-model', 'always', '--encrypt', '-r', 'ada@example.org'],
      decryptEntry(escrow, 'vault-unseal-2'),
    );
    expect(await shares.submitPgpShare(connections, fromGpg)).toMatchObject({
      ok: true,
      value: [{ result: { ok: true, value: { sealed: false } } }],
    });
    expect(await shares.submitPgpShare(connections, Buffer.from('garbage'))).toMatchObject({
      ok: false,
      error: { code: 'Pgp_DecryptFailed' },
    });
  }, 60_000);
});
