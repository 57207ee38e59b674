import { labelsThatMustBeAbsent, rootLabel, unsealLabel } from './bank-vaults.ts';
import type { SecretStorePlan } from './cluster-plans.ts';
import type { ClusterPin, ValueSecret } from './cluster-ports.ts';
import { checkStep } from './cluster-push.ts';
import type { VaultInitPlan } from './plans.ts';
import type { RootTokenDestination, ShareDestination } from './ports.ts';
import type { StepDefinition } from './run.ts';
import { secretInWords, trialValueStep } from './secret-store.ts';
import { clusterWords } from './words-cluster.ts';
import { words } from './words.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

function labelsOf(plan: VaultInitPlan, kind: 'token' | 'secret'): readonly string[] {
  const labels = plan.destinations.flatMap((destination, index) =>
    destination.kind === kind ? [unsealLabel(index)] : [],
  );
  return plan.rootToken.kind === kind ? [...labels, rootLabel] : labels;
}

/** Labels of the values that this plan stores on the token. */
export function labelsOnToken(plan: VaultInitPlan): readonly string[] {
  return labelsOf(plan, 'token');
}

/** What this plan stores in a Secret, and where; undefined for nothing. */
function inSecret(plan: VaultInitPlan):
  | {
      readonly cluster: ClusterPin;
      readonly secret: ValueSecret;
      readonly secretLabels: SecretStorePlan['secretLabels'];
      readonly labels: readonly string[];
    }
  | undefined {
  const labels = labelsOf(plan, 'secret');
  return plan.secret === undefined || labels.length === 0
    ? undefined
    : { cluster: plan.secret.cluster, secret: plan.secret.secret, secretLabels: plan.secret.labels ?? {}, labels };
}

/** All values that go into the Secret at once: one call of the cluster, one look at what it keeps. */
function storeInSecretStep(plan: VaultInitPlan): readonly StepDefinition[] {
  const where = inSecret(plan);
  if (where === undefined) return [];
  const text = clusterWords.secret;
  return [
    {
      id: 'store-in-secret',
      title: text.store.title(secretInWords(where.secret)),
      actor: administrator,
      explanation: text.storeFromEscrow.explanation,
      pace: 'automatic',
      action: text.store.action,
      needs: ['initialize'],
      effect: { kind: 'secret.store-from-escrow', ...where, token: plan.token, keyLabel: plan.keyLabel },
      records: ['secret', 'secretValues', 'valuesSha256'],
    },
  ];
}

/** The cluster, the room in the Secret and a value there and back, before Vault is asked for anything. */
function secretChecks(plan: VaultInitPlan): readonly StepDefinition[] {
  const where = inSecret(plan);
  if (where === undefined) return [];
  const { cluster, secret, secretLabels } = where;
  const text = clusterWords.secret;
  return [
    {
      id: 'check-secret',
      title: text.room.title(secretInWords(secret)),
      actor: administrator,
      explanation: text.room.forInit,
      pace: 'automatic',
      action: text.room.action,
      needs: ['check-cluster'],
      effect: { kind: 'secret.check-room', cluster, secret, labels: labelsThatMustBeAbsent(plan.shares) },
      records: ['secret'],
    },
    trialValueStep({ cluster, secret, labels: secretLabels }, plan.token, plan.keyLabel, [
      'check-token',
      'check-secret',
    ]),
  ];
}

