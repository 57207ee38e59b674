/** The list of clusters, drift, and what of them a window sees. */
import { describe, expect, it } from 'vitest';
import { clustersViewSchema, pushViewSchema } from '../../electron/contract/cluster-views.ts';
import type { RunSnapshot } from '../../electron/core/core.ts';
import { createClusterObserver, type ClusterObserver } from '../../electron/ipc/cluster-observer.ts';
import { outsidePartId, toClustersView } from '../../electron/ipc/views/cluster-view.ts';
import { toPushView } from '../../electron/ipc/views/push-view.ts';
import type {
  ClusterContext,
  ClusterPin,
  ClusterState,
  Drift,
  PushRecord,
} from '../../electron/workflows/cluster-ports.ts';
import type { ClusterPushPlan } from '../../electron/workflows/cluster-plans.ts';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';

const pin: ClusterPin = {
  context: 'production',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  clusterName: 'production',
  server: 'https://api.example:6443',
  caSha256: 'ab'.repeat(32),
  userName: 'ada',
  clusterUid: 'uid-1',
};

const program = {
  kind: 'exec-program',
  path: '/usr/local/bin/login',
  sha256: '5c'.repeat(32),
  detail: 'get token',
} as const;

function context(part: Partial<ClusterContext> = {}): ClusterContext {
  return {
    id: 'a1b2c3d4e5f60718',
    context: 'production',
    kubeconfigPaths: [...pin.kubeconfigPaths],
    definedIn: '/home/ada/.kube/config',
    isCurrent: true,
    clusterName: 'production',
    server: pin.server,
    caSha256: pin.caSha256,
    userName: 'ada',
    authentication: 'certificate',
    namespace: '',
    insecure: false,
    outside: [],
    problem: '',
    ...part,
  };
}

const reachable: ClusterState = {
  reachable: true,
  serverVersion: 'v1.34.4',
  clusterUid: 'uid-1',
  seenAs: 'ada',
  withinSkew: true,
  kubectlVersion: 'v1.35.2',
  problem: '',
};

const reference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'vault', name: 'settings' };
const record: PushRecord = {
  pushId: 'run-1',
  cluster: pin,
  content: { objects: [], secretSlots: [], patches: [], rollouts: [] },
  before: [{ reference, manifest: null, keptIn: '' }],
  patchesBefore: [],
};

const plan: ClusterPushPlan = {
  workflow: 'cluster-push',
  rehearsal: false,
  cluster: pin,
  recipe: {
    recipe: 'node-setup',
    nodes: [{ name: 'worker-1', devices: 1 }],
    label: true,
    taint: 'none',
    minikube: false,
  },
  content: record.content,
  previewSha256: '0'.repeat(64),
  takeOverConflicts: false,
};

function run(
  runId: string,
  status: 'open' | 'completed' | 'abandoned',
  of: RunSnapshot['state']['plan'] = plan,
): RunSnapshot {
  return {
    state: {
      runId,
      workflow: of.workflow,
      plan: of,
      status,
      startedBy: 'ada',
      startedAt: '2026-11-20T09:00:00.000Z',
      endedAt: status === 'open' ? '' : '2026-11-20T09:10:00.000Z',
      steps: [],
      facts: {},
      deviations: [],
      interruptedStep: '',
    },
    definitions: [],
    busy: false,
    journalHead: '',
    problem: undefined,
  };
}

const undo = (pushRunId: string): RunSnapshot['state']['plan'] => ({
  workflow: 'cluster-undo',
  rehearsal: false,
  cluster: pin,
  pushRunId,
  losses: [],
});

interface Desk {
  readonly observer: ClusterObserver;
  readonly asked: string[];
  readonly files: Map<string, Uint8Array>;
}

interface Answers {
  readonly contexts?: readonly ClusterContext[];
  readonly runs?: readonly RunSnapshot[];
  readonly pin?: () => Promise<Result<ClusterPin, 'Cluster_NotAllowed'>>;
  readonly probe?: () => Promise<Result<ClusterState, 'Cluster_Unreachable'>>;
  readonly drift?: () => Promise<Result<readonly Drift[], 'Cluster_Unreachable'>>;
  readonly records?: readonly string[];
}

