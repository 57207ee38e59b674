import { lossesOfUndo } from '../../workflows/cluster-undo.ts';
import { failure } from '../../workflows/failures.ts';
import { readPushRecord } from '../../core/push-records.ts';
import type { Previews } from '../previews.ts';
import { notFound, operatorName, type Group, type HandlerContext } from './context.ts';

export type PushHandlerParts = Pick<HandlerContext, 'core' | 'clusters' | 'changed'> & {
  readonly previews: Pick<Previews, 'find'>;
};

export function createPushHandlers({ core, clusters, previews }: PushHandlerParts): Group<'pushes'> {
  return {
    async 'pushes.start'({ previewId, takeOverConflicts }) {
      const kept = previews.find(previewId);
      if (kept === undefined) {
        return failure(
          'Cluster_PreviewOutdated',
          'This preview is not kept any more.',
          'Preview the recipe again, and push what you see then.',
        );
      }
      return core.runner.start(
        {
          workflow: 'cluster-push',
          rehearsal: false,
          cluster: kept.pin,
          recipe: kept.recipe,
          content: kept.content,
          previewSha256: kept.preview.sha256,
          takeOverConflicts,
        },
        operatorName(core),
      );
    },
    async 'pushes.undo'({ runId }) {
      if (!clusters.pushes.some((push) => push.runId === runId)) return notFound('This push');
      const record = await readPushRecord(core, runId);
      if (!record.ok) return record;
      return core.runner.start(
        {
          workflow: 'cluster-undo',
          rehearsal: false,
          cluster: record.value.cluster,
          pushRunId: runId,
          losses: lossesOfUndo(record.value),
        },
        operatorName(core),
      );
    },
    'pushes.check-drift': ({ runId }) => clusters.checkDrift(runId),
    async 'pushes.forget'({ runId }) {
      if (!clusters.pushes.some((push) => push.runId === runId)) return notFound('This push');
      const record = await readPushRecord(core, runId);
      if (record.ok) {
        const removed = await core.clusters.forgetKeptSecrets(record.value);
        if (!removed.ok) return removed;
      } else if (record.error.code !== 'Cluster_NotFound') return record;
      return clusters.forgetPush(runId);
    },
  };
}