function deliveryStep(
  plan: VaultInitPlan,
  label: string,
  destination: ShareDestination | RootTokenDestination,
): readonly StepDefinition[] {
  const text = words.vaultInit;
  const common = { needs: ['initialize'] } as const;
  switch (destination.kind) {
    case 'token':
      return [
        {
          ...common,
          id: `store-${label}`,
          title: text.store.title(label),
          actor: administrator,
          explanation: text.store.explanation,
          pace: 'automatic',
          action: text.store.action,
          effect: {
            kind: 'token.store-value',
            token: { storeId: plan.token.storeId, serial: plan.token.serial },
            keyLabel: plan.keyLabel,
            label,
          },
          records: ['label', 'size', 'ciphertextSha256'],
        },
      ];
    case 'pgp':
      return [
        {
          ...common,
          id: `deliver-${label}`,
          title: text.deliver.title(label, destination.custodian),
          actor: administrator,
          explanation: text.deliver.explanation(destination.custodian, destination.fingerprint),
          pace: 'automatic',
          action: text.deliver.action,
          effect: {
            kind: 'pgp.deliver',
            label,
            custodian: destination.custodian,
            fingerprint: destination.fingerprint,
          },
          records: ['label', 'custodian', 'fingerprint', 'file'],
        },
      ];
    case 'shown':
      return [
        {
          ...common,
          id: `hand-out-${label}`,
          title: text.handOut.title(label, destination.custodian),
          actor: { role: 'custodian', name: destination.custodian },
          explanation: text.handOut.explanation(destination.custodian),
          pace: 'prompt',
          action: text.handOut.action,
          effect: {
            kind: 'share.hand-out',
            token: { storeId: plan.token.storeId, serial: plan.token.serial },
            keyLabel: plan.keyLabel,
            label,
            custodian: destination.custodian,
            vaultName: plan.vaultName,
          },
          records: ['label', 'custodian', 'typedBack'],
        },
      ];
    // All of them in one step.
    case 'secret':
    case 'revoked':
      return [];
  }
}

const paceOrder = { automatic: 0, deliberate: 1, prompt: 2 } as const;

/**
 * Initialise a Vault. Whatever needs no person comes first after Vault's reply, so that the values are
 * in their places as early as can be; the encrypted copy on disk goes last of all.
 */
