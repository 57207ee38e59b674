/** What the cluster port makes of its host: answers, failures, silence, and an end at lock. */
import { describe, expect, test } from 'vitest';
import { clusterHostArguments } from '../../k8s-bridge/protocol.ts';
import { createClusterPort } from '../../electron/clusters/cluster-port.ts';
import type { HostLauncher } from '../../electron/hosts/host-process.ts';
import type { Allowance, ClusterPort } from '../../electron/workflows/cluster-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { codeOf, valueOf } from '../fixtures/token-port.ts';

const pin = {
  context: 'context',
  kubeconfigPaths: ['/config'],
  clusterName: 'cluster',
  server: 'https://10.0.0.1:6443',
  caSha256: '',
  userName: '',
  clusterUid: '',
};

interface Asked {
  readonly id: number;
  readonly method: string;
  readonly body: Readonly<Record<string, unknown>>;
}

interface Started {
  readonly argumentList: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  killed: boolean;
}

/** A host that answers as it is told, in this process. */
function playHost(
  answer: (asked: Asked) => object | undefined,
  environment: NodeJS.ProcessEnv = {},
): {
  readonly port: ClusterPort;
  readonly asked: Asked[];
  readonly started: Started[];
  readonly allowances: Allowance[];
} {
  const asked: Asked[] = [];
  const started: Started[] = [];
  const allowances: Allowance[] = [];
  const launch: HostLauncher = (_entry, argumentList, given) => {
    const own: Started = { argumentList, environment: given, killed: false };
    started.push(own);
    let tell: (message: unknown) => void = () => undefined;
    let ended: (code: number | null) => void = () => undefined;
    queueMicrotask(() => tell({ signal: 'ready' }));
    return {
      pid: 1,
      postMessage: (message) => {
        for (const one of [message].flat() as Asked[]) {
          asked.push(one);
          const reply = answer(one);
          if (reply !== undefined) queueMicrotask(() => tell({ id: one.id, ...reply }));
        }
      },
      onMessage: (listener) => {
        tell = listener;
      },
      onExit: (listener) => {
        ended = listener;
      },
      kill: () => {
        own.killed = true;
        ended(null);
      },
    };
  };
  const port = createClusterPort({
    launch,
    discoveryDirectory: '/cache/kubectl',
    allowances: {
      current: () => allowances,
      add: (added) => {
        allowances.push(...added);
        return Promise.resolve(success({}));
      },
    },
    environment,
  });
  return { port, asked, started, allowances };
}

describe('the cluster port', () => {
  test('starts no process for what is pure, and one with little in its environment for the rest', async () => {
    const { port, asked, started } = playHost(() => ({ ok: true, value: { contexts: [] } }), {
      KUBECONFIG: '/one:/two',
      KEY_CUSTODIAN_KUBECTL: '/opt/kubectl',
      NO_PROXY: '',
      VAULT_TOKEN: 'secret',
    });
    expect(port.render({ recipe: 'none' })).toMatchObject({ ok: false });
    expect(port.render(port.defaults('node-setup')).ok).toBe(true);
    expect(started).toEqual([]);
    expect(valueOf(await port.listContexts())).toEqual([]);
    expect(asked).toMatchObject([{ method: 'contexts.list', body: { kubeconfigPaths: ['/one', '/two'] } }]);
    expect(started).toMatchObject([
      {
        argumentList: [clusterHostArguments.discoveryDirectory, '/cache/kubectl'],
        environment: { KEY_CUSTODIAN_KUBECTL: '/opt/kubectl' },
      },
    ]);
    expect(Object.keys(started[0]?.environment ?? {})).toEqual(['KEY_CUSTODIAN_KUBECTL']);
  });

  test('says with each question what is allowed by now', async () => {
    const { port, asked } = playHost(() => ({ ok: true, value: { answers: [] } }));
    await port.checkRights(pin, []);
    valueOf(await port.allow([{ kind: 'exec-program', path: '/bin/x', sha256: 'a'.repeat(64), detail: 'get-token' }]));
    await port.checkRights(pin, []);
    expect(asked.map(({ body }) => body['allowed'])).toEqual([
      [],
      [{ kind: 'exec-program', path: '/bin/x', sha256: 'a'.repeat(64), detail: 'get-token' }],
    ]);
  });

  test('passes on the host’s words, and takes nothing else for them', async () => {
    const refused = failure('Cluster_RightsMissing', 'You may not.', 'Ask.', { context: 'x' });
    const told = playHost(() => ({ ok: false, error: refused.error }));
    expect(await told.port.probe(pin)).toEqual(refused);
    for (const error of ['text', { code: 'Vault_Sealed', message: 'm', next: 'n' }, { ...refused.error, more: 1 }]) {
      expect(codeOf(await playHost(() => ({ ok: false, error })).port.probe(pin))).toBe('Cluster_HostUnavailable');
    }
    const strange = playHost(() => ({ ok: true, value: { reachable: 'perhaps' } }));
    expect(codeOf(await strange.port.probe(pin))).toBe('Cluster_HostUnavailable');
  });

  test('carries values as bytes, and tells an absent Secret from an empty one', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    const secret = { namespace: 'default', name: 'vault-unseal-keys' };
    const there = playHost(() => ({
      ok: true,
      value: { found: true, resourceVersion: '7', values: { 'vault-root': bytes.toString('base64') } },
    }));
    const read = valueOf(await there.port.readValues(pin, secret));
    expect(read?.resourceVersion).toBe('7');
    expect(Buffer.from(read?.values['vault-root'] ?? [])).toEqual(bytes);
    const absent = playHost(() => ({ ok: true, value: { found: false, resourceVersion: '', values: {} } }));
    expect(valueOf(await absent.port.readValues(pin, secret))).toBeUndefined();
    const written = playHost(() => ({ ok: true, value: { created: true, written: ['vault-root'] } }));
    await written.port.writeValues(pin, secret, { 'vault-root': bytes }, { a: 'b' });
    expect(written.asked[0]?.body).toMatchObject({
      values: { 'vault-root': bytes.toString('base64') },
      labels: { a: 'b' },
    });
  });

  test('ends its host at lock, and what was asked is answered', async () => {
    const { port, started } = playHost(() => undefined);
    const asked = port.probe(pin);
    await Promise.resolve();
    await port.close();
    expect(codeOf(await asked)).toBe('App_Locked');
    expect(started).toMatchObject([{ killed: true }]);
  });
});
