import type { DriftObjectView, ObjectNameView, PushView } from '../../contract/cluster-views.ts';
import type { Drift, ObjectReference } from '../../workflows/cluster-ports.ts';
import { subjectOf } from '../../workflows/definitions.ts';
import type { ObservedDrift, ObservedPush } from '../cluster-observer.ts';
import { toOptionalFailureView } from './failure-view.ts';

/** Lines of one object's diff in the view, which is sent whole at each change: enough to see what it is about. */
const shownLines = 200;

export function toObjectNameView({ apiVersion, kind, namespace, name }: ObjectReference): ObjectNameView {
  return { apiVersion, kind, namespace, name };
}

function toDriftObjectView(drift: Drift): DriftObjectView {
  return {
    object: toObjectNameView(drift.reference),
    state: drift.state,
    changedBy: [...drift.changedBy],
    diff: drift.diff.slice(0, shownLines).map(({ kind, text }) => ({ kind, text })),
    linesLeftOut: Math.max(0, drift.diff.length - shownLines),
  };
}

function driftStateOf(observed: ObservedDrift | undefined): PushView['drift']['state'] {
  if (observed === undefined) return 'not-checked';
  if (observed.isChecking) return 'checking';
  const result = observed.result;
  if (result === undefined) return 'not-checked';
  if (!result.ok) return 'unknown';
  if (result.value.some(({ state }) => state === 'changed' || state === 'missing')) return 'drifted';
  return result.value.some(({ state }) => state === 'unknown') ? 'unknown' : 'same';
}

export function toPushView(push: ObservedPush): PushView {
  const result = push.drift?.result;
  return {
    runId: push.runId,
    context: push.plan.cluster.context,
    server: push.plan.cluster.server,
    recipe: push.plan.recipe.recipe,
    subject: subjectOf(push.plan),
    time: push.time,
    state: push.state,
    drift: {
      state: driftStateOf(push.drift),
      checkedAt: push.drift?.checkedAt ?? '',
      objects: (result?.ok === true ? result.value : []).map(toDriftObjectView),
      problem: toOptionalFailureView(result?.ok === false ? result.error : undefined),
    },
  };
}
