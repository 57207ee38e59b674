/** The door to kubectl on a real cluster: who is let through to which server, and what is said where nobody is. */
import { readFileSync } from 'node:fs';
import { chmod, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AccessNeed, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { changeKubeconfig, contextOf, openClusterDoor, pinOf, type ClusterDoor } from '../fixtures/cluster-door.ts';
import { filesHolding, isAlive, readProcess } from '../fixtures/secret-search.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';
import { createClusterAuthority } from '../servers/kubernetes-certificates.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startTcpProxy } from '../servers/tcp-proxy.ts';

let cluster: KubernetesServer;
const doors: ClusterDoor[] = [];

beforeAll(async () => {
  cluster = await startKubernetes();
});
afterAll(async () => {
  await cluster.stop();
});

async function withDoor(
  kubeconfig: string,
  act: (door: ClusterDoor) => Promise<void>,
  environment: Readonly<Record<string, string>> = {},
): Promise<void> {
  const door = await openClusterDoor({
    KUBECONFIG: kubeconfig,
    KEY_CUSTODIAN_KUBECTL: cluster.kubectlPath,
    ...environment,
  });
  doors.push(door);
  try {
    await act(door);
  } finally {
    await door.close();
  }
}

const withoutVerification = (text: string): string =>
  text.replace(/"certificate-authority-data": "[^"]*"/u, '"insecure-skip-tls-verify": true');

const need = (verb: AccessNeed['verb'], resource: string, group = '', namespace = 'default'): AccessNeed => ({
  verb,
  group,
  resource,
  subresource: '',
  namespace,
  name: '',
});

/** Processes whose command line has this word, the pids of their groups’ leaders. */
async function processesWith(word: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (Number.isInteger(pid) && pid !== process.pid && (await readProcess(pid)).includes(word)) found.push(pid);
  }
  return found;
}

/** Alive and no zombie: whose parent was killed may wait for a reaper. */
function isRunning(pid: number): boolean {
  try {
    return !/^[0-9]+ \(.*\) Z /su.test(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await condition()) return;
    await wait(25);
  }
  throw new Error('It did not come to that.');
}

/** A kubectl that gives the wrong version, or waits, and hands everything else on. */
async function kubectlThat(directory: string, script: string): Promise<string> {
  const path = join(directory, 'kubectl');
  await writeFile(path, `#!/bin/sh\n${script}\nexec ${cluster.kubectlPath} "$@"\n`);
  await chmod(path, 0o700);
  return path;
}

