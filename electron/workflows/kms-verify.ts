import { checkStep, clusterFacts, typedClusterName } from './cluster-push.ts';
import type { KmsVerifyPlan } from './kms-plans.ts';
import type { StepDefinition } from './run.ts';
import { kmsWords as text } from './words-kms.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;
const countRecords = ['counted', 'unencrypted', 'underOtherKeys', 'underKey', 'byKey'] as const;

function kmsVerifySteps(plan: KmsVerifyPlan): readonly StepDefinition[] {
  const { cluster, etcd, namespace, provider, resources, reencrypt } = plan;
  const count = (resource: KmsVerifyPlan['resources'][number], mustBeAll: boolean): StepDefinition => ({
    id: `${mustBeAll ? 'confirm' : 'count'}-${resource}`,
    title: mustBeAll ? text.confirm.title(resource) : text.count.title(resource),
    actor: administrator,
    explanation: mustBeAll ? text.confirm.explanation : text.count.explanation,
    pace: 'automatic',
    action: text.count.action,
    needs: [mustBeAll ? `rewrite-${resource}` : 'canary'],
    effect: { kind: 'kms.count', cluster, etcd, resource, provider, mustBeAll },
    records: countRecords,
  });
  const rewrite = (resource: KmsVerifyPlan['resources'][number]): StepDefinition => ({
    id: `rewrite-${resource}`,
    title: text.rewrite.title(resource),
    actor: administrator,
    explanation: text.rewrite.explanation,
    pace: 'deliberate',
    action: text.rewrite.action,
    danger: {
      typedName: typedClusterName(cluster),
      losses: [text.rewrite.loss(resource, typedClusterName(cluster))],
    },
    needs: [`count-${resource}`],
    effect: { kind: 'kms.rewrite', cluster, resource },
    records: ['rewrittenObjects', 'goneObjects'],
  });
  return [
    checkStep(cluster, []),
    {
      id: 'canary',
      title: text.canary.title,
      actor: administrator,
      explanation: text.canary.explanation(provider),
      pace: 'deliberate',
      action: text.canary.action,
      needs: ['check'],
      effect: { kind: 'kms.canary', cluster, etcd, namespace, provider },
      records: ['provider', 'kmsKeyId', 'beginsWith'],
    },
    ...resources.map((resource) => count(resource, false)),
    ...(reencrypt ? resources.flatMap((resource) => [rewrite(resource), count(resource, true)]) : []),
  ];
}

/** Verification of a KMS v2 set-up, and re-encryption (Kubernetes, "Ensure all secrets are encrypted"). */
export const kmsVerifyWorkflow: Workflow<KmsVerifyPlan> = {
  title: text.title,
  steps: kmsVerifySteps,
  subject: ({ cluster }) => typedClusterName(cluster),
  place: ({ cluster }) => ({ kind: 'cluster', context: cluster.context }),
  facts: (plan) => [
    ...clusterFacts(plan.cluster),
    [text.facts.provider, plan.provider],
    [text.facts.etcd, plan.etcd.address],
    [text.facts.resources, plan.resources.map((resource) => text.names[resource]).join(', ')],
    [text.facts.reencrypt, plan.reencrypt ? text.facts.yes : text.facts.no],
  ],
};
