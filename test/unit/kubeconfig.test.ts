/** Kubeconfigs as kubectl merges them, what lies outside of them, and whatever else people keep under that name. */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { kubeconfigPathsIn } from '../../electron/clusters/kubeconfig-paths.ts';
import { partsNotAllowed, toAllowance } from '../../electron/workflows/cluster-allowances.ts';
import { clusterContextSchema, type ClusterContext } from '../../electron/workflows/cluster-ports.ts';
import { createContextReader } from '../../k8s-bridge/kubectl/contexts.ts';
import { createKubeconfigFiles } from '../../k8s-bridge/kubectl/kubeconfig-files.ts';
import { mergeKubeconfigs, parseKubeconfig, type KubeconfigFile } from '../../k8s-bridge/kubectl/kubeconfig.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-custodian-kubeconfig-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const pem = Buffer.from('-----BEGIN CERTIFICATE-----\nMAo=\n-----END CERTIFICATE-----\n').toString('base64');
const keyPem = Buffer.from('-----BEGIN PRIVATE KEY-----\nMAo=\n-----END PRIVATE KEY-----\n').toString('base64');

interface Parts {
  readonly context?: object;
  readonly cluster?: object;
  readonly user?: object;
}

/** A whole kubeconfig with one context `name`, cluster `cluster` and user `user`. */
function kubeconfig(parts: Parts = {}): object {
  return {
    'current-context': 'name',
    contexts: [{ name: 'name', context: { cluster: 'cluster', user: 'user', ...parts.context } }],
    clusters: [
      {
        name: 'cluster',
        cluster: parts.cluster ?? { server: 'https://10.0.0.1:6443', 'certificate-authority-data': pem },
      },
    ],
    users: [{ name: 'user', user: parts.user ?? { 'client-certificate-data': pem, 'client-key-data': keyPem } }],
  };
}

function write(name: string, content: object | string): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : stringify(content), { mode: 0o600 });
  return path;
}

async function read(paths: readonly string[], path = ''): Promise<readonly ClusterContext[]> {
  const { contexts } = await createContextReader(createKubeconfigFiles(), path).readAll(paths);
  for (const { view } of contexts) expect(clusterContextSchema.safeParse(view).error).toBeUndefined();
  return contexts.map(({ view }) => view);
}

async function readOne(parts: Parts): Promise<ClusterContext> {
  const [context] = await read([write('config', kubeconfig(parts))]);
  if (context === undefined) throw new Error('There is no context.');
  return context;
}

describe('several files', () => {
  test('are merged as kubectl does: the first file that has a name has the whole entry', async () => {
    const first = write('first', {
      contexts: [{ name: 'shared', context: { cluster: 'one', user: 'user' } }],
      users: [{ name: 'user', user: { token: 'a' } }],
    });
    const second = write('second', {
      'current-context': 'own',
      contexts: [
        { name: 'shared', context: { cluster: 'two', user: 'other', namespace: 'lost' } },
        { name: 'own', context: { cluster: 'one', user: 'user' } },
      ],
      clusters: [{ name: 'one', cluster: { server: 'https://one:1' } }],
      users: [{ name: 'user', user: { username: 'lost', password: 'x' } }],
    });
    const missing = join(directory, 'missing');
    const third = write('third', { 'current-context': 'shared' });
    const contexts = await read([missing, first, second, third]);
    expect(contexts.map(({ context }) => context)).toEqual(['shared', 'own']);
    const [shared, own] = contexts;
    expect(shared).toMatchObject({ clusterName: 'one', userName: 'user', namespace: '', definedIn: first });
    expect(shared).toMatchObject({ server: 'https://one:1', authentication: 'token', isCurrent: false, problem: '' });
    expect(own).toMatchObject({ isCurrent: true, definedIn: second });
    expect(shared?.kubeconfigPaths).toEqual([missing, first, second, third]);
    expect(new Set(contexts.map(({ id }) => id)).size).toBe(2);
    expect((await read([first, second]))[0]?.id).not.toBe(shared?.id);
  });

  test('whatever their order, an entry comes whole from the first that has it', () => {
    const file = fc.record({
      path: fc.string(),
      currentContext: fc.constantFrom('', 'a', 'b'),
      contexts: fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), fc.record({ cluster: fc.string() })),
    });
    fc.assert(
      fc.property(fc.array(file, { maxLength: 5 }), (given) => {
        const files: KubeconfigFile[] = given.map(({ path, currentContext, contexts }) => ({
          path,
          currentContext,
          contexts: new Map(Object.entries(contexts)),
          clusters: new Map(),
          users: new Map(),
        }));
        const merged = mergeKubeconfigs(files);
        for (const name of ['a', 'b', 'c', '__proto__']) {
          const first = files.find(({ contexts }) => contexts.has(name));
          expect(merged.contexts.get(name)?.entry).toBe(first?.contexts.get(name));
        }
        expect(merged.currentContext).toBe(
          files.map(({ currentContext }) => currentContext).find((name) => name !== '') ?? '',
        );
      }),
    );
  });

  test('KUBECONFIG names them in order, each once; without it there is ~/.kube/config', () => {
    expect(kubeconfigPathsIn({ KUBECONFIG: '/a::/b:/a', HOME: '/home/x' })).toEqual(['/a', '/b']);
    expect(kubeconfigPathsIn({ KUBECONFIG: ':', HOME: '/home/x' })).toEqual(['/home/x/.kube/config']);
    expect(kubeconfigPathsIn({ KUBECONFIG: 'relative', HOME: '/home/x' })).toEqual([join(process.cwd(), 'relative')]);
  });
});