describe('a cluster that answers', () => {
  test('is pinned with its UID, and says its version and who we are', async () => {
    await withDoor(await cluster.custodianKubeconfig({ context: 'a b; $(touch x) --flag' }), async ({ port }) => {
      const context = await contextOf(port, 'a b; $(touch x) --flag');
      expect(context).toMatchObject({
        server: cluster.address,
        userName: 'custodian',
        authentication: 'certificate',
        isCurrent: true,
        insecure: false,
        outside: [],
        problem: '',
      });
      const pin = valueOf(await port.pin(context.id));
      const uid = await cluster.arrange(['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}']);
      expect(pin.clusterUid).toBe(uid);
      expect(pin.caSha256).toMatch(/^[0-9a-f]{64}$/u);
      expect(valueOf(await port.probe(pin))).toEqual({
        reachable: true,
        serverVersion: 'v1.34.4',
        clusterUid: uid,
        seenAs: 'custodian',
        withinSkew: true,
        kubectlVersion: valueOf(await port.describeKubectl()).version,
        problem: '',
      });
    });
  });

  test('tells a user with the rights and one without which of them are missing, in one run of kubectl', async () => {
    const needs = [
      need('get', 'secrets'),
      need('create', 'secrets'),
      need('update', 'secrets'),
      need('list', 'namespaces', '', ''),
      need('create', 'clusterrolebindings', 'rbac.authorization.k8s.io', ''),
      { ...need('patch', 'nodes', '', ''), subresource: 'status', name: 'worker-1' },
    ];
    const answersOf = async (kubeconfig: string): Promise<readonly boolean[]> => {
      let allowed: readonly boolean[] = [];
      await withDoor(kubeconfig, async ({ port }) => {
        const pin = await pinOf(port, 'test');
        const answers = valueOf(await port.checkRights(pin, needs));
        expect(answers.map((answer) => answer.need)).toEqual(needs);
        allowed = answers.map((answer) => answer.allowed);
      });
      return allowed;
    };
    const [get, create, update, list] = await answersOf(await cluster.custodianKubeconfig({ context: 'test' }));
    expect([get, create, update, list]).toEqual([true, true, true, true]);
    expect(await answersOf(await cluster.limitedKubeconfig({ context: 'test' }))).toEqual([
      false,
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  test('whose kube-system may not be read is pinned without a UID', async () => {
    await withDoor(await cluster.kubeconfigFor('stranger', [], { context: 'test' }), async ({ port }) => {
      const pin = await pinOf(port, 'test');
      expect(pin.clusterUid).toBe('');
      expect(valueOf(await port.probe(pin))).toMatchObject({ reachable: true, seenAs: 'stranger', problem: '' });
      const refused = await port.readValues(pin, { namespace: 'default', name: 'anything' });
      expect(refused).toMatchObject({
        error: { code: 'Cluster_RightsMissing', message: expect.stringContaining('You may not get secrets') },
      });
    });
  });

  test('lists names a page at a time, without a value of any Secret', async () => {
    const secretMarker = 'marker-of-a-secret-value';
    const items = Array.from({ length: 1203 }, (_unused, index) => ({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: `secret-${index.toString().padStart(4, '0')}`, namespace: 'default' },
      stringData: { value: secretMarker },
    }));
    await cluster.arrange(
      ['create', '-f', '-', '-o', 'name'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
    );
    await withDoor(await cluster.custodianKubeconfig({ context: 'test' }), async ({ port }) => {
      const pin = await pinOf(port, 'test');
      const names: string[] = [];
      let continueFrom = '';
      const remaining: number[] = [];
      do {
        const page = valueOf(await port.listNames(pin, { kind: 'secrets', namespace: 'default', continueFrom }));
        expect(JSON.stringify(page)).not.toContain(secretMarker);
        names.push(...page.names.map(({ name }) => name));
        remaining.push(page.remaining);
        ({ continueFrom } = page);
      } while (continueFrom !== '');
      expect(names).toEqual(items.map(({ metadata }) => metadata.name));
      expect(remaining).toEqual([703, 203, 0]);
      const everywhere = valueOf(await port.listNames(pin, { kind: 'secrets', namespace: '', continueFrom: '' }));
      expect(everywhere.names[0]).toEqual({ namespace: 'default', name: 'secret-0000' });
      const namespaces = valueOf(await port.listNames(pin, { kind: 'namespaces', namespace: '', continueFrom: '' }));
      expect(namespaces.names.map(({ name }) => name)).toContain('kube-system');
      expect(namespaces.continueFrom).toBe('');
    });
  });
});

describe('a cluster that is away, slow or no longer the same', () => {
  test('away: said in words, for the pin and for the state', async () => {
    const proxy = await startTcpProxy(cluster.port);
    const server = `https://127.0.0.1:${proxy.port.toString()}`;
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'proxied', server });
    await withDoor(kubeconfig, async ({ port }) => {
      const pin = await pinOf(port, 'proxied');
      await proxy.close();
      expect(valueOf(await port.probe(pin))).toMatchObject({
        reachable: false,
        problem: expect.stringContaining('cannot be reached'),
      });
      const context = await contextOf(port, 'proxied');
      expect(codeOf(await port.pin(context.id))).toBe('Cluster_Unreachable');
    });
  });

  test('a black hole is bounded: nothing hangs, and no kubectl is left', async () => {
    const proxy = await startTcpProxy(cluster.port);
    const server = `https://127.0.0.1:${proxy.port.toString()}`;
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'proxied', server });
    try {
      await withDoor(kubeconfig, async ({ port }) => {
        const pin = await pinOf(port, 'proxied');
        proxy.swallow();
        const [state, read] = await Promise.all([
          port.probe(pin),
          port.readValues(pin, { namespace: 'default', name: 'x' }),
        ]);
        expect(valueOf(state)).toMatchObject({ reachable: false, problem: expect.stringContaining('did not answer') });
        expect(codeOf(read)).toBe('Cluster_TimedOut');
        expect(await processesWith(`--server=${server}`)).toEqual([]);
      });
    } finally {
      await proxy.close();
    }
  });

  test('a certificate of another authority is refused before anything is sent', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test', cluster: 'strange' });
    const other = Buffer.from((await createClusterAuthority('another')).certificate).toString('base64');
    await changeKubeconfig(kubeconfig, (text) =>
      text.replace(/"certificate-authority-data": "[^"]*"/u, `"certificate-authority-data": "${other}"`),
    );
    await withDoor(kubeconfig, async ({ port }) => {
      const context = await contextOf(port, 'test');
      expect(context.problem).toBe('');
      expect(codeOf(await port.pin(context.id))).toBe('Cluster_CertificateInvalid');
    });
  });

  test('the context leads elsewhere than when it was pinned: nothing is run', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    const before = await readFile(kubeconfig, 'utf8');
    await withDoor(kubeconfig, async ({ port }) => {
      const pin = await pinOf(port, 'test');
      const secret = { namespace: 'default', name: 'pinned' };
      const changes: readonly [string, (text: string) => string][] = [
        ['Cluster_ContextChanged', (text) => text.replace(cluster.address, 'https://127.0.0.1:1')],
        ['Cluster_ContextChanged', (text) => text.replaceAll('test-cluster', 'other-cluster')],
        ['Cluster_ContextChanged', (text) => text.replaceAll('"custodian"', '"somebody"')],
        ['Cluster_ContextChanged', withoutVerification],
        ['Cluster_ContextInvalid', (text) => text.replace('"name": "test"', '"name": "gone"')],
        ['Cluster_ContextInvalid', () => 'clusters: [unfinished'],
      ];
      for (const [code, change] of changes) {
        await writeFile(kubeconfig, change(before));
        expect(codeOf(await port.readValues(pin, secret))).toBe(code);
        // Not a cluster that is away: that would be looked for in the network.
        expect(codeOf(await port.probe(pin))).toBe(code);
      }
      await writeFile(kubeconfig, before);
      expect(valueOf(await port.readValues(pin, secret))).toBeUndefined();
      expect(codeOf(await port.readValues({ ...pin, clusterUid: '00000000-0000' }, secret))).toBe(
        'Cluster_OtherCluster',
      );
    });
  });

  test('a server that is not verified is not asked', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    await changeKubeconfig(kubeconfig, withoutVerification);
    await withDoor(kubeconfig, async ({ port }) => {
      const context = await contextOf(port, 'test');
      expect(context.insecure).toBe(true);
      expect(codeOf(await port.pin(context.id))).toBe('Cluster_InsecureRefused');
    });
  });
});