function desk(answers: Answers = {}): Desk {
  const asked: string[] = [];
  const files = new Map<string, Uint8Array>(
    (answers.records ?? []).map((runId) => [
      `${runId}/push-record.json`,
      new TextEncoder().encode(JSON.stringify(record)),
    ]),
  );
  const observer = createClusterObserver(
    {
      clusters: {
        describeKubectl: async () => {
          asked.push('kubectl');
          return success({ path: '/usr/bin/kubectl', version: 'v1.35.2', sealingPublicKey: 'key' });
        },
        listContexts: async () => {
          asked.push('contexts');
          return success(answers.contexts ?? [context()]);
        },
        pin: async (id) => {
          asked.push(`pin ${id}`);
          return answers.pin === undefined ? success(pin) : answers.pin();
        },
        probe: async () => {
          asked.push('probe');
          return answers.probe === undefined ? success(reachable) : answers.probe();
        },
        checkDrift: async () => {
          asked.push('drift');
          return answers.drift === undefined ? success([]) : answers.drift();
        },
      },
      outbox: {
        read: async (runId, name) => success(files.get(`${runId}/${name}`)),
        write: async (runId, name, content) => {
          files.set(`${runId}/${name}`, content);
          return success({ path: `/${name}` });
        },
      },
    },
    { runs: answers.runs ?? [] },
    () => undefined,
    () => new Date('2026-11-22T10:00:00.000Z'),
  );
  return { observer, asked, files };
}

const viewOf = (observer: ClusterObserver, isAllowed = true) =>
  clustersViewSchema.parse(toClustersView({ observer, allowances: [], isAllowed: () => isAllowed }));

describe('the list of clusters', () => {
  it('is read anew where a program that was allowed has changed, so that it can be looked at as it is now', async () => {
    const listed = [context({ outside: [program] })];
    const changed = { ...program, sha256: '6d'.repeat(32) };
    const { observer } = desk({
      contexts: listed,
      pin: async () => {
        listed.splice(0, 1, context({ outside: [changed] }));
        return failure('Cluster_NotAllowed', 'It has changed.', 'Look at it.');
      },
    });
    await observer.refresh();
    await observer.probe(context().id);
    expect(viewOf(observer, false).contexts).toMatchObject([
      { allowed: false, outside: [{ path: program.path, sha256: changed.sha256 }] },
    ]);
  });

  it('is read from files alone: no cluster is pinned or asked before somebody looks', async () => {
    const { observer, asked } = desk();
    expect(viewOf(observer)).toMatchObject({ state: 'looking', contexts: [] });
    await observer.refresh();
    expect(asked.toSorted()).toEqual(['contexts', 'kubectl']);
    expect(viewOf(observer)).toMatchObject({
      state: 'ready',
      kubectl: { state: 'found', version: 'v1.35.2' },
      contexts: [{ context: 'production', state: 'unknown', server: pin.server }],
    });
  });

  it('shows how a cluster answered, and forgets it with the lock', async () => {
    const { observer } = desk();
    await observer.refresh();
    await observer.probe('a1b2c3d4e5f60718');
    expect(viewOf(observer).contexts[0]).toMatchObject({
      state: 'reachable',
      serverVersion: 'v1.34.4',
      seenAs: 'ada',
      lastSeen: '2026-11-22T10:00:00.000Z',
      problem: null,
    });
    observer.forget();
    expect(viewOf(observer)).toMatchObject({ state: 'looking', contexts: [] });
    expect(observer.isOwnPin(pin)).toBe(false);
  });

  it('says why a cluster cannot be used, also where kubectl does not fit it', async () => {
    const away = desk({ probe: async () => failure('Cluster_Unreachable', 'No answer.', 'Look again.') });
    await away.observer.refresh();
    await away.observer.probe('a1b2c3d4e5f60718');
    expect(viewOf(away.observer).contexts[0]).toMatchObject({
      state: 'unreachable',
      problem: { code: 'Cluster_Unreachable' },
    });
    const skewed = desk({
      probe: async () => success({ ...reachable, withinSkew: false, problem: 'kubectl is three versions behind.' }),
    });
    await skewed.observer.refresh();
    await skewed.observer.probe('a1b2c3d4e5f60718');
    expect(viewOf(skewed.observer).contexts[0]).toMatchObject({
      state: 'reachable',
      withinSkew: false,
      problem: { code: 'Cluster_KubectlUnsuitable' },
    });
  });

  it('takes in no answer that was asked for before a lock', async () => {
    let answer: (state: Result<ClusterState, 'Cluster_Unreachable'>) => void = () => undefined;
    const { observer } = desk({ probe: () => new Promise((settle) => (answer = settle)) });
    await observer.refresh();
    const looking = observer.probe('a1b2c3d4e5f60718');
    await new Promise((settle) => setImmediate(settle));
    observer.forget();
    answer(success(reachable));
    await looking;
    expect(observer.observed('a1b2c3d4e5f60718')).toBe(undefined);
  });

  it('names what a context reaches for by an id that changes with its content', async () => {
    const { observer } = desk({ contexts: [context({ outside: [program] })] });
    await observer.refresh();
    const [part] = viewOf(observer, false).contexts[0]?.outside ?? [];
    expect(part).toMatchObject({ path: program.path, sha256: program.sha256, allowed: false });
    expect(part?.id).toBe(outsidePartId('a1b2c3d4e5f60718', program));
    expect(part?.id).not.toBe(outsidePartId('a1b2c3d4e5f60718', { ...program, sha256: '5d'.repeat(32) }));
    expect(part?.id).not.toBe(outsidePartId('other', program));
  });

  it('pins only what it lists, and knows its own pins by every field', async () => {
    const { observer } = desk();
    await observer.refresh();
    expect(await observer.pin('unknown')).toMatchObject({ error: { code: 'App_NotFound' } });
    expect(observer.isOwnPin(pin)).toBe(false);
    await observer.pin('a1b2c3d4e5f60718');
    expect(observer.isOwnPin({ ...pin })).toBe(true);
    for (const other of [
      { ...pin, server: 'https://elsewhere.example' },
      { ...pin, kubeconfigPaths: ['/tmp/kubeconfig'] },
      { ...pin, userName: 'eve' },
    ])
      expect(observer.isOwnPin(other)).toBe(false);
  });
});