describe('what lies outside', () => {
  const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

  test('files are found relative to the file that names them, with what they hold now', async () => {
    mkdirSync(join(directory, 'sub'));
    const authority = Buffer.from(pem, 'base64').toString();
    writeFileSync(join(directory, 'sub', 'ca.pem'), authority);
    writeFileSync(join(directory, 'sub', 'token'), 'secret token');
    const path = write('sub/config', {
      ...kubeconfig({
        cluster: { server: 'https://x:1', 'certificate-authority': 'ca.pem' },
        user: { tokenFile: './token' },
      }),
    });
    const [context] = await read([path]);
    expect(context?.outside).toEqual([
      {
        kind: 'file',
        path: join(directory, 'sub', 'ca.pem'),
        sha256: sha256(authority),
        detail: 'certificate-authority',
      },
      { kind: 'file', path: join(directory, 'sub', 'token'), sha256: sha256('secret token'), detail: 'tokenFile' },
    ]);
    expect(context).toMatchObject({ caSha256: sha256(authority), authentication: 'token', problem: '' });
  });

  test('a program is found as kubectl finds it: by PATH, or relative to the kubeconfig', async () => {
    const program = write('gives-tokens', '#!/bin/sh\n');
    chmodSync(program, 0o700);
    const exec = (command: string): Parts => ({
      user: {
        exec: { command, args: ['--for', 'a b'], env: [{ name: 'PROFILE', value: 'secret' }], apiVersion: 'x/v1' },
      },
    });
    for (const command of ['gives-tokens', './gives-tokens', program]) {
      const [context] = await read([write('config', kubeconfig(exec(command)))], `relative::${directory}`);
      expect(context, command).toMatchObject({ authentication: 'exec', problem: '' });
      expect(context?.outside).toMatchObject([{ kind: 'exec-program', path: program, sha256: sha256('#!/bin/sh\n') }]);
      expect(context?.outside[0]?.detail).toMatch(/^--for "a b" with "PROFILE" \(values [0-9a-f]{16}\)$/u);
      expect(JSON.stringify(context)).not.toContain('secret');
    }
    const [unfound] = await read([write('config', kubeconfig(exec('gives-tokens')))], 'relative');
    expect(unfound).toMatchObject({ problem: expect.stringContaining('was not found'), outside: [{ sha256: '' }] });
  });

  test('allowing a program allows it with these arguments and variables, and what is not there never', async () => {
    const program = write('program', 'bytes');
    const partsOf = async (args: readonly string[], value: string): Promise<ClusterContext['outside']> =>
      (await readOne({ user: { exec: { command: program, args, env: [{ name: 'A', value }] } } })).outside;
    const parts = await partsOf(['one'], 'x');
    const allowances = parts.map(toAllowance);
    expect(partsNotAllowed(parts, allowances)).toEqual([]);
    expect(partsNotAllowed(await partsOf(['one', 'two'], 'x'), allowances)).toHaveLength(1);
    expect(partsNotAllowed(await partsOf(['one'], 'y'), allowances)).toHaveLength(1);
    expect(
      partsNotAllowed(
        parts.map((part) => ({ ...part, sha256: '0'.repeat(64) })),
        allowances,
      ),
    ).toHaveLength(1);
    const gone = parts.map((part) => ({ ...part, sha256: '' }));
    expect(partsNotAllowed(gone, gone.map(toAllowance))).toHaveLength(1);
    const long = await partsOf([`${'x'.repeat(5000)}1`], 'x');
    const otherLong = await partsOf([`${'x'.repeat(5000)}2`], 'x');
    expect(partsNotAllowed(otherLong, long.map(toAllowance))).toHaveLength(1);
  });

  test('an auth-provider counts with its settings and without its tokens', async () => {
    const partsOf = async (config: object): Promise<ClusterContext> =>
      readOne({ user: { 'auth-provider': { name: 'oidc', config } } });
    const one = await partsOf({ 'idp-issuer-url': 'https://idp', 'id-token': 'secret-1' });
    expect(one).toMatchObject({ authentication: 'auth-provider', outside: [{ kind: 'auth-provider', path: 'oidc' }] });
    expect(await partsOf({ 'id-token': 'secret-2', 'idp-issuer-url': 'https://idp' })).toMatchObject({
      outside: one.outside,
    });
    const other = await partsOf({ 'idp-issuer-url': 'https://elsewhere', 'id-token': 'secret-1' });
    expect(other.outside[0]?.sha256).not.toBe(one.outside[0]?.sha256);
  });
});

