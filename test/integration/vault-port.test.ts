import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createServerCertificates, loopbackCertificateOptions } from '../../electron/rehearsal/certificates.ts';
import { createVaultPort } from '../../electron/vault/vault-port.ts';
import { createVaultWatch } from '../../electron/vault/watch.ts';
import type { VaultConnection, VaultTrust } from '../../electron/workflows/ports.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const vault = createVaultPort({ deadline: 1_000 });
let directory = '';
const closers: (() => Promise<void>)[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-port-'));
});
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});
afterAll(async () => {
  vault.close();
  await rm(directory, { recursive: true, force: true });
});

/** Listens on a free loopback port until the test is over. */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  return (server.address() as AddressInfo).port;
}

async function plainServer(listener: RequestListener): Promise<VaultConnection> {
  return { address: `http://127.0.0.1:${await listen(createHttpServer(listener))}`, trust: { kind: 'system' } };
}

async function tcpServer(scheme: 'http' | 'https', act: (socket: Socket) => void): Promise<VaultConnection> {
  return { address: `${scheme}://127.0.0.1:${await listen(createTcpServer(act))}`, trust: { kind: 'system' } };
}

async function codeOf(connection: VaultConnection): Promise<string> {
  const answered = await vault.sealStatus(connection);
  return answered.ok ? 'ok' : answered.error.code;
}

describe('on a real Vault', () => {
  let server: TestVault;
  beforeAll(async () => {
    server = await startVaultServer();
  });
  afterAll(() => server.stop());

  test('seal status, health and certificate are read', async () => {
    const connection: VaultConnection = { address: server.address, trust: { kind: 'ca-file', path: server.caPath } };
    expect(await vault.sealStatus(connection)).toMatchObject({
      ok: true,
      value: { product: 'vault', initialized: false, sealed: true, type: 'shamir', storageType: 'raft' },
    });
    expect(await vault.health(connection)).toEqual({ ok: true, value: { state: 'uninitialized' } });
    const certificate = await vault.fetchCertificate(server.address);
    expect(certificate).toMatchObject({
      ok: true,
      value: { sha256: server.certificateSha256, issuer: 'CN=Key Custodian rehearsal' },
    });
  });

  test.each<[string, () => VaultTrust, string]>([
    ['its own CA', () => ({ kind: 'ca-file', path: server.caPath }), 'ok'],
    ['its pinned certificate', () => ({ kind: 'pinned', sha256: server.certificateSha256 }), 'ok'],
    ['another pin', () => ({ kind: 'pinned', sha256: '00'.repeat(32) }), 'Vault_CertificateMismatch'],
    ['the system', () => ({ kind: 'system' }), 'Vault_CertificateInvalid'],
    [
      'a CA file that is missing',
      () => ({ kind: 'ca-file', path: join(directory, 'absent.pem') }),
      'Vault_CaFileUnreadable',
    ],
    [
      'a CA file with no certificate',
      () => ({ kind: 'ca-file', path: join(server.dataDirectory, 'node-1', 'vault.hcl') }),
      'Vault_CaFileUnreadable',
    ],
  ])('trusting %s', async (_name, trust, expected) => {
    expect(await codeOf({ address: server.address, trust: trust() })).toBe(expected);
  });

  test('nothing in the environment changes whom it trusts or what it sends', async () => {
    const saved = { ...process.env };
    Object.assign(process.env, {
      VAULT_SKIP_VERIFY: '1',
      VAULT_NAMESPACE: 'elsewhere',
      VAULT_TOKEN: 'marker',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    });
    try {
      const fresh = createVaultPort({ deadline: 2_000 });
      expect(await fresh.sealStatus({ address: server.address, trust: { kind: 'system' } })).toMatchObject({
        ok: false,
        error: { code: 'Vault_CertificateInvalid' },
      });
      let headers = '';
      const connection = await plainServer((request, response) => {
        headers = JSON.stringify(request.headers);
        response.end('{}');
      });
      await fresh.sealStatus(connection);
      expect(headers).not.toMatch(/marker|elsewhere/u);
      expect(headers).toContain('x-vault-request');
      fresh.close();
    } finally {
      for (const name of ['VAULT_SKIP_VERIFY', 'VAULT_NAMESPACE', 'VAULT_TOKEN', 'HTTPS_PROXY'])
        Reflect.deleteProperty(process.env, name);
      Object.assign(process.env, saved);
    }
  });

  test('the watch tells changes once and names what went out of reach', async () => {
    const connection: VaultConnection = { address: server.address, trust: { kind: 'ca-file', path: server.caPath } };
    const watch = createVaultWatch({ vaults: () => [{ id: 'one', connections: [connection] }], vault, interval: 50 });
    let told = 0;
    watch.subscribe(() => {
      told += 1;
    });
    watch.start();
    await expect.poll(() => watch.nodes.get('one')?.[0]?.result?.ok).toBe(true);
    const first = watch.nodes.get('one')?.[0]?.lastSeen;
    await expect.poll(() => watch.nodes.get('one')?.[0]?.lastSeen !== first).toBe(true);
    expect(told).toBe(1);
    await server.kill();
    await expect
      .poll(() => watch.nodes.get('one')?.[0]?.result)
      .toMatchObject({ ok: false, error: { code: 'Vault_Unreachable' } });
    watch.stop();
    await server.restart();
  });
});

