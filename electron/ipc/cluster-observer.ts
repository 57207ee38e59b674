/**
 * The contexts of every kubeconfig in use, how each cluster answered when it was last asked, and what drifted from
 * what was pushed. Listing reads files alone; a cluster is contacted when a person asks, and for drift of what this
 * app pushed there. Nothing is ever repaired.
 */
import type { Core, RunSnapshot } from '../core/core.ts';
import type { ClusterContext, ClusterPin, ClusterPort, ClusterState, Drift } from '../workflows/cluster-ports.ts';
import type { ClusterPushPlan } from '../workflows/cluster-plans.ts';
import { failure, success, type Failure, type Result } from '../workflows/failures.ts';
import { isForgotten, markForgotten, readPushRecord } from '../core/push-records.ts';

/** How one cluster answered. */
export interface ObservedCluster {
  readonly isLooking: boolean;
  readonly lastSeen: string;
  /** undefined until the first answer. */
  readonly result: Result<ClusterState> | undefined;
}

export interface ObservedDrift {
  readonly isChecking: boolean;
  readonly checkedAt: string;
  readonly result: Result<readonly Drift[]> | undefined;
}

/** A push that reached a cluster, or is on its way. */
export interface ObservedPush {
  readonly runId: string;
  readonly plan: ClusterPushPlan;
  readonly time: string;
  readonly state: 'under-way' | 'pushed' | 'stopped' | 'undone';
  readonly drift: ObservedDrift | undefined;
}

export interface ClusterObserver {
  readonly contexts: Result<readonly ClusterContext[]> | undefined;
  readonly kubectl: Result<{ readonly path: string; readonly version: string }> | undefined;
  observed(contextId: string): ObservedCluster | undefined;
  readonly pushes: readonly ObservedPush[];
  /** Lists contexts; contacts no cluster. */
  refresh(): Promise<void>;
  /** Reaches one cluster. Cluster_* */
  probe(contextId: string): Promise<Result<Record<string, never>>>;
  /** The pin of a context as it is now, remembered as one that this app made. */
  pin(contextId: string): Promise<Result<ClusterPin>>;
  /** Whether a pin that came back from a window is one that was made here. */
  isOwnPin(pin: ClusterPin): boolean;
  /** @param runId '' for every push that is followed */
  checkDrift(runId: string): Promise<Result<Record<string, never>>>;
  /** Stops following a push. */
  forgetPush(runId: string): Promise<Result<Record<string, never>>>;
  /** On lock: nothing is known any more. */
  forget(): void;
}

type Parts = Pick<Core, 'outbox'> & {
  readonly clusters: Pick<ClusterPort, 'describeKubectl' | 'listContexts' | 'pin' | 'probe' | 'checkDrift'>;
};

const pinText = (pin: ClusterPin): string =>
  JSON.stringify([
    pin.context,
    pin.kubeconfigPaths,
    pin.clusterName,
    pin.server,
    pin.caSha256,
    pin.userName,
    pin.clusterUid,
  ]);

const noSuchPush = (): { readonly ok: false; readonly error: Failure<'App_NotFound'> } =>
  failure(
    'App_NotFound',
    'This push is not known to this app any more.',
    'Choose it again from the list of the cluster.',
  );

const conditions: Readonly<Record<RunSnapshot['state']['status'], ObservedPush['state']>> = {
  open: 'under-way',
  completed: 'pushed',
  abandoned: 'stopped',
};

/** The pushes among runs, newest first: those that were begun, without what nothing of is in a cluster. */
function pushesOf(runs: readonly RunSnapshot[]): readonly Omit<ObservedPush, 'drift'>[] {
  const undone = new Set(
    runs.flatMap(({ state }) =>
      state.plan.workflow === 'cluster-undo' && state.status === 'completed' ? [state.plan.pushRunId] : [],
    ),
  );
  return runs
    .flatMap(({ state }): readonly Omit<ObservedPush, 'drift'>[] => {
      const { plan } = state;
      if (plan.workflow !== 'cluster-push') return [];
      const condition: ObservedPush['state'] = undone.has(state.runId) ? 'undone' : conditions[state.status];
      return [
        {
          runId: state.runId,
          plan,
          time: state.endedAt === '' ? state.startedAt : state.endedAt,
          state: condition,
        },
      ];
    })
    .sort((one, other) => other.time.localeCompare(one.time) || other.runId.localeCompare(one.runId));
}