function vaultInitSteps(plan: VaultInitPlan): readonly StepDefinition[] {
  const text = words.vaultInit;
  const token = { storeId: plan.token.storeId, serial: plan.token.serial };
  const deliveries = [
    ...plan.destinations.flatMap((destination, index) => deliveryStep(plan, unsealLabel(index), destination)),
    ...deliveryStep(plan, rootLabel, plan.rootToken),
    ...storeInSecretStep(plan),
  ].toSorted((left, right) => paceOrder[left.pace] - paceOrder[right.pace]);
  const secret = inSecret(plan);
  return [
    {
      id: 'check-vault',
      title: text.check.title,
      actor: administrator,
      explanation: text.check.explanation,
      pace: 'automatic',
      action: text.check.action,
      needs: [],
      effect: { kind: 'vault.check-uninitialized', connection: plan.connection },
      records: ['vaultVersion', 'storageType', 'sealType'],
    },
    ...(secret === undefined ? [] : [checkStep(secret.cluster, ['check-vault'], 'check-cluster')]),
    {
      id: 'log-in',
      title: text.logIn.title,
      actor: administrator,
      explanation: text.logIn.explanation,
      pace: 'prompt',
      action: text.logIn.action,
      needs: ['check-vault'],
      effect: { kind: 'token.log-in', ...token, tokenLabel: plan.token.label, act: text.logIn.act },
      records: ['serial'],
    },
    {
      id: 'check-token',
      title: text.room.title,
      actor: administrator,
      explanation: text.room.explanation,
      pace: 'automatic',
      action: text.room.action,
      needs: ['log-in'],
      effect: { kind: 'token.check-room', token, keyLabel: plan.keyLabel, labels: labelsThatMustBeAbsent(plan.shares) },
      records: ['keyLabel', 'modulusBits', 'curve', 'publicKeySha256', 'publicKeyWords'],
    },
    {
      id: 'trial-object',
      title: text.trial.title,
      actor: administrator,
      explanation: text.trial.explanation,
      pace: 'automatic',
      action: text.trial.action,
      needs: ['check-token'],
      effect: { kind: 'token.trial-object', token, keyLabel: plan.keyLabel },
      records: ['trialLabel', 'trialSha256', 'wrapping', 'wrappingDowngrade'],
    },
    ...secretChecks(plan),
    {
      id: 'initialize',
      title: text.initialize.title,
      actor: administrator,
      explanation: text.initialize.explanation(plan.shares, plan.threshold),
      pace: 'deliberate',
      action: text.initialize.action,
      needs: ['check-vault', 'trial-object', ...(secret === undefined ? [] : ['trial-value'])],
      effect: {
        kind: 'vault.initialize',
        connection: plan.connection,
        token,
        keyLabel: plan.keyLabel,
        shares: plan.shares,
        threshold: plan.threshold,
        destinations: plan.destinations,
        rootToken: plan.rootToken,
      },
      records: ['shares', 'threshold', 'labels'],
    },
    ...deliveries,
    {
      id: 'unseal',
      title: text.unseal.title,
      actor: administrator,
      explanation: text.unseal.explanation(plan.threshold),
      pace: 'automatic',
      action: text.unseal.action,
      needs: ['initialize'],
      effect: {
        kind: 'vault.unseal-from-escrow',
        connection: plan.connection,
        token,
        keyLabel: plan.keyLabel,
        threshold: plan.threshold,
      },
      records: ['sharesProven'],
    },
    ...(plan.rootToken.kind === 'revoked'
      ? [
          {
            id: 'revoke-root',
            title: text.revoke.title,
            actor: administrator,
            explanation: text.revoke.explanation,
            pace: 'automatic',
            action: text.revoke.action,
            needs: ['unseal'],
            effect: { kind: 'vault.revoke-root', connection: plan.connection, token, keyLabel: plan.keyLabel },
            records: ['revoked'],
          } satisfies StepDefinition,
        ]
      : []),
    {
      id: 'remove-escrow',
      title: text.remove.title,
      actor: administrator,
      explanation: text.remove.explanation,
      pace: 'automatic',
      action: text.remove.action,
      needs: ['unseal', ...deliveries.map((step) => step.id)],
      effect: {
        kind: 'escrow.remove',
        token,
        keyLabel: plan.keyLabel,
        storedLabels: labelsOnToken(plan),
        ...(secret === undefined ? {} : { inSecret: secret }),
      },
      records: ['compared', 'escrowRemoved'],
    },
  ];
}

function destinationInWords(destination: VaultInitPlan['destinations'][number]): string {
  switch (destination.kind) {
    case 'token':
      return 'on the token';
    case 'secret':
      return 'in the Secret, encrypted under the token’s key';
    case 'pgp':
      return `${destination.custodian}, PGP ${destination.fingerprint}`;
    case 'shown':
      return `${destination.custodian}, shown and typed back`;
  }
}

export const vaultInitWorkflow: Workflow<VaultInitPlan> = {
  title: words.vaultInit.title,
  steps: vaultInitSteps,
  subject: (plan) => plan.vaultName,
  place: (plan) => ({ kind: 'vault', vaultId: plan.vaultId }),
  facts: (plan) => [
    ['Vault', `${plan.vaultName}, ${plan.connection.address}`],
    ['Token', `${plan.token.label}, serial ${plan.token.serial}, key ${plan.keyLabel}`],
    ...(plan.secret === undefined
      ? []
      : [['Secret', `${secretInWords(plan.secret.secret)} at ${plan.secret.cluster.server}`] as const]),
    ['Shares', `${plan.shares.toString()}, of which ${plan.threshold.toString()} unseal`],
    ...plan.destinations.map((destination, index): readonly [string, string] => [
      `vault-unseal-${index.toString()}`,
      destinationInWords(destination),
    ]),
    ['Root token', plan.rootToken.kind === 'revoked' ? 'revoked at the end' : destinationInWords(plan.rootToken)],
  ],
};