describe('certificates that do not hold', () => {
  async function tlsServer(change: Partial<ReturnType<typeof loopbackCertificateOptions>>): Promise<VaultConnection> {
    const made = await createServerCertificates({ ...loopbackCertificateOptions(), ...change });
    const caPath = join(directory, `${made.serverCertificateSha256}.pem`);
    await writeFile(caPath, made.caCertificate);
    const server = createHttpsServer({ cert: made.serverCertificate, key: made.serverKey }, (_request, response) =>
      response.end('{}'),
    );
    return { address: `https://127.0.0.1:${await listen(server)}`, trust: { kind: 'ca-file', path: caPath } };
  }
  test('expired', async () => {
    const connection = await tlsServer({
      notBefore: new Date(Date.now() - 172_800_000),
      notAfter: new Date(Date.now() - 86_400_000),
    });
    expect(await vault.sealStatus(connection)).toMatchObject({
      ok: false,
      error: { code: 'Vault_CertificateInvalid', message: expect.stringContaining('expired') },
    });
  });
  test('for another name', async () => {
    const connection = await tlsServer({ dnsNames: ['elsewhere.example'], ipAddresses: ['192.0.2.1'] });
    expect(await vault.sealStatus(connection)).toMatchObject({
      ok: false,
      error: { code: 'Vault_CertificateInvalid', message: expect.stringContaining('another name') },
    });
  });
});

describe('what is no Vault, or one that cannot answer', () => {
  const unsealed = {
    type: 'shamir',
    initialized: true,
    sealed: false,
    t: 3,
    n: 5,
    progress: 0,
    nonce: '',
    version: '2.6.0',
    commit_date: '2026-01-01',
  };

  test.each<[number, string, string]>([
    [400, '{"errors":["Vault is already initialized"]}', 'Vault_AlreadyInitialized'],
    [403, '{"errors":["permission denied"]}', 'Vault_PermissionDenied'],
    [429, '{"errors":["request path: rate limit quota exceeded"]}', 'Vault_RateLimited'],
    [472, '{"errors":[]}', 'Vault_DisasterRecoverySecondary'],
    [473, '{"errors":[]}', 'Vault_PerformanceStandby'],
    [501, '{"errors":[]}', 'Vault_NotInitialized'],
    [503, '{"errors":["Vault is sealed"]}', 'Vault_Sealed'],
    [503, '<html>busy</html>', 'Vault_Unavailable'],
    [307, '', 'Vault_Standby'],
    [404, '<html>not here</html>', 'Vault_NotJson'],
    [200, '<html>log in</html>', 'Vault_NotJson'],
    [200, '{"sealed":"perhaps"}', 'Vault_UnexpectedReply'],
    [200, 'x'.repeat(2_000_000), 'Vault_UnexpectedReply'],
    [200, JSON.stringify(unsealed), 'ok'],
  ])('status %i', async (status, body, expected) => {
    const connection = await plainServer((_request, response) => {
      response.writeHead(status, { location: 'http://127.0.0.1:9/' });
      response.end(body);
    });
    expect(await codeOf(connection)).toBe(expected);
  });

  test('OpenBao is known by its commit date; health states are answers', async () => {
    const connection = await plainServer((request, response) => {
      response.writeHead(request.url?.includes('health') === true ? 473 : 200);
      response.end(JSON.stringify(unsealed));
    });
    expect(await vault.sealStatus(connection)).toMatchObject({ ok: true, value: { product: 'openbao' } });
    expect(await vault.health(connection)).toEqual({ ok: true, value: { state: 'performance-standby' } });
  });

  test('a black hole, a half-closed connection, garbage and nobody', async () => {
    expect(await codeOf(await tcpServer('http', () => undefined))).toBe('Vault_TimedOut');
    expect(await codeOf(await tcpServer('https', () => undefined))).toBe('Vault_TimedOut');
    expect(
      await codeOf(
        await tcpServer('http', (socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"a"')),
      ),
    ).toBe('Vault_Unreachable');
    expect(await codeOf(await tcpServer('http', (socket) => socket.end('SSH-2.0-OpenSSH\r\n')))).toBe(
      'Vault_UnexpectedReply',
    );
    expect(await codeOf(await tcpServer('https', (socket) => socket.end('SSH-2.0-OpenSSH\r\n')))).toBe(
      'Vault_CertificateInvalid',
    );
    expect(await codeOf({ address: 'https://127.0.0.1:1', trust: { kind: 'system' } })).toBe('Vault_Unreachable');
    expect(await codeOf({ address: 'http://192.0.2.1:8200', trust: { kind: 'system' } })).toBe('Vault_AddressInvalid');
    expect(await codeOf({ address: 'https://me:pw@127.0.0.1', trust: { kind: 'system' } })).toBe(
      'Vault_AddressInvalid',
    );
    expect(await vault.fetchCertificate('https://127.0.0.1:1')).toMatchObject({
      ok: false,
      error: { code: 'Vault_Unreachable' },
    });
  });

  test('a pin that does not fit: the server never sees a byte of the request', async () => {
    const made = await createServerCertificates();
    let requests = 0;
    let bytes = 0;
    const server = createHttpsServer({ cert: made.serverCertificate, key: made.serverKey }, () => {
      requests += 1;
    });
    server.on('secureConnection', (socket) => socket.on('data', (chunk: Buffer) => (bytes += chunk.length)));
    const port = await listen(server);
    expect(
      await codeOf({ address: `https://127.0.0.1:${port}`, trust: { kind: 'pinned', sha256: 'ff'.repeat(32) } }),
    ).toBe('Vault_CertificateMismatch');
    expect({ requests, bytes }).toEqual({ requests: 0, bytes: 0 });
  });
});