describe('kubectl itself', () => {
  test('missing, another program, or outside the skew: refused with words', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    await withDoor(
      kubeconfig,
      async ({ port, directory }) => {
        expect(codeOf(await port.describeKubectl())).toBe('Cluster_KubectlMissing');
        expect(await contextOf(port, 'test')).toMatchObject({ problem: '' });
        expect(directory).not.toBe('');
      },
      { KEY_CUSTODIAN_KUBECTL: '/nowhere/kubectl' },
    );
    await withDoor(
      kubeconfig,
      async ({ port }) => {
        expect(codeOf(await port.describeKubectl())).toBe('Cluster_KubectlUnsuitable');
      },
      { KEY_CUSTODIAN_KUBECTL: '/bin/true' },
    );
    const old = await kubectlThat(
      cluster.directory,
      `case "$*" in *--client*) echo '{"clientVersion":{"gitVersion":"v1.32.4-dispatcher"}}'; exit 0;; esac`,
    );
    await withDoor(
      kubeconfig,
      async ({ port }) => {
        const pin = await pinOf(port, 'test');
        expect(valueOf(await port.probe(pin))).toMatchObject({
          reachable: true,
          withinSkew: false,
          problem: expect.stringContaining('more than one minor version'),
        });
        expect(await port.readValues(pin, { namespace: 'default', name: 'x' })).toMatchObject({
          error: { code: 'Cluster_KubectlUnsuitable', message: expect.stringContaining('v1.32.4') },
        });
      },
      { KEY_CUSTODIAN_KUBECTL: old },
    );
  });

  test('killed in mid-run: said, and the next run works', async () => {
    const proxy = await startTcpProxy(cluster.port);
    const server = `https://127.0.0.1:${proxy.port.toString()}`;
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'proxied', server });
    try {
      await withDoor(kubeconfig, async ({ port }) => {
        const pin = await pinOf(port, 'proxied');
        proxy.swallow();
        const asked = port.readValues(pin, { namespace: 'default', name: 'x' });
        await until(async () => {
          const found = await processesWith(`--server=${server}`);
          for (const pid of found) process.kill(pid, 'SIGKILL');
          return found.length > 0;
        });
        expect(codeOf(await asked)).toBe('Cluster_KubectlEnded');
        proxy.pass();
        proxy.cut();
        expect(valueOf(await port.readValues(pin, { namespace: 'default', name: 'x' }))).toBeUndefined();
      });
    } finally {
      await proxy.close();
    }
  });

  test.each(['closed', 'SIGKILL'])('does not outlive its host (%s), nor does what it started', async (end) => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    const hang = join(cluster.directory, `hang-${end}`);
    const waiting = await kubectlThat(
      cluster.directory,
      `if [ -e '${hang}' ]; then sleep 600 & echo "$$ $! " >> '${hang}'; exec sleep 600; fi`,
    );
    await withDoor(
      kubeconfig,
      async ({ port, hostPid }) => {
        const pin: ClusterPin = await pinOf(port, 'test');
        await writeFile(hang, '');
        const asked = port.readValues(pin, { namespace: 'default', name: 'x' });
        const pids = async (): Promise<number[]> =>
          (await readFile(hang, 'utf8'))
            .split(/\s+/u)
            .filter((pid) => pid !== '')
            .map(Number);
        // The question and the one about the UID beside it; the host has just begun the second.
        await until(async () => (await pids()).length >= 4);
        await wait(500);
        const host = hostPid();
        if (end === 'closed') await port.close();
        else if (host !== undefined) process.kill(host, 'SIGKILL');
        expect(codeOf(await asked)).toBe(end === 'closed' ? 'App_Locked' : 'Cluster_HostUnavailable');
        await until(async () => !(await pids()).some(isRunning));
        expect(host !== undefined && isAlive(host)).toBe(false);
      },
      { KEY_CUSTODIAN_KUBECTL: waiting },
    );
  });

  test('keeps nothing but which kinds a server has, readable by nobody else, and no credential is in its arguments', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    const [, key = ''] = /"client-key-data": "([^"]*)"/u.exec(await readFile(kubeconfig, 'utf8')) ?? [];
    const seenPath = join(cluster.directory, 'seen');
    const watched = await kubectlThat(
      cluster.directory,
      `cat /proc/$$/cmdline /proc/$$/environ >> '${seenPath}'; echo >> '${seenPath}'`,
    );
    await withDoor(
      kubeconfig,
      async ({ port, discoveryDirectory, directory }) => {
        const pin = await pinOf(port, 'test');
        valueOf(await port.checkRights(pin, [need('get', 'secrets')]));
        valueOf(await port.probe(pin));
        const seen = await readFile(seenPath, 'latin1');
        expect(seen).toContain('--server=');
        const marker = Buffer.from(key, 'base64').toString('utf8').split('\n')[1] ?? 'none';
        for (const secret of [marker, key.slice(0, 60), 'HOME=', 'KEY_CUSTODIAN']) expect(seen).not.toContain(secret);
        expect((await stat(discoveryDirectory)).mode & 0o777).toBe(0o700);
        const { read, holding } = await filesHolding(directory, [marker]);
        expect(read).toBeGreaterThan(0);
        expect(holding).toEqual([]);
      },
      { KEY_CUSTODIAN_KUBECTL: watched },
    );
  });
});

