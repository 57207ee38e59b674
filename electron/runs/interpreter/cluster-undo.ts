import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import type { ClusterPin, PushRecord } from '../../workflows/cluster-ports.ts';
import { forgottenFile } from '../../workflows/cluster-plans.ts';
import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import { keptIn } from './cluster-before.ts';
import { allIn, evidenceOfOutcomes, incomplete, requireRecord } from './cluster-outcomes.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done } from './context.ts';

type EffectOf<Kind extends ClusterEffect['kind']> = Extract<ClusterEffect, { kind: Kind }>;

const samePlace = (left: ClusterPin, right: ClusterPin): boolean =>
  left.server === right.server && left.caSha256 === right.caSha256 && left.clusterUid === right.clusterUid;

/** The push's record, where it was made in the cluster that is now chosen. */
async function recordFor(
  context: StepContext,
  { cluster, pushRunId }: { readonly cluster: ClusterPin; readonly pushRunId: string },
): Promise<Result<PushRecord>> {
  const record = await requireRecord(context, pushRunId);
  if (!record.ok) return record;
  return samePlace(record.value.cluster, cluster)
    ? // As the kubeconfig names it now: its files or its context's name may have changed since.
      success({ ...record.value, cluster })
    : failure(
        'Cluster_OtherCluster',
        `The push went to ${record.value.cluster.server}, and not to the cluster that is named now.`,
        'Choose the context of the cluster that the push went to. Nothing was changed.',
        { server: record.value.cluster.server },
      );
}

export async function undoPush(context: StepContext, effect: EffectOf<'cluster.undo'>): EffectResult {
  const record = await recordFor(context, effect);
  if (!record.ok) return record;
  const noted = await context.note({ undoing: true });
  if (!noted.ok) return noted;
  const undone = await context.ports.clusters.undo(record.value);
  if (!undone.ok) return undone;
  const evidence = evidenceOfOutcomes(undone.value);
  if (allIn(undone.value)) return done(evidence);
  const told = await context.note(evidence);
  return told.ok ? incomplete(undone.value, 'undo') : told;
}

/**
 * Repeating the undo changes nothing where nothing is left to undo, and says so of each object. What the push kept of
 * earlier values goes last: until then the undo can be begun again.
 */
export async function settleUndo(context: StepContext, effect: EffectOf<'cluster.settle-undo'>): EffectResult {
  const record = await recordFor(context, effect);
  if (!record.ok) return record;
  const { clusters } = context.ports;
  if (context.noted['forgetting'] !== true) {
    const undone = await clusters.undo(record.value);
    if (!undone.ok) return undone;
    if (!allIn(undone.value)) return incomplete(undone.value, 'undo');
    const noted = await context.note({ forgetting: true, compared: undone.value.length });
    if (!noted.ok) return noted;
  }
  const forgotten = await clusters.forgetKeptSecrets(record.value);
  return forgotten.ok ? done({ keptSecretsRemoved: keptIn(record.value) }) : forgotten;
}

/** The copies go first: as long as one is there, the push is one that can be undone. */
export async function forgetKept(context: StepContext, effect: EffectOf<'cluster.forget-kept'>): EffectResult {
  const record = await recordFor(context, effect);
  if (!record.ok) return record;
  const forgotten = await context.ports.clusters.forgetKeptSecrets(record.value);
  if (!forgotten.ok) return forgotten;
  const marked = await context.ports.outbox.write(
    effect.pushRunId,
    forgottenFile,
    new TextEncoder().encode('forgotten\n'),
  );
  return marked.ok ? done({ keptSecretsRemoved: keptIn(record.value) }) : marked;
}