export function createClusterObserver(
  core: Parts,
  runs: { readonly runs: readonly RunSnapshot[] },
  onChange: () => void,
  now: () => Date = () => new Date(),
): ClusterObserver {
  let contexts: ClusterObserver['contexts'];
  let kubectl: ClusterObserver['kubectl'];
  const clusters = new Map<string, ObservedCluster>();
  const drifts = new Map<string, ObservedDrift>();
  const pins = new Set<string>();
  /** By run that has ended: whether its push is followed; shown until that was looked for. */
  const followed = new Map<string, boolean>();
  /** Counts locks: an answer that was asked for before the last one is not taken in. */
  let era = 0;

  const listed = (): readonly Omit<ObservedPush, 'drift'>[] =>
    pushesOf(runs.runs).filter(({ runId }) => followed.get(runId) !== false);

  const findContext = (contextId: string): Result<ClusterContext> => {
    const found = contexts?.ok === true ? contexts.value.find(({ id }) => id === contextId) : undefined;
    return found === undefined
      ? failure(
          'App_NotFound',
          'This context is in no kubeconfig any more.',
          'Go back to the list of clusters and choose it again.',
        )
      : success(found);
  };

  const refresh = async (): Promise<void> => {
    const asked = era;
    const [described, found] = await Promise.all([core.clusters.describeKubectl(), core.clusters.listContexts()]);
    await lookForMarks();
    if (asked !== era) return;
    kubectl = described;
    contexts = found;
    const ids = new Set(found.ok ? found.value.map(({ id }) => id) : []);
    for (const id of clusters.keys()) if (!ids.has(id)) clusters.delete(id);
    onChange();
  };

  const pin: ClusterObserver['pin'] = async (contextId) => {
    const context = findContext(contextId);
    if (!context.ok) return context;
    const pinned = await core.clusters.pin(contextId);
    if (pinned.ok) pins.add(pinText(pinned.value));
    // A program that was allowed has changed: as it is now, it is shown and can be allowed.
    else if (pinned.error.code === 'Cluster_NotAllowed') await refresh();
    return pinned;
  };

  const ask = async (contextId: string): Promise<Result<ClusterState>> => {
    const pinned = await pin(contextId);
    return pinned.ok ? core.clusters.probe(pinned.value) : pinned;
  };

  const lookForMarks = async (): Promise<void> => {
    await Promise.all(
      pushesOf(runs.runs)
        .filter(({ runId, state }) => state !== 'under-way' && !followed.has(runId))
        .map(async ({ runId, state }) => {
          // Abandoned before anything was kept, it never reached the cluster.
          const reached = state !== 'stopped' || (await readPushRecord(core, runId)).ok;
          followed.set(runId, reached && !(await isForgotten(core, runId)));
        }),
    );
  };

  const checkOne = async (runId: string): Promise<Result<Record<string, never>>> => {
    const asked = era;
    const before = drifts.get(runId);
    if (before?.isChecking === true) return success({});
    drifts.set(runId, { isChecking: true, checkedAt: before?.checkedAt ?? '', result: before?.result });
    onChange();
    const record = await readPushRecord(core, runId);
    const result: Result<readonly Drift[]> = record.ok ? await core.clusters.checkDrift(record.value) : record;
    if (asked !== era) return success({});
    drifts.set(runId, { isChecking: false, checkedAt: now().toISOString(), result });
    onChange();
    return result.ok ? success({}) : result;
  };

  return {
    get contexts() {
      return contexts;
    },
    get kubectl() {
      return kubectl;
    },
    observed: (contextId) => clusters.get(contextId),
    get pushes() {
      return listed().map((push) => ({ ...push, drift: drifts.get(push.runId) }));
    },
    refresh,
    async probe(contextId) {
      const context = findContext(contextId);
      if (!context.ok) return context;
      const asked = era;
      const before = clusters.get(contextId);
      clusters.set(contextId, { isLooking: true, lastSeen: before?.lastSeen ?? '', result: before?.result });
      onChange();
      const result = await ask(contextId);
      if (asked !== era) return success({});
      clusters.set(contextId, { isLooking: false, lastSeen: now().toISOString(), result });
      onChange();
      return success({});
    },
    pin,
    isOwnPin: (one) => pins.has(pinText(one)),
    async checkDrift(runId) {
      await lookForMarks();
      const known = listed().filter((push) => push.state === 'pushed' || push.state === 'stopped');
      if (runId !== '')
        return known.some((push) => push.runId === runId) ? checkOne(runId) : Promise.resolve(noSuchPush());
      // One after the other: each may wait for a cluster that is away.
      for (const push of known) await checkOne(push.runId);
      return success({});
    },
    async forgetPush(runId) {
      if (!listed().some((push) => push.runId === runId)) return noSuchPush();
      const marked = await markForgotten(core, runId);
      if (!marked.ok) return marked;
      followed.set(runId, false);
      drifts.delete(runId);
      onChange();
      return success({});
    },
    forget() {
      era += 1;
      contexts = undefined;
      kubectl = undefined;
      clusters.clear();
      drifts.clear();
      pins.clear();
    },
  };
}