describe('a kubeconfig that runs a program', () => {
  test('does not run it until it is allowed, and not when its bytes or its arguments are others', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    const embedded = JSON.parse(await readFile(kubeconfig, 'utf8')) as {
      users: { user: Record<string, unknown> }[];
    };
    const credential = embedded.users[0]?.user ?? {};
    await withDoor(kubeconfig, async ({ port, directory, allowances }) => {
      const program = join(directory, 'give credentials');
      const marker = join(directory, 'was-run');
      const status = {
        clientCertificateData: Buffer.from(String(credential['client-certificate-data']), 'base64').toString(),
        clientKeyData: Buffer.from(String(credential['client-key-data']), 'base64').toString(),
      };
      const answer = JSON.stringify({
        apiVersion: 'client.authentication.k8s.io/v1',
        kind: 'ExecCredential',
        status,
      });
      await writeFile(join(directory, 'answer.json'), answer);
      const script = `#!/bin/sh\nprintf '%s\\n' "$@" >> '${marker}'\ncat '${join(directory, 'answer.json')}'\n`;
      await writeFile(program, script, { mode: 0o700 });
      const exec = (args: readonly string[]): object => ({
        command: program,
        args,
        apiVersion: 'client.authentication.k8s.io/v1',
        interactiveMode: 'Never',
      });
      const write = (args: readonly string[]): Promise<void> =>
        writeFile(
          kubeconfig,
          JSON.stringify({ ...embedded, users: [{ name: 'custodian', user: { exec: exec(args) } }] }),
        );
      const wasRun = (): Promise<string> => readFile(marker, 'utf8').catch(() => '');
      await write(['get', 'a $(token)']);

      const context = await contextOf(port, 'test');
      expect(context).toMatchObject({ authentication: 'exec', problem: '' });
      expect(context.outside).toMatchObject([{ kind: 'exec-program', path: program, detail: 'get "a $(token)"' }]);
      expect(port.isAllowed(context)).toBe(false);
      expect(codeOf(await port.pin(context.id))).toBe('Cluster_NotAllowed');
      expect(await wasRun()).toBe('');

      valueOf(await port.allow(context.outside));
      expect(allowances).toHaveLength(1);
      expect(port.isAllowed(context)).toBe(true);
      const pin = valueOf(await port.pin(context.id));
      expect(await wasRun()).toContain('a $(token)');
      expect(valueOf(await port.probe(pin))).toMatchObject({ seenAs: 'custodian' });

      await writeFile(marker, '');
      await write(['other']);
      expect(codeOf(await port.readValues(pin, { namespace: 'default', name: 'x' }))).toBe('Cluster_NotAllowed');
      await write(['get', 'a $(token)']);
      await writeFile(program, `${script}# other bytes\n`, { mode: 0o700 });
      expect(codeOf(await port.readValues(pin, { namespace: 'default', name: 'x' }))).toBe('Cluster_NotAllowed');
      expect(await wasRun()).toBe('');
    });
  });

  test('and files elsewhere are read only once they are allowed as they are', async () => {
    const kubeconfig = await cluster.custodianKubeconfig({ context: 'test' });
    await withDoor(kubeconfig, async ({ port, directory }) => {
      const authority = join(directory, 'authority.pem');
      await writeFile(authority, cluster.certificateAuthority);
      await changeKubeconfig(kubeconfig, (text) =>
        text.replace(/"certificate-authority-data": "[^"]*"/u, `"certificate-authority": "${authority}"`),
      );
      const context = await contextOf(port, 'test');
      expect(context.outside).toMatchObject([{ kind: 'file', path: authority, detail: 'certificate-authority' }]);
      expect(codeOf(await port.pin(context.id))).toBe('Cluster_NotAllowed');
      valueOf(await port.allow(context.outside));
      const pin = valueOf(await port.pin(context.id));
      await writeFile(authority, `${cluster.certificateAuthority}\n`);
      expect(codeOf(await port.checkRights(pin, [need('get', 'secrets')]))).toBe('Cluster_ContextChanged');
    });
  });
});
