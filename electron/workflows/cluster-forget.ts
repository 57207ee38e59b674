import type { ClusterForgetPlan } from './cluster-plans.ts';
import type { PushRecord } from './cluster-ports.ts';
import { checkStep, clusterFacts, objectInWords, typedClusterName } from './cluster-push.ts';
import { clusterWords } from './words-cluster.ts';
import type { Workflow } from './workflow.ts';

/** The copies of earlier values by name, and what goes with them. */
export function lossesOfForgetting({ before }: PushRecord): string[] {
  const kept = before.filter(({ keptIn }) => keptIn !== '');
  return [
    ...kept.map(({ reference, keptIn }) =>
      clusterWords.forget.lossOfCopy(objectInWords({ ...reference, name: keptIn }), objectInWords(reference)),
    ),
    clusterWords.forget.lossOfWatch,
  ].slice(0, 400);
}

/** What a push kept in the cluster for its undo is destroyed; the push stays as it is. */
export const clusterForgetWorkflow: Workflow<ClusterForgetPlan> = {
  title: clusterWords.forget.title,
  steps: ({ cluster, pushRunId, losses }) => [
    checkStep(cluster, []),
    {
      id: 'forget',
      title: clusterWords.forget.step.title,
      actor: { role: 'administrator' },
      explanation: clusterWords.forget.step.explanation,
      pace: 'deliberate',
      action: clusterWords.forget.step.action,
      danger: { typedName: typedClusterName(cluster), losses },
      needs: ['check'],
      effect: { kind: 'cluster.forget-kept', cluster, pushRunId },
      records: ['keptSecretsRemoved'],
    },
  ],
  subject: (plan) => typedClusterName(plan.cluster),
  place: (plan) => ({ kind: 'cluster', context: plan.cluster.context }),
  facts: (plan) => [...clusterFacts(plan.cluster), [clusterWords.undo.factPush, `run ${plan.pushRunId}`]],
};
