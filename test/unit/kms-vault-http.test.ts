/** How the KMS provider asks a Vault whose connection breaks, is slow or says too much. The server plays the wire. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openVaultHttp, type VaultCall, type VaultHttp } from '../../k8s-bridge/kms-provider/transit/vault-http.ts';

let server: Server;
let http: VaultHttp;
let connections: Socket[];
let asked: { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: string }[];
/** What each request is met with, the last of them again and again. */
let answers: ((response: ServerResponse, request: IncomingMessage) => void)[];

const well = (response: ServerResponse): void => {
  response.end('{"data":1}');
};

beforeEach(async () => {
  [connections, asked, answers] = [[], [], []];
  server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      asked.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() });
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      answer?.(response, request);
    });
  });
  server.on('connection', (socket) => connections.push(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  http = openVaultHttp({ address: `http://127.0.0.1:${port}`, namespace: 'team' });
});
afterEach(async () => {
  http.close();
  server.closeAllConnections();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const call = (more: Partial<VaultCall> = {}, patience = 2000): ReturnType<VaultHttp['call']> =>
  http.call({ method: 'POST', path: 'transit/encrypt/kms', deadline: performance.now() + patience, ...more });
const good = { ok: true, value: { status: 200, body: { data: 1 } } };
const unavailable = (words: string) => ({ ok: false, status: 14, words: expect.stringContaining(words) });

it('sends what a call has, and kept connections serve one call after another', async () => {
  answers = [well];
  expect(await call({ body: { plaintext: 'ä' }, token: 'test-token' })).toEqual(good);
  expect(await call({ method: 'GET', path: 'sys/health?standbyok=true', withNamespace: false })).toEqual(good);
  expect(asked.map(({ url, body }) => [url, body])).toEqual([
    ['/v1/transit/encrypt/kms', '{"plaintext":"ä"}'],
    ['/v1/sys/health?standbyok=true', ''],
  ]);
  expect(asked[0]?.headers).toMatchObject({
    'x-vault-request': 'true',
    'x-vault-namespace': 'team',
    'x-vault-token': 'test-token',
    'content-length': '18',
  });
  expect(Object.keys(asked[1]?.headers ?? {})).not.toEqual(expect.arrayContaining(['x-vault-namespace']));
  expect(asked[1]?.headers['x-vault-token']).toBeUndefined();
  for (let index = 0; index < 20; index += 1) expect(await call()).toEqual(good);
  // The pool takes its second one where a call follows on another's heels.
  expect(connections.length).toBeLessThanOrEqual(2);
});

it('hands out what is no success, and what is no JSON', async () => {
  answers = [
    (response) => {
      response.statusCode = 403;
      response.end('{"errors":["permission denied"]}');
    },
    (response) => {
      response.statusCode = 502;
      response.end('<html>');
    },
  ];
  expect(await call()).toEqual({ ok: true, value: { status: 403, body: { errors: ['permission denied'] } } });
  expect(await call()).toEqual({ ok: true, value: { status: 502, body: undefined } });
});

it('asks once more where a kept connection turns out to be closed, and no more than once', async () => {
  answers = [well, (_, request) => request.socket.destroy(), well];
  expect(await call()).toEqual(good);
  expect(await call()).toEqual(good);
  expect([asked.length, connections.length]).toEqual([3, 2]);
  answers = [(_, request) => request.socket.destroy()];
  expect(await call()).toEqual(unavailable('cannot be reached'));
  expect(asked).toHaveLength(5);
});

it('ends at its deadline, keeps the slow connection, and leaves it to its answer', async () => {
  let late: ServerResponse | undefined;
  answers = [
    (response) => {
      late = response;
    },
    well,
  ];
  expect(await call({}, 60)).toEqual(unavailable('did not answer in time'));
  expect(connections.map(({ destroyed }) => destroyed)).toEqual([false]);
  if (late !== undefined) well(late);
  for (let index = 0; index < 20; index += 1) expect(await call()).toEqual(good);
  expect(connections.map(({ destroyed }) => destroyed)).not.toContain(true);
  expect(connections.length).toBeLessThanOrEqual(2);
});

it('serves others while one answer does not come', async () => {
  answers = [() => undefined, well];
  const waiting = call({}, 400);
  await expect.poll(() => asked.length).toBe(1);
  expect(await Promise.all(Array.from({ length: 100 }, () => call()))).toEqual(Array.from({ length: 100 }, () => good));
  expect(await waiting).toEqual(unavailable('in time'));
  expect(connections.length).toBeLessThanOrEqual(64);
});

it('reads no endless answer, and says where one breaks off', async () => {
  answers = [
    (response) => response.end('x'.repeat(300 * 1024)),
    (response, request) => {
      response.write('{"data"', () => request.socket.destroy());
    },
    well,
  ];
  expect(await call()).toEqual(unavailable('too long'));
  expect(await call()).toEqual(unavailable('broke off'));
  expect(await call()).toEqual(good);
});

it('says that nobody listens', async () => {
  await new Promise<void>((resolve) => server.close(() => resolve()));
  expect(await call()).toEqual(unavailable('ECONNREFUSED'));
  server.listen(0);
});