describe('what was pushed', () => {
  const states = (observer: ClusterObserver) =>
    Object.fromEntries(observer.pushes.map((push) => [push.runId, push.state]));

  it('is known from its runs: under way, pushed, stopped half way, undone', async () => {
    const { observer } = desk({
      runs: [
        run('a', 'open'),
        run('b', 'completed'),
        run('c', 'abandoned'),
        run('d', 'completed'),
        run('e', 'completed', undo('d')),
        run('never-began', 'abandoned'),
      ],
      records: ['b', 'c', 'd'],
    });
    await observer.refresh();
    expect(states(observer)).toEqual({ a: 'under-way', b: 'pushed', c: 'stopped', d: 'undone' });
  });

  it('is compared where it is in a cluster, one after the other, and shown as it was found', async () => {
    const { observer, asked } = desk({
      runs: [run('b', 'completed'), run('d', 'completed'), run('e', 'completed', undo('d'))],
      records: ['b', 'd'],
      drift: async () =>
        success([
          {
            reference,
            state: 'changed',
            changedBy: ['kubectl-edit'],
            diff: Array.from({ length: 500 }, () => ({ kind: 'added', text: 'x' }) as const),
          },
        ]),
    });
    await observer.checkDrift('');
    expect(asked).toEqual(['drift']);
    const views = observer.pushes.map((push) => pushViewSchema.parse(toPushView(push)));
    const pushed = views.find((push) => push.runId === 'b');
    expect(pushed?.drift).toMatchObject({ state: 'drifted', checkedAt: '2026-11-22T10:00:00.000Z' });
    expect(pushed?.drift.objects[0]?.diff.length).toBe(200);
    expect(pushed?.drift.objects[0]?.linesLeftOut).toBe(300);
    expect(views.find((push) => push.runId === 'd')?.drift.state).toBe('not-checked');
  });

  it('cannot be compared where the cluster is away or the record is damaged, and says so', async () => {
    const { observer, files } = desk({
      runs: [run('b', 'completed'), run('d', 'completed')],
      records: ['b', 'd'],
      drift: async () => failure('Cluster_Unreachable', 'No answer.', 'Look again.'),
    });
    files.set('d/push-record.json', new TextEncoder().encode('{"pushId":'));
    await observer.checkDrift('');
    const [one, other] = observer.pushes.map((push) => toPushView(push).drift);
    expect([one?.state, other?.state]).toEqual(['unknown', 'unknown']);
    expect([one?.problem?.code, other?.problem?.code].toSorted()).toEqual([
      'Cluster_Unreachable',
      'Custody_ReadFailed',
    ]);
  });

  it('is not followed any more once it was forgotten, also after a new start', async () => {
    const runs = [run('b', 'completed')];
    const first = desk({ runs, records: ['b'] });
    await first.observer.refresh();
    expect(await first.observer.forgetPush('b')).toEqual(success({}));
    expect(first.observer.pushes).toEqual([]);
    expect(await first.observer.checkDrift('b')).toMatchObject({ error: { code: 'App_NotFound' } });
    const later = desk({ runs, records: ['b'] });
    for (const [name, content] of first.files) later.files.set(name, content);
    await later.observer.refresh();
    expect(later.observer.pushes).toEqual([]);
  });
});
