import type { ClusterUndoPlan } from './cluster-plans.ts';
import type { PushRecord } from './cluster-ports.ts';
import { checkStep, clusterFacts, objectInWords, typedClusterName } from './cluster-push.ts';
import type { StepDefinition } from './run.ts';
import { clusterWords } from './words-cluster.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** What an undo brings back and what it deletes, in the order in which the push made it. As many as a plan may hold. */
export function lossesOfUndo({ before, patchesBefore }: PushRecord): string[] {
  const losses = [
    ...before.map(({ reference, manifest }) =>
      manifest === null
        ? `${objectInWords(reference)} was new: it is deleted, with everything in it.`
        : `${objectInWords(reference)} goes back to what it was before the push.`,
    ),
    ...patchesBefore.map((patch) => `Node ${patch.node}: ${patch.summary}`),
  ];
  return losses.slice(0, 400);
}

function clusterUndoSteps(plan: ClusterUndoPlan): readonly StepDefinition[] {
  const text = clusterWords.undo;
  const { cluster, pushRunId } = plan;
  return [
    checkStep(cluster, []),
    {
      id: 'undo',
      title: text.step.title,
      actor: administrator,
      explanation: text.step.explanation,
      pace: 'deliberate',
      action: text.step.action,
      danger: { typedName: typedClusterName(cluster), losses: plan.losses },
      needs: ['check'],
      effect: { kind: 'cluster.undo', cluster, pushRunId },
      records: ['restored', 'removed', 'unchanged', 'failed', 'notReached'],
    },
    {
      id: 'settle',
      title: text.settle.title,
      actor: administrator,
      explanation: text.settle.explanation,
      pace: 'automatic',
      action: text.settle.action,
      needs: ['undo'],
      effect: { kind: 'cluster.settle-undo', cluster, pushRunId },
      records: ['compared', 'keptSecretsRemoved'],
    },
  ];
}

export const clusterUndoWorkflow: Workflow<ClusterUndoPlan> = {
  title: clusterWords.undo.title,
  steps: clusterUndoSteps,
  subject: (plan) => typedClusterName(plan.cluster),
  place: (plan) => ({ kind: 'cluster', context: plan.cluster.context }),
  facts: (plan) => [...clusterFacts(plan.cluster), [clusterWords.undo.factPush, `run ${plan.pushRunId}`]],
};
