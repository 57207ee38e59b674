/** Whom the KMS provider gives its Vault token to: a server whose certificate holds, and nobody else. */
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import { connect as connectTo, createServer as createPlainServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openVaultHttp, type VaultServer } from '../../k8s-bridge/kms-provider/transit/vault-http.ts';
import {
  createClusterAuthority,
  type ClusterAuthority,
  type SignedCertificate,
} from '../servers/kubernetes-certificates.ts';

let directory: string;
let server: Server;
let port: number;
let caFile: string;
let otherCaFile: string;
let authority: ClusterAuthority;
let other: ClusterAuthority;
let own: SignedCertificate;
let client: Pick<VaultServer, 'clientCertificateFile' | 'clientKeyFile'>;
let asked: { readonly servername: unknown; readonly client: string | undefined; readonly protocol: unknown }[];

async function keepFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-kms-tls-'));
  [authority, other] = await Promise.all([createClusterAuthority('authority'), createClusterAuthority('other')]);
  own = await authority.signServer('vault');
  const user = await authority.signUser('provider', []);
  caFile = await keepFile('ca.pem', authority.certificate);
  otherCaFile = await keepFile('other.pem', other.certificate);
  client = {
    clientCertificateFile: await keepFile('client.pem', user.certificate),
    clientKeyFile: await keepFile('client-key.pem', user.key),
  };
  const options = { cert: own.certificate, key: own.key, ca: authority.certificate, requestCert: true };
  server = createServer(
    { ...options, rejectUnauthorized: false, ALPNProtocols: ['h2', 'http/1.1'] },
    (request, response) => {
      const { socket } = request;
      if (!(socket instanceof TLSSocket)) return;
      asked.push({
        servername: Reflect.get(socket, 'servername'),
        client: socket.authorized ? String(socket.getPeerCertificate().subject.CN) : undefined,
        protocol: socket.alpnProtocol,
      });
      response.end('{"data":1}');
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
beforeEach(() => {
  asked = [];
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  await rm(directory, { recursive: true });
});

async function ask(host: string, more: Partial<VaultServer>, patience = 2000): Promise<unknown> {
  const http = openVaultHttp({ address: `https://${host}`, namespace: '', ...more });
  const deadline = performance.now() + patience;
  try {
    return await http.call({ method: 'POST', path: 'transit/encrypt/kms', token: 'test-token', deadline });
  } finally {
    http.close();
  }
}
const good = { ok: true, value: { status: 200, body: { data: 1 } } };
const unreachable = (words: string) => ({ ok: false, status: 14, words: expect.stringContaining(words) });

it('a name is told to the server and looked for in its certificate, an address is looked for alone', async () => {
  expect(await ask(`localhost:${port}`, { caFile })).toEqual(good);
  expect(await ask(`127.0.0.1:${port}`, { caFile })).toEqual(good);
  expect(asked).toEqual([
    { servername: 'localhost', client: undefined, protocol: 'http/1.1' },
    { servername: false, client: undefined, protocol: 'http/1.1' },
  ]);
});

it('a certificate of its own is shown', async () => {
  expect(await ask(`localhost:${port}`, { caFile, ...client })).toEqual(good);
  expect(asked).toMatchObject([{ client: 'provider' }]);
});

it('nothing is said to a server that another authority signed', async () => {
  expect(await ask(`localhost:${port}`, { caFile: otherCaFile })).toEqual(unreachable('certificate chain.'));
  expect(await ask(`localhost:${port}`, {})).toEqual(unreachable('certificate chain.'));
  expect(asked).toEqual([]);
});

it('nothing is said to a server of another name', async () => {
  expect(await ask(`127.1.2.3:${port}`, { caFile })).toEqual(unreachable('ECONNREFUSED'));
  const relay = createPlainServer((socket) => void socket.pipe(connectTo(port)).pipe(socket));
  await new Promise<void>((resolve) => relay.listen(port, '127.1.2.3', resolve));
  expect(await ask(`127.1.2.3:${port}`, { caFile })).toEqual(unreachable('altnames'));
  await new Promise<void>((resolve) => relay.close(() => resolve()));
  expect(asked).toEqual([]);
});

it('the name in the certificate may be another than the address says, where it is given', async () => {
  expect(await ask(`127.0.0.1:${port}`, { caFile, tlsServerName: 'localhost' })).toEqual(good);
  expect(asked).toMatchObject([{ servername: 'localhost' }]);
  expect(await ask(`127.0.0.1:${port}`, { caFile, tlsServerName: 'other.example' })).toEqual(unreachable('altnames'));
  expect(asked).toHaveLength(1);
});

it('a server that never shakes hands is waited for until the deadline', async () => {
  const silent = createPlainServer((socket) => void socket.resume());
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const address = silent.address() as AddressInfo;
  expect(await ask(`127.0.0.1:${address.port}`, { caFile }, 100)).toEqual(unreachable('in time'));
  await new Promise<void>((resolve) => silent.close(() => resolve()));
});

it('a token or a namespace that is no header is refused before anything is said', async () => {
  const http = openVaultHttp({ address: `https://localhost:${port}`, namespace: '', caFile });
  const deadline = performance.now() + 2000;
  for (const token of ['test\r\nx-vault-namespace: other', 'test\ntoken', 'täst', ''])
    expect(await http.call({ method: 'GET', path: 'sys/health', token, deadline })).toEqual({
      ok: false,
      status: 9,
      words: expect.stringContaining('no header takes'),
    });
  http.close();
  expect(await ask(`localhost:${port}`, { caFile, namespace: 'a\r\nb: c' })).toMatchObject({ ok: false, status: 9 });
  expect(asked).toEqual([]);
});

it('files that were replaced hold for the next call, and what is half written for none', async () => {
  const files = {
    caFile: await keepFile('renewed-ca.pem', authority.certificate),
    clientCertificateFile: await keepFile('renewed.pem', await readFile(client.clientCertificateFile ?? '')),
    clientKeyFile: await keepFile('renewed-key.pem', await readFile(client.clientKeyFile ?? '')),
  };
  const http = openVaultHttp({ address: `https://localhost:${port}`, namespace: '', ...files });
  const askIt = (): Promise<unknown> => http.call({ method: 'GET', path: 'x', deadline: performance.now() + 2000 });
  try {
    expect(http.renewCertificates()).toEqual({ kind: 'same' });
    expect(await askIt()).toEqual(good);
    const next = await authority.signUser('next', []);
    await keepFile('renewed.pem', next.certificate);
    // The key of another certificate, as between the two writes of whoever renews them.
    expect(http.renewCertificates()).toEqual({ kind: 'unusable', reason: expect.stringContaining('MISMATCH') });
    expect(await askIt()).toEqual(good);
    await keepFile('renewed-key.pem', next.key);
    expect(http.renewCertificates()).toMatchObject({ kind: 'replaced' });
    expect(await askIt()).toEqual(good);
    expect(http.renewCertificates()).toEqual({ kind: 'same' });
    await rm(files.caFile);
    expect(http.renewCertificates()).toEqual({ kind: 'unusable', reason: 'ENOENT' });
    expect(await askIt()).toEqual(good);
    for (const nothing of ['', 'no certificate']) {
      await keepFile('renewed-ca.pem', nothing);
      expect(http.renewCertificates()).toMatchObject({ kind: 'unusable' });
    }
    expect(await askIt()).toEqual(good);
    expect(asked.map((one) => one.client)).toEqual(['provider', 'provider', 'next', 'next', 'next']);
  } finally {
    http.close();
  }
});

it('a server that another authority signs now is trusted once the file of authorities was replaced', async () => {
  const renewed = await keepFile('next-ca.pem', authority.certificate);
  const http = openVaultHttp({ address: `https://localhost:${port}`, namespace: '', caFile: renewed });
  const askIt = (): Promise<unknown> => http.call({ method: 'GET', path: 'x', deadline: performance.now() + 2000 });
  const next = await other.signServer('vault');
  try {
    expect(await askIt()).toEqual(good);
    server.setSecureContext({ cert: next.certificate, key: next.key });
    server.closeAllConnections();
    expect(await askIt()).toEqual(unreachable('certificate'));
    // As the kubelet replaces what it mounts: another file under the same name.
    await rename(await keepFile('..new', other.certificate), renewed);
    http.renewCertificates();
    expect(await askIt()).toEqual(good);
  } finally {
    http.close();
    server.setSecureContext({ cert: own.certificate, key: own.key, ca: authority.certificate });
  }
});

it('authorities may be in DER, and a file without any is told at the start', async () => {
  const der = new X509Certificate(authority.certificate).raw;
  expect(await ask(`localhost:${port}`, { caFile: await keepFile('ca.der', der) })).toEqual(good);
  for (const nothing of ['', 'no certificate']) {
    const without = await keepFile('nothing.pem', nothing);
    await expect(ask(`localhost:${port}`, { caFile: without })).rejects.toMatchObject({ code: expect.any(String) });
  }
});