describe('what cannot be used is said in words', () => {
  test.each<[string, Parts, string]>([
    ['no such cluster', { context: { cluster: 'gone' } }, 'There is no cluster “gone”'],
    ['no such user', { context: { user: 'gone' } }, 'There is no user “gone”'],
    ['no server', { cluster: {} }, 'Its cluster has no server.'],
    ['no address', { cluster: { server: 'not an address' } }, 'Its server is no address.'],
    ['another protocol', { cluster: { server: 'ftp://x' } }, 'begins with https'],
    ['a password in the address', { cluster: { server: 'https://a:b@x' } }, 'has a password in it'],
    ['no base64', { cluster: { server: 'https://x', 'certificate-authority-data': '%%%' } }, 'is no base64'],
    ['no certificate', { cluster: { server: 'https://x', 'certificate-authority-data': 'AAAA' } }, 'PEM form'],
    ['no CA file', { cluster: { server: 'https://x', 'certificate-authority': 'gone' } }, 'file cannot be read'],
    ['user data no base64', { user: { 'client-certificate-data': 'x', 'client-key-data': keyPem } }, 'is no base64'],
    ['a key alone', { user: { 'client-key-data': keyPem } }, 'key without its certificate'],
    ['a wanted terminal', { user: { exec: { command: '/bin/true', interactiveMode: 'Always' } } }, 'wants a terminal'],
    ['a NUL', { context: { cluster: 'a\0b' } }, 'NUL character'],
    ['a very long name', { context: { cluster: 'x'.repeat(600) } }, 'too long'],
  ])('%s', async (_what, parts, words) => {
    expect((await readOne(parts)).problem).toContain(words);
  });

  test('a server that is not verified', async () => {
    expect(await readOne({ cluster: { server: 'https://x', 'insecure-skip-tls-verify': true } })).toMatchObject({
      insecure: true,
    });
    expect(await readOne({ cluster: { server: 'http://x' } })).toMatchObject({ insecure: true });
  });

  test('a file that is no kubeconfig spoils the list, as it does for kubectl', async () => {
    const good = write('good', kubeconfig());
    const folder = join(directory, 'folder');
    mkdirSync(folder);
    const circle = join(directory, 'circle');
    symlinkSync(circle, circle);
    const huge = write('huge', '');
    truncateSync(huge, 1024 * 1024 * 1024);
    const bad: readonly [string, string][] = [
      [write('yaml', 'clusters:\n  - name: "unfinished'), 'not valid YAML (line 2)'],
      [write('list', '- 1'), 'not a kubeconfig'],
      [write('number', stringify({ clusters: [{ name: 1 }] })), 'clusters.0.name'],
      [write('twice', stringify({ contexts: [{ name: 'a' }, { name: 'a' }] })), 'have the same name'],
      [write('laughs', laughs()), 'refers to itself'],
      [folder, 'It is no ordinary file'],
      [circle, 'links go in a circle'],
      [huge, 'far too large'],
    ];
    for (const [path, words] of bad) {
      const [context] = await read([path, good]);
      expect(context?.problem, path).toContain(words);
      const alone = await createContextReader(createKubeconfigFiles(), '').readAll([path]);
      expect(alone.contexts).toEqual([]);
      expect(alone.problems.join(' ')).toContain(words);
    }
  });

  test('bytes of any kind are read to an end, and no problem repeats them', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ maxLength: 200 }), fc.json()), (text) => {
        const parsed = parseKubeconfig('/config', `token: secretvalue\n${text}`);
        if (!parsed.ok) expect(parsed.problem).not.toContain('secretvalue');
      }),
    );
  });
});

test('a file is read again when it changes, and only then', async () => {
  const path = write('config', kubeconfig());
  const files = createKubeconfigFiles();
  const first = await files.load([path]);
  expect((await files.load([path])).merged.clusters.get('cluster')?.entry).toBe(
    first.merged.clusters.get('cluster')?.entry,
  );
  write('config', kubeconfig({ cluster: { server: 'https://10.0.0.2:6443' } }));
  expect((await files.load([path])).merged.clusters.get('cluster')?.entry.server).toBe('https://10.0.0.2:6443');
});

/** Aliases that unfold into a billion. */
function laughs(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 10; level += 1) {
    const before = `*a${(level - 1).toString()}`;
    lines.push(`a${level.toString()}: &a${level.toString()} [${Array.from({ length: 10 }, () => before).join(', ')}]`);
  }
  return `${lines.join('\n')}\n`;
}
