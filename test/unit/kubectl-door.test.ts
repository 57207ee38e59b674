/** What the door hands to kubectl, seen by a program in kubectl’s place that writes down what it got. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { createKubectl } from '../../k8s-bridge/kubectl/create-kubectl.ts';
import { isWithinSkew } from '../../k8s-bridge/kubectl/find-kubectl.ts';
import type { Kubectl, KubectlCall } from '../../k8s-bridge/kubectl/kubectl.ts';
import { createTurns } from '../../k8s-bridge/kubectl/turns.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';

let directory = '';
let program = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'key-custodian-kubectl-'));
  program = join(directory, 'kubectl');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const uidAnswer = `{"metadata":{"uid":"${'u'.repeat(8)}"}}`;
const versions = '{"clientVersion":{"gitVersion":"v1.35.2"},"serverVersion":{"gitVersion":"v1.34.4"}}';

/** @param script what it does for anything but the questions about the version and the UID */
function writeProgram(script: string, answers: { readonly version?: string; readonly uid?: string } = {}): void {
  writeFileSync(
    program,
    [
      '#!/bin/sh',
      `case " $* " in *" version --"*) echo '${answers.version ?? versions}'; exit 0;; esac`,
      `case " $* " in *" --raw=/api/v1/namespaces/kube-system "*) ${answers.uid ?? `echo '${uidAnswer}'; exit 0`};; esac`,
      script,
    ].join('\n'),
    { mode: 0o700 },
  );
}

interface Names {
  readonly context: string;
  readonly cluster: string;
  readonly user: string;
  readonly server: string;
}

const usual: Names = { context: 'context', cluster: 'cluster', user: 'user', server: 'https://10.0.0.1:6443' };

function pinOf(names: Names, clusterUid = 'u'.repeat(8)): ClusterPin {
  const path = join(directory, 'config');
  const content = {
    contexts: [{ name: names.context, context: { cluster: names.cluster, user: names.user } }],
    clusters: [{ name: names.cluster, cluster: { server: names.server, 'tls-server-name': 'name.of.server' } }],
    users: [{ name: names.user, user: { token: 'not-in-arguments' } }],
  };
  writeFileSync(path, JSON.stringify(content), { mode: 0o600 });
  return {
    context: names.context,
    kubeconfigPaths: [path],
    clusterName: names.cluster,
    server: names.server,
    caSha256: createHash('sha256').update(' name.of.server').digest('hex'),
    userName: names.user,
    clusterUid,
  };
}

function door(environment: NodeJS.ProcessEnv = {}): Kubectl {
  return createKubectl({
    discoveryDirectory: join(directory, 'cache'),
    environment: { PATH: process.env['PATH'], HOME: '/home/custodian', KEY_CUSTODIAN_KUBECTL: program, ...environment },
  });
}

const call = (argumentList: readonly string[], more: Partial<KubectlCall> = {}): KubectlCall => ({
  argumentList,
  deadlineMilliseconds: 15_000,
  ...more,
});

/** Letters, and what a shell, kubectl or a list of arguments would take for something else. */
const nasty = fc
  .array(
    fc.constantFrom(
      'a',
      '-',
      '--context=b',
      ' ',
      "'",
      '"',
      '$(touch x)',
      '`',
      ';',
      '|',
      '&',
      '\n',
      '=',
      '\\',
      '*',
      '~',
      'é',
      '💥',
      '{{',
      '%',
    ),
    { minLength: 1, maxLength: 6 },
  )
  .map((parts) => parts.join(''));

describe('arguments', () => {
  test('of any form arrive as they were given, each in its place', async () => {
    writeProgram('printf "%s\\0" "$@"');
    const kubectl = door();
    await fc.assert(
      fc.asyncProperty(nasty, nasty, nasty, fc.array(nasty, { maxLength: 3 }), async (context, cluster, user, rest) => {
        const pin = pinOf({ ...usual, context, cluster, user });
        const { output } = valueOf(await kubectl.run({ pin, allowed: [], ...call(['get', ...rest]) }));
        const [cache, ...others] = output.toString('utf8').split('\0').slice(5, -1);
        expect(output.toString('utf8').split('\0').slice(0, 5)).toEqual([
          `--context=${context}`,
          `--cluster=${cluster}`,
          `--user=${user}`,
          `--server=${usual.server}`,
          '--tls-server-name=name.of.server',
        ]);
        expect(cache).toMatch(/^--cache-dir=.*\/cache\/[0-9a-f]{16}$/u);
        expect(others).toEqual(['get', ...rest]);
      }),
      { numRuns: 15 },
    );
  });

  test('that no program can be given are refused, not thrown', async () => {
    writeProgram('exit 0');
    expect(codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['a\0b']) }))).toBe(
      'Cluster_KubectlUnsuitable',
    );
  });

  test('and a minimal environment: no HOME, no PATH, proxies as they are', async () => {
    writeProgram('/usr/bin/env');
    const kubectl = door({ HTTPS_PROXY: 'http://proxy:1', VAULT_TOKEN: 'secret', KUBECONFIG: '/elsewhere' });
    const pin = pinOf(usual);
    const { output } = valueOf(await kubectl.run({ pin, allowed: [], ...call(['get']) }));
    const names = output
      .toString('utf8')
      .trim()
      .split('\n')
      .filter((line) => !/^(PWD|_|OLDPWD|SHLVL)=/u.test(line));
    expect(names.sort()).toEqual(
      [
        'HTTPS_PROXY=http://proxy:1',
        'KUBECTL_KUBERC=false',
        'KUBERC=off',
        'LC_ALL=C',
        `KUBECONFIG=${pin.kubeconfigPaths[0] ?? ''}`,
      ].sort(),
    );
  });
});

