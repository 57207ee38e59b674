/** What has become of a push since, and whether it runs, on a real API server. Controllers are played by patching status. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type {
  Drift,
  Manifest,
  ObjectReference,
  PushContent,
  PushRecord,
  RolloutState,
} from '../../electron/workflows/cluster-ports.ts';
import {
  configMap,
  contentOf,
  deployment,
  linesOf,
  openPushEngine,
  secretOf,
  type PushEngine,
} from '../fixtures/push-engine.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

let cluster: KubernetesServer;
let engine: PushEngine;
let namespace = '';
let namespaces = 0;

beforeAll(async () => {
  cluster = await startKubernetes();
  engine = await openPushEngine(cluster.adminKubeconfig, cluster.kubectlPath);
});
afterAll(async () => {
  await engine.close();
  await cluster.stop();
});
beforeEach(async () => {
  namespaces += 1;
  namespace = `drift-${namespaces}`;
  await cluster.arrange(['create', 'namespace', namespace]);
});

async function push(content: PushContent): Promise<PushRecord> {
  const record = valueOf(await engine.ask('push.prepare', { content, pushId: `push-${namespace}` }));
  const secrets = await Promise.all(
    content.secretSlots.map(({ reference, key }) => engine.seal(reference, key, 'typed-value')),
  );
  const applied = valueOf(await engine.ask('push.apply', { record, takeOverConflicts: false, secrets }));
  expect(applied.outcomes.map(({ outcome, problem }) => [outcome, problem])).toEqual(
    content.objects.map(() => ['created', '']),
  );
  return record;
}

async function driftOf(record: PushRecord): Promise<readonly Drift[]> {
  return valueOf(await engine.ask('push.drift', { record })).drift;
}

async function rolloutOf(reference: ObjectReference): Promise<RolloutState> {
  const [state] = valueOf(await engine.ask('push.rollouts', { references: [reference] })).rollouts;
  if (state === undefined) throw new Error('Nothing was said of it.');
  return state;
}

async function create(object: Manifest): Promise<void> {
  await cluster.arrange(['create', '-f', '-'], JSON.stringify(object));
}

/** As the object's controller would. */
async function setStatus(kind: string, name: string, status: unknown): Promise<void> {
  const patch = JSON.stringify({ status });
  await cluster.arrange(['patch', kind, name, '-n', namespace, '--subresource=status', '--type=merge', '-p', patch]);
}

describe('drift', () => {
  test('nothing has changed: nothing is told, whatever was typed', async () => {
    const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'pin' };
    const record = await push(
      contentOf(
        [
          secretOf(namespace, 'pin'),
          configMap(namespace, 'config', { a: '1' }),
          deployment(namespace, 'vault', 'vault:1'),
        ],
        {
          secretSlots: [{ reference, key: 'pin', what: 'User PIN' }],
        },
      ),
    );
    await setStatus('deployment', 'vault', { observedGeneration: 1, replicas: 1 });
    expect((await driftOf(record)).map(({ state }) => state)).toEqual(['same', 'same', 'same']);
  });

  test('what was changed, by whom, and what is gone', async () => {
    const record = await push(
      contentOf([
        secretOf(namespace, 'pin', { pin: 'pushed' }),
        configMap(namespace, 'changed', { a: '1', b: '1' }),
        configMap(namespace, 'gone', { a: '1' }),
        deployment(namespace, 'vault', 'vault:1', 3),
      ]),
    );
    await cluster.arrange([
      'patch',
      'configmap',
      'changed',
      '-n',
      namespace,
      '--field-manager=somebody',
      '--type=merge',
      '-p',
      '{"data":{"a":"2","theirs":"1"}}',
    ]);
    await cluster.arrange(['delete', 'configmap', 'gone', '-n', namespace]);
    await cluster.arrange(['scale', 'deployment', 'vault', '-n', namespace, '--replicas=1']);
    const pin = Buffer.from('drifted').toString('base64');
    await cluster.arrange([
      'patch',
      'secret',
      'pin',
      '-n',
      namespace,
      '--field-manager=somebody',
      '--type=merge',
      '-p',
      `{"data":{"pin":"${pin}"}}`,
    ]);
    const drift = await driftOf(record);
    expect(drift.map(({ reference, state, changedBy }) => [reference.name, state, changedBy])).toEqual([
      ['pin', 'changed', ['somebody']],
      ['changed', 'changed', ['somebody']],
      ['gone', 'missing', []],
      ['vault', 'changed', [expect.stringContaining('kubectl')]],
    ]);
    const [secret, changed] = drift;
    const lines = (one: Drift | undefined): readonly string[] =>
      one === undefined ? [] : linesOf(one).filter((line) => /^[+-]/u.test(line));
    // What others added beside is no drift.
    expect(lines(changed)).toEqual(['-  a: "1"', '+  a: "2"']);
    expect(lines(secret)).toEqual([
      expect.stringMatching(/^-.*hidden: 6 bytes/u),
      expect.stringMatching(/^\+.*hidden: 7 bytes/u),
    ]);
    expect(JSON.stringify(drift)).not.toMatch(new RegExp(`drifted|pushed|${pin}`, 'u'));
    // It was only looked at.
    expect(await cluster.arrange(['get', 'configmap', 'changed', '-n', namespace, '-o', 'jsonpath={.data.a}'])).toBe(
      '2',
    );
  });

  test('what may not be read is unknown', async () => {
    const record = await push(contentOf([secretOf(namespace, 'pin', { pin: '1' })]));
    const limited = await openPushEngine(await cluster.limitedKubeconfig(), cluster.kubectlPath);
    try {
      const seen = valueOf(await limited.ask('push.drift', { record: { ...record, cluster: limited.pin } }));
      expect(seen.drift).toMatchObject([{ state: 'unknown' }]);
    } finally {
      await limited.close();
    }
  });
});

