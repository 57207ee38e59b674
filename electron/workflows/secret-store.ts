import type { SecretStorePlan } from './cluster-plans.ts';
import type { ClusterPin, ValueSecret } from './cluster-ports.ts';
import { checkStep, clusterFacts } from './cluster-push.ts';
import type { TokenOfPlan } from './device-plans.ts';
import type { StepDefinition } from './run.ts';
import { clusterWords } from './words-cluster.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;
const text = clusterWords.secret;

/** 'vault/vault-unseal-keys' */
export function secretInWords(secret: ValueSecret): string {
  return `${secret.namespace}/${secret.name}`;
}

/** A random value through the Secret and back, before anything that cannot be repeated. */
export function trialValueStep(
  where: {
    readonly cluster: ClusterPin;
    readonly secret: ValueSecret;
    readonly labels: Readonly<Record<string, string>>;
  },
  token: TokenOfPlan,
  keyLabel: string,
  needs: readonly string[],
): StepDefinition {
  return {
    id: 'trial-value',
    title: text.trial.title,
    actor: administrator,
    explanation: text.trial.explanation,
    pace: 'automatic',
    action: text.trial.action,
    needs,
    effect: {
      kind: 'secret.trial-value',
      cluster: where.cluster,
      secret: where.secret,
      secretLabels: where.labels,
      token,
      keyLabel,
    },
    records: ['secret', 'trialKey'],
  };
}

/** Values go in as they are on the token, none is replaced, and each is tried on the token afterwards. */
function secretStoreSteps(plan: SecretStorePlan): readonly StepDefinition[] {
  const { cluster, secret, secretLabels, token, keyLabel } = plan;
  const labels = [...new Set(plan.labels)];
  return [
    checkStep(cluster, []),
    {
      id: 'log-in',
      title: clusterWords.logIn.title,
      actor: administrator,
      explanation: clusterWords.logIn.explanation,
      pace: 'prompt',
      action: clusterWords.logIn.action,
      needs: ['check'],
      effect: {
        kind: 'token.log-in',
        storeId: token.storeId,
        serial: token.serial,
        tokenLabel: token.label,
        act: text.act,
      },
      records: ['serial'],
    },
    {
      id: 'check-secret',
      title: text.room.title(secretInWords(secret)),
      actor: administrator,
      explanation: text.room.forStore,
      pace: 'automatic',
      action: text.room.action,
      needs: ['log-in'],
      effect: { kind: 'secret.compare', cluster, secret, token, labels },
      records: ['secret', 'secretValues'],
    },
    trialValueStep({ cluster, secret, labels: secretLabels }, token, keyLabel, ['check-secret']),
    {
      id: 'store',
      title: text.store.title(secretInWords(secret)),
      actor: administrator,
      explanation: text.store.explanation(labels.length),
      pace: 'deliberate',
      action: text.store.action,
      needs: ['trial-value'],
      effect: { kind: 'secret.store-values', cluster, secret, secretLabels, token, keyLabel, labels },
      records: ['secret', 'secretValues', 'valuesSha256'],
    },
    {
      id: 'verify',
      title: text.verify.title,
      actor: administrator,
      explanation: text.verify.explanation,
      pace: 'automatic',
      action: text.verify.action,
      needs: ['store'],
      effect: { kind: 'secret.verify-values', cluster, secret, token, keyLabel, labels },
      records: ['secret', 'compared'],
    },
  ];
}

export const secretStoreWorkflow: Workflow<SecretStorePlan> = {
  title: text.title,
  steps: secretStoreSteps,
  subject: (plan) => secretInWords(plan.secret),
  place: (plan) => ({ kind: 'cluster', context: plan.cluster.context }),
  facts: (plan) => [
    ...clusterFacts(plan.cluster),
    ['Secret', secretInWords(plan.secret)],
    ['Token', `${plan.token.label}, serial ${plan.token.serial}, key ${plan.keyLabel}`],
    ...(plan.vaultName === '' ? [] : [['Vault', plan.vaultName] as const]),
    ['Values', plan.labels.join(', ')],
  ],
};
