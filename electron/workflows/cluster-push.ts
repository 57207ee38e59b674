import type { ClusterPushPlan } from './cluster-plans.ts';
import type { ClusterPin, ObjectReference, PushContent } from './cluster-ports.ts';
import type { StepDefinition } from './run.ts';
import { clusterWords } from './words-cluster.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** What must be typed before a cluster is changed: its name in the kubeconfig, or the context's where it has none. */
export function typedClusterName(pin: ClusterPin): string {
  return pin.clusterName === '' ? pin.context : pin.clusterName;
}

/** 'ConfigMap vault/vault-config', 'ClusterRole reader'. */
export function objectInWords(reference: ObjectReference): string {
  return `${reference.kind} ${reference.namespace === '' ? '' : `${reference.namespace}/`}${reference.name}`;
}

const textAt = (value: unknown, ...path: readonly string[]): string => {
  let at = value;
  for (const key of path) at = typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined;
  return typeof at === 'string' ? at : '';
};

/** The objects of a push, by their names. */
export function referencesOf(content: PushContent): readonly ObjectReference[] {
  return content.objects.map((manifest) => ({
    apiVersion: textAt(manifest, 'apiVersion'),
    kind: textAt(manifest, 'kind'),
    namespace: textAt(manifest, 'metadata', 'namespace'),
    name: textAt(manifest, 'metadata', 'name'),
  }));
}

/** Rows of a transcript that say which cluster it was. */
export function clusterFacts(pin: ClusterPin): readonly (readonly [string, string])[] {
  return [
    ['Context', pin.context],
    ['Cluster', typedClusterName(pin)],
    ['Server', pin.server],
    ['CA SHA-256', pin.caSha256 === '' ? 'the system’s authorities' : pin.caSha256],
    ['User', pin.userName],
  ];
}

/** The first step of whatever is done to a cluster. */
export function checkStep(pin: ClusterPin, needs: readonly string[], id = 'check'): StepDefinition {
  const text = clusterWords.check;
  return {
    id,
    title: text.title,
    actor: administrator,
    explanation: text.explanation(typedClusterName(pin), pin.server),
    pace: 'automatic',
    action: text.action,
    needs,
    effect: { kind: 'cluster.check', cluster: pin },
    records: ['context', 'server', 'serverVersion', 'kubectlVersion', 'clusterUid', 'seenAs'],
  };
}

function lossesOf({ content, takeOverConflicts }: ClusterPushPlan): readonly string[] {
  const text = clusterWords.push.apply;
  return [
    ...referencesOf(content).map((reference) => text.loss(objectInWords(reference))),
    ...content.secretSlots.map(({ reference, key }) => text.value(`${reference.namespace}/${reference.name}`, key)),
    ...content.patches.map(({ node, summary }) => text.patch(node, summary)),
    ...(takeOverConflicts ? [text.takeOver] : []),
  ];
}

const outcomeRecords = ['created', 'changed', 'unchanged', 'failed', 'notReached'] as const;

/** Nothing is changed before the record for an undo is on disk, and nothing at all that was not shown. */
function clusterPushSteps(plan: ClusterPushPlan): readonly StepDefinition[] {
  const text = clusterWords.push;
  const { cluster, content, takeOverConflicts } = plan;
  const hasValues = content.secretSlots.length > 0;
  const watched = content.rollouts.length > 0;
  return [
    checkStep(cluster, []),
    {
      id: 'confirm-preview',
      title: text.confirm.title,
      actor: administrator,
      explanation: text.confirm.explanation,
      pace: 'automatic',
      action: text.confirm.action,
      needs: ['check'],
      effect: {
        kind: 'cluster.confirm-preview',
        cluster,
        content,
        previewSha256: plan.previewSha256,
        takeOverConflicts,
      },
      records: ['previewSha256', 'objectsToCome'],
    },
    {
      id: 'keep-before',
      title: text.keep.title,
      actor: administrator,
      explanation: text.keep.explanation,
      pace: 'automatic',
      action: text.keep.action,
      needs: ['confirm-preview'],
      effect: { kind: 'cluster.keep-before', cluster, content },
      records: ['recordFile', 'recordSha256', 'keptSecrets'],
    },
    {
      id: 'apply',
      title: text.apply.title,
      actor: administrator,
      explanation: `${text.apply.explanation(content.objects.length + content.patches.length)}${hasValues ? text.apply.withValues : ''}`,
      pace: hasValues ? 'prompt' : 'deliberate',
      action: text.apply.action,
      danger: { typedName: typedClusterName(cluster), losses: lossesOf(plan) },
      needs: ['keep-before'],
      effect: {
        kind: 'cluster.apply',
        cluster,
        content,
        previewSha256: plan.previewSha256,
        takeOverConflicts,
      },
      records: hasValues ? [...outcomeRecords, 'valuesTyped'] : outcomeRecords,
    },
    ...(watched
      ? [
          {
            id: 'watch-rollout',
            title: text.watch.title,
            actor: administrator,
            explanation: text.watch.explanation,
            pace: 'automatic',
            action: text.watch.action,
            needs: ['apply'],
            effect: { kind: 'cluster.watch-rollout', cluster, references: content.rollouts },
            records: ['rollouts'],
          } satisfies StepDefinition,
        ]
      : []),
    {
      id: 'settle',
      title: text.settle.title,
      actor: administrator,
      explanation: text.settle.explanation,
      pace: 'automatic',
      action: text.settle.action,
      needs: [watched ? 'watch-rollout' : 'apply'],
      effect: { kind: 'cluster.settle' },
      records: [...outcomeRecords, 'keptSecrets'],
    },
  ];
}

export const clusterPushWorkflow: Workflow<ClusterPushPlan> = {
  title: clusterWords.push.title,
  steps: clusterPushSteps,
  subject: (plan) => typedClusterName(plan.cluster),
  place: (plan) => ({ kind: 'cluster', context: plan.cluster.context }),
  facts: (plan) => [
    ...clusterFacts(plan.cluster),
    ['Recipe', plan.recipe.recipe],
    ...referencesOf(plan.content).map((reference): readonly [string, string] => ['Object', objectInWords(reference)]),
    ...plan.content.patches.map(({ node, summary }): readonly [string, string] => ['Node', `${node}: ${summary}`]),
    ...plan.content.secretSlots.map(({ reference, key, what }): readonly [string, string] => [
      'Typed at the push',
      `${what}: Secret ${reference.namespace}/${reference.name}, key ${key}`,
    ]),
    ['Preview, SHA-256', plan.previewSha256],
    ['Conflicting fields', plan.takeOverConflicts ? 'are taken over' : 'are left alone'],
  ],
};
