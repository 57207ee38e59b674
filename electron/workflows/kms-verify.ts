import { checkStep, clusterFacts, typedClusterName } from './cluster-push.ts';
import type { KmsVerifyPlan } from './kms-plans.ts';
import type { StepDefinition } from './run.ts';
import { kmsWords as text } from './words-kms.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;
const countRecords = ['counted', 'unencrypted', 'underOtherKeys', 'underKey', 'byKey'] as const;

/** What is counted and written again in one step. */
interface Group {
  readonly id: string;
  readonly name: string;
  readonly resources: readonly string[];
}

function kmsVerifySteps(plan: KmsVerifyPlan): readonly StepDefinition[] {
  const { cluster, etcd, namespace, provider, resources, others = [], reencrypt } = plan;
  const groups: readonly Group[] = [
    ...resources.map((resource) => ({ id: resource, name: text.names[resource], resources: [resource] })),
    ...(others.length === 0 ? [] : [{ id: 'others', name: text.others(others.length), resources: others }]),
  ];
  const count = ({ id, name, resources: counted }: Group, mustBeAll: boolean): StepDefinition => ({
    id: `${mustBeAll ? 'confirm' : 'count'}-${id}`,
    title: mustBeAll ? text.confirm.title(name) : text.count.title(name),
    actor: administrator,
    explanation: mustBeAll ? text.confirm.explanation : text.count.explanation,
    pace: 'automatic',
    action: text.count.action,
    needs: [mustBeAll ? `rewrite-${id}` : 'canary'],
    effect: { kind: 'kms.count', cluster, etcd, resources: counted, provider, mustBeAll },
    records: countRecords,
  });
  const rewrite = ({ id, name, resources: rewritten }: Group): StepDefinition => ({
    id: `rewrite-${id}`,
    title: text.rewrite.title(name),
    actor: administrator,
    explanation: text.rewrite.explanation,
    pace: 'deliberate',
    action: text.rewrite.action,
    danger: {
      typedName: typedClusterName(cluster),
      losses: [text.rewrite.loss(name, typedClusterName(cluster))],
    },
    needs: [`count-${id}`],
    effect: { kind: 'kms.rewrite', cluster, resources: rewritten },
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
    ...groups.map((group) => count(group, false)),
    ...(reencrypt ? groups.flatMap((group) => [rewrite(group), count(group, true)]) : []),
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
    [text.facts.etcd, 'pod' in plan.etcd ? text.facts.inPod(plan.etcd.pod) : plan.etcd.address],
    [
      text.facts.resources,
      [...plan.resources.map((resource) => text.names[resource]), ...(plan.others ?? [])].join(', '),
    ],
    [text.facts.reencrypt, plan.reencrypt ? text.facts.yes : text.facts.no],
  ],
};