describe('a rollout', () => {
  test('of a Deployment: not looked at yet, coming up, ready', async () => {
    const reference = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'vault' };
    expect(await rolloutOf(reference)).toMatchObject({ state: 'missing' });
    await create(deployment(namespace, 'vault', 'vault:1', 2));
    expect(await rolloutOf(reference)).toMatchObject({
      state: 'progressing',
      text: 'The cluster has not looked at it yet',
    });
    await setStatus('deployment', 'vault', {
      observedGeneration: 1,
      replicas: 2,
      updatedReplicas: 2,
      readyReplicas: 1,
      availableReplicas: 1,
    });
    expect(await rolloutOf(reference)).toMatchObject({ state: 'progressing', text: '1 of 2 ready' });
    await setStatus('deployment', 'vault', { availableReplicas: 2, readyReplicas: 2 });
    expect(await rolloutOf(reference)).toMatchObject({ state: 'ready', text: '2 of 2 ready', lines: [] });
    // Changed again: what the status says is of the earlier generation.
    await cluster.arrange(['scale', 'deployment', 'vault', '-n', namespace, '--replicas=3']);
    expect(await rolloutOf(reference)).toMatchObject({ state: 'progressing' });
  });

  test('that fails: the container’s state and the newest events, newest last', async () => {
    const { spec } = deployment(namespace, 'vault', 'vault:1') as { spec: { template: { spec: Manifest } } };
    await create({
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'vault', namespace },
      spec: {
        selector: { matchLabels: { app: 'vault' } },
        template: { metadata: { labels: { app: 'vault' } }, spec: spec.template.spec },
      },
    });
    await create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'vault-1', namespace, labels: { app: 'vault' } },
      spec: spec.template.spec,
    });
    await setStatus('daemonset', 'vault', {
      observedGeneration: 1,
      desiredNumberScheduled: 1,
      currentNumberScheduled: 1,
      numberMisscheduled: 0,
      numberReady: 0,
    });
    await setStatus('pod', 'vault-1', {
      phase: 'Pending',
      containerStatuses: [
        {
          name: 'main',
          image: 'vault:1',
          imageID: '',
          ready: false,
          restartCount: 0,
          state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
        },
      ],
    });
    for (const [index, message] of ['first', 'second'].entries()) {
      await create({
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name: `event-${index}`, namespace },
        involvedObject: { apiVersion: 'v1', kind: 'Pod', name: 'vault-1', namespace },
        reason: 'Failed',
        message,
        type: 'Warning',
        lastTimestamp: `2026-01-01T00:00:0${index}Z`,
      });
    }
    const state = await rolloutOf({ apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name: 'vault' });
    expect(state).toMatchObject({ state: 'failed' });
    expect(state.lines).toEqual([
      '2026-01-01T00:00:00Z Pod vault-1: Failed: first',
      '2026-01-01T00:00:01Z Pod vault-1: Failed: second',
      'vault-1, container main: ImagePullBackOff: no such image',
    ]);
  });
});
