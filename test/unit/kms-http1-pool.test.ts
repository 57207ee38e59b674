/** The KMS provider's kept connections: how many, which one serves, and what becomes of them. The server plays the wire. */
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHttpPool, type HttpPool, type PoolOptions } from '../../k8s-bridge/kms-provider/http1/pool.ts';

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}';
const request = Buffer.from('GET / HTTP/1.1\r\nhost: vault\r\n\r\n');

let server: Server;
let pool: HttpPool;
let connections: Socket[];
let onRequest: (socket: Socket) => void;

function open(more: Partial<PoolOptions> = {}): void {
  const { port } = server.address() as AddressInfo;
  const usual = { mostConnections: 4, keepAlive: 60_000, lateAnswer: 10_000, longestReply: 4096 };
  pool = createHttpPool({ host: '127.0.0.1', port, secureContext: undefined }, { ...usual, ...more });
}

beforeEach(async () => {
  connections = [];
  onRequest = (socket) => socket.write(answer);
  server = createServer((socket) => {
    connections.push(socket);
    socket.on('data', () => onRequest(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  pool.close();
  for (const connection of connections) connection.destroy();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

const ask = (patience = 2000): ReturnType<HttpPool['exchange']> => pool.exchange(request, performance.now() + patience);
const times = <Value>(count: number, make: () => Value): Value[] => Array.from({ length: count }, make);
const good = { ok: true, reply: { status: 200, text: '{}', keepsConnection: true } };
const bad = (reason: string, more: object = {}) => ({ ok: false, reason, isBrokenOff: false, isStale: false, ...more });
const alive = (): number => connections.filter(({ destroyed }) => !destroyed).length;

it('one after another shares one connection, and more at once have no more than the bound', async () => {
  open();
  for (let index = 0; index < 5; index += 1) expect(await ask()).toEqual(good);
  expect(connections).toHaveLength(1);
  expect(await Promise.all(times(50, () => ask()))).toEqual(times(50, () => good));
  expect(connections).toHaveLength(4);
});

it('who waits for a connection until the deadline takes nobody’s place', async () => {
  open({ mostConnections: 1 });
  const held: Socket[] = [];
  onRequest = (socket) => held.push(socket);
  const [first, second, third] = [ask(), ask(50), ask()];
  expect(await second).toEqual(bad('it did not answer in time'));
  onRequest = (socket) => socket.write(answer);
  held[0]?.write(answer);
  expect(await Promise.all([first, third])).toEqual([good, good]);
  expect(connections).toHaveLength(1);
});

it('a connection that ends leaves its place to whoever waits', async () => {
  open({ mostConnections: 1 });
  onRequest = (socket) => {
    onRequest = (next) => next.write(answer);
    socket.destroy();
  };
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([
    bad('the connection was closed', { reason: expect.any(String) }),
    good,
    good,
  ]);
  expect(connections).toHaveLength(2);
});

it('what closed after it had served is told, and a fresh one is had beside others that may have closed too', async () => {
  open();
  await Promise.all(times(4, () => ask()));
  onRequest = (socket) => socket.destroy();
  expect(await ask()).toMatchObject({ ok: false, isStale: true });
  onRequest = (socket) => {
    if (connections.indexOf(socket) < 4) socket.destroy();
    else socket.write(answer);
  };
  expect(await pool.exchange(request, performance.now() + 2000, true)).toEqual(good);
  expect(connections).toHaveLength(5);
  await Promise.all(times(4, () => ask()));
  // All places are taken: the one that waited longest makes room.
  expect(await pool.exchange(request, performance.now() + 2000, true)).toEqual(good);
  expect(alive()).toBeLessThanOrEqual(4);
});

it('a new one that closes is not said to have been kept', async () => {
  open();
  onRequest = (socket) => socket.destroy();
  expect(await ask()).toMatchObject({ ok: false, isStale: false, isBrokenOff: false });
  onRequest = (socket) => socket.end('HTTP/1.1 200 OK\r\n');
  expect(await ask()).toEqual(bad('the connection was closed', { isBrokenOff: true }));
});

it('what nobody uses is given back', async () => {
  open({ keepAlive: 50 });
  await Promise.all(times(4, () => ask()));
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await ask()).toEqual(good);
  await expect.poll(alive).toBe(1);
});

it('what the server closes while nobody uses it is gone before it is asked', async () => {
  open();
  expect(await ask()).toEqual(good);
  connections[0]?.end();
  await expect.poll(alive).toBe(0);
  expect(await ask()).toEqual(good);
});

it('what speaks without being asked, or beyond its answer, is not asked again', async () => {
  open();
  expect(await ask()).toEqual(good);
  connections[0]?.write(answer);
  await expect.poll(alive).toBe(0);
  onRequest = (socket) => socket.write(answer + answer);
  expect(await ask()).toMatchObject({ ok: true });
  await expect.poll(alive).toBe(0);
  onRequest = (socket) => socket.write(answer);
  expect(await ask()).toEqual(good);
  expect(connections).toHaveLength(3);
});

it('a late answer leaves the connection to the next, and one that never comes ends it', async () => {
  open({ lateAnswer: 150 });
  onRequest = () => undefined;
  expect(await ask(30)).toEqual(bad('it did not answer in time'));
  connections[0]?.write(answer);
  onRequest = (socket) => socket.write(answer);
  await expect.poll(async () => await ask()).toEqual(good);
  const before = connections.length;
  expect(before).toBeLessThanOrEqual(2);
  onRequest = () => undefined;
  expect(await ask(30)).toEqual(bad('it did not answer in time'));
  await expect.poll(alive).toBe(before - 1);
});

it('answers in pieces, interleaved over connections, each to its own', async () => {
  open();
  let count = 0;
  onRequest = (socket) => {
    count += 1;
    const body = `{"n":${count}}`;
    const whole = Buffer.from(`HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    const sendFrom = (index: number): void => {
      if (index === whole.length) return;
      socket.write(whole.subarray(index, index + 1));
      // Timers of several lengths keep no order under load.
      setImmediate(() => sendFrom(index + 1));
    };
    sendFrom(0);
  };
  const exchanges = await Promise.all(times(12, () => ask()));
  const texts = exchanges.map((exchange) => (exchange.ok ? exchange.reply.text : exchange.reason));
  expect(texts.toSorted()).toEqual(
    times(12, () => '')
      .map((_, index) => `{"n":${index + 1}}`)
      .toSorted(),
  );
});

it('ends what runs and what waits when it is closed, and takes no more', async () => {
  open({ mostConnections: 1 });
  onRequest = () => undefined;
  const both = [ask(), ask()];
  await expect.poll(() => connections.length).toBe(1);
  pool.close();
  expect(await Promise.all([...both, ask()])).toEqual(times(3, () => bad('the provider is ending')));
});

it('once its server is another, what runs is answered by the one before, and what comes or waits by the new one', async () => {
  const held: Socket[] = [];
  const other = createServer((socket) => {
    connections.push(socket);
    socket.on('data', () => socket.write(answer.replace('{}', '[]')));
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  try {
    open({ mostConnections: 2 });
    expect(await Promise.all([ask(), ask()])).toEqual([good, good]);
    onRequest = (socket) => held.push(socket);
    const [running, waiting] = [times(2, () => ask()), ask()];
    await expect.poll(() => held.length).toBe(2);
    const { port } = other.address() as AddressInfo;
    pool.replaceServer({ host: '127.0.0.1', port, secureContext: undefined });
    for (const socket of held) socket.write(answer);
    expect(await Promise.all(running)).toEqual([good, good]);
    const fromOther = { ok: true, reply: { ...good.reply, text: '[]' } };
    expect(await Promise.all([waiting, ask()])).toEqual([fromOther, fromOther]);
    await expect.poll(() => held.every(({ destroyed }) => destroyed)).toBe(true);
  } finally {
    pool.close();
    await new Promise<void>((resolve) => other.close(() => resolve()));
  }
});

it('connections that nobody uses are closed when its server is another', async () => {
  open();
  await Promise.all(times(3, () => ask()));
  const { port } = server.address() as AddressInfo;
  pool.replaceServer({ host: '127.0.0.1', port, secureContext: undefined });
  await expect.poll(alive).toBe(0);
  expect(await ask()).toEqual(good);
  expect(alive()).toBe(1);
});