describe('a run', () => {
  test('gives stdin, stdout, stderr and the exit code', async () => {
    writeProgram('cat; echo "said" >&2; exit 3');
    const input = Buffer.alloc(300_000, 'x');
    const ran = valueOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['apply'], { input }) }));
    expect(ran).toMatchObject({ exitCode: 3, errors: 'said\n' });
    expect(ran.output.equals(input)).toBe(true);
  });

  test('that does not read its input, says too much, waits too long or is killed ends in words', async () => {
    const attempt = async (script: string, more: Partial<KubectlCall> = {}): Promise<string> => {
      writeProgram(script);
      return codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['get'], more) }));
    };
    expect(await attempt('exit 0', { input: Buffer.alloc(1_000_000) })).toBe('ok');
    expect(await attempt('while :; do echo yyyyyyyyyyyyyyyyyyyyyyyy; done', { outputLimitBytes: 10_000 })).toBe(
      'Cluster_UnexpectedReply',
    );
    expect(await attempt('sleep 600 & sleep 600', { deadlineMilliseconds: 300 })).toBe('Cluster_TimedOut');
    expect(await attempt('kill -9 $$')).toBe('Cluster_KubectlEnded');
    expect(await attempt('sh -c "kill -15 \\$\\$"; exit $?')).toBe('Cluster_KubectlEnded');
  });

  test('past its deadline leaves nothing behind of what it started', async () => {
    const pidPath = join(directory, 'pid');
    writeProgram(`sleep 600 & echo $! > '${pidPath}'; wait`);
    await door().run({ pin: pinOf(usual), allowed: [], ...call(['get'], { deadlineMilliseconds: 700 }) });
    const pid = Number(readFileSync(pidPath, 'utf8'));
    const state = (): string => {
      try {
        return / ([A-Z]) /u.exec(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'))?.[1] ?? '';
      } catch {
        return 'gone';
      }
    };
    await expect.poll(state, { timeout: 10_000 }).toMatch(/^(gone|Z)$/u);
  });

  test('for another cluster, outside the skew, or of a cluster that no longer says who it is, does not begin', async () => {
    const begunPath = join(directory, 'begun');
    const begun = (): boolean => existsSync(begunPath);
    const forbidden = `echo 'Error from server (Forbidden): namespaces "kube-system" is forbidden: User "a" cannot get resource "namespaces"' >&2; exit 1`;
    writeProgram(`touch '${begunPath}'`, { uid: forbidden });
    expect(codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['apply']) }))).toBe(
      'Cluster_RightsMissing',
    );
    writeProgram(`touch '${begunPath}'`, { version: versions.replace('v1.35', 'v1.32') });
    expect(codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['apply']) }))).toBe(
      'Cluster_KubectlUnsuitable',
    );
    writeProgram(`touch '${begunPath}'`);
    expect(codeOf(await door().run({ pin: pinOf(usual, 'other'), allowed: [], ...call(['apply']) }))).toBe(
      'Cluster_OtherCluster',
    );
    expect(begun()).toBe(false);
    expect(codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['apply']) }))).toBe('ok');
    expect(begun()).toBe(true);
  });

  test('says so where its own folder cannot be made', async () => {
    writeProgram('exit 0');
    writeFileSync(join(directory, 'cache'), 'a file where the folder should be');
    expect(codeOf(await door().run({ pin: pinOf(usual), allowed: [], ...call(['get']) }))).toBe(
      'Cluster_HostUnavailable',
    );
  });

  test('reads a cluster’s answer about who it is once for runs that follow at once', async () => {
    const countPath = join(directory, 'count');
    writeProgram('exit 0');
    writeFileSync(
      program,
      readFileSync(program, 'utf8').replace('#!/bin/sh\n', `#!/bin/sh\necho "$*" >> '${countPath}'\n`),
    );
    const kubectl = door();
    const pin = pinOf(usual);
    const read = { pin, allowed: [], ...call(['get', 'nodes']), onlyReads: true };
    await Promise.all([kubectl.run(read), kubectl.run(read)]);
    const lines = readFileSync(countPath, 'utf8');
    expect(lines.match(/kube-system/gu)).toHaveLength(1);
    expect(lines.match(/ version --output/gu)).toHaveLength(1);
    expect(lines.match(/get nodes/gu)).toHaveLength(2);
  });
});

test.each([
  ['v1.34.4', 'v1.34.0', true],
  ['v1.35.2', 'v1.34.4-eks-1234', true],
  ['v1.33.1', 'v1.34.4+k3s1', true],
  ['v1.32.4-dispatcher', 'v1.34.4', false],
  ['v1.36.0', 'v1.34.4', false],
  ['v2.34.0', 'v1.34.0', false],
  ['nonsense', 'v1.34.0', false],
])('kubectl %s and a server %s are within the supported skew: %s', (kubectl, server, within) => {
  expect(isWithinSkew(kubectl, server)).toBe(within);
});

test('no more tasks at once than there are turns, in their order, also where one fails', async () => {
  const inTurn = createTurns(2);
  const started: number[] = [];
  let running = 0;
  let most = 0;
  const outcomes = await Promise.allSettled(
    [0, 1, 2, 3, 4, 5].map((index) =>
      inTurn(async () => {
        started.push(index);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 5));
        running -= 1;
        if (index === 1) throw new Error('expected');
      }),
    ),
  );
  expect(started).toEqual([0, 1, 2, 3, 4, 5]);
  expect(most).toBe(2);
  expect(outcomes.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
});
