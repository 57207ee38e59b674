import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { createHostClient, type HostClient, type HostClientOptions } from '../../electron/hosts/host-client.ts';
import { createNodeLauncher } from '../../electron/hosts/node-launcher.ts';

const launch = createNodeLauncher({
  entryPath: () => fileURLToPath(new URL('../fixtures/answering-child.ts', import.meta.url)),
});
const clients: HostClient[] = [];
const amply = 20_000;

function open(more: Partial<HostClientOptions> = {}): HostClient {
  const client = createHostClient({
    launch,
    entry: 'token-host',
    argumentList: [],
    environment: {},
    readyDeadline: amply,
    ...more,
  });
  clients.push(client);
  return client;
}

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

test('nothing runs before the first request, and one process serves all', async () => {
  const client = open();
  expect(client.running).toBe(false);
  const answers = await Promise.all([1, 2, 3].map(() => client.request('pid', {}, amply)));
  expect(new Set(answers.map((answer) => (answer.kind === 'value' ? answer.value : answer.kind)))).toEqual(
    new Set([client.pid]),
  );
});

test('a failure is passed on as it is', async () => {
  expect(await open().request('refuse', {}, amply)).toEqual({ kind: 'failure', error: { code: 'Some_Code' } });
});

test('a host that ends settles what is open, and the next request starts another', async () => {
  const exits: (number | null)[] = [];
  const client = open({ onExit: (code) => exits.push(code) });
  await client.request('pid', {}, amply);
  const first = client.pid;
  const [silent, exit] = await Promise.all([client.request('silent', {}, amply), client.request('exit', {}, amply)]);
  expect(silent).toEqual({ kind: 'crashed', exitCode: 3 });
  expect(exit).toEqual({ kind: 'crashed', exitCode: 3 });
  expect((await client.request('pid', {}, amply)).kind).toBe('value');
  expect(client.pid).not.toBe(first);
  expect(exits).toEqual([3]);
});

test('a silent host is killed at the deadline', async () => {
  const client = open();
  await client.request('pid', {}, amply);
  expect(await client.request('silent', {}, 100)).toEqual({ kind: 'hung', deadlineMilliseconds: 100 });
  expect(client.running).toBe(false);
});

test('a host that answers in turn is not blamed for the queue before a request', async () => {
  const client = open({ answersInTurn: true });
  await client.request('pid', {}, amply);
  // Each takes 0.3 s; the last is answered well after its own second has passed.
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.request('slow', {}, 1000)));
  expect(answers.map(({ kind }) => kind)).toEqual(Array.from({ length: 5 }, () => 'value'));
});

test('a host that is never ready is unavailable', async () => {
  const client = open({ argumentList: ['never-ready'], readyDeadline: 100 });
  expect(await client.request('pid', {}, amply)).toEqual({ kind: 'unavailable', exitCode: null });
});

test('an answer that is no envelope ends the host', async () => {
  expect((await open().request('nonsense', {}, amply)).kind).toBe('crashed');
});

test('closing settles what is open and leaves no process', async () => {
  const client = open();
  await client.request('pid', {}, amply);
  const pid = client.pid;
  const open1 = client.request('silent', {}, amply);
  await client.close();
  expect(await open1).toEqual({ kind: 'closed' });
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH');
});

test('a host sees nothing of the environment but what it needs', async () => {
  process.env['KEY_CUSTODIAN_TEST_SECRET'] = 'not for hosts';
  const answer = await open({ environment: { SOFTHSM2_CONF: '/nowhere' } }).request('environment', {}, amply);
  delete process.env['KEY_CUSTODIAN_TEST_SECRET'];
  const names = answer.kind === 'value' ? Object.keys(answer.value ?? {}) : [];
  expect(names).toContain('SOFTHSM2_CONF');
  // Node's own channel variables are taken out by Node itself.
  expect(names.filter((name) => !['PATH', 'HOME', 'LANG', 'TMPDIR', 'SOFTHSM2_CONF'].includes(name))).toEqual([]);
  expect(() => launch('token-host', [], { VAULT_TOKEN: 'x' })).toThrow('may not be given');
});
