import { labelsThatMustBeAbsent, rootLabel, unsealLabel } from './bank-vaults.ts';
import type { VaultInitPlan } from './plans.ts';
import type { RootTokenDestination, ShareDestination } from './ports.ts';
import type { StepDefinition } from './run.ts';
import { words } from './words.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** Labels of the values that this plan stores on the token. */
export function labelsOnToken(plan: VaultInitPlan): readonly string[] {
  const labels = plan.destinations.flatMap((destination, index) =>
    destination.kind === 'token' ? [unsealLabel(index)] : [],
  );
  return plan.rootToken.kind === 'token' ? [...labels, rootLabel] : labels;
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
  ].toSorted((left, right) => paceOrder[left.pace] - paceOrder[right.pace]);
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
      records: ['keyLabel', 'modulusBits', 'publicKeySha256', 'publicKeyWords'],
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
      records: ['trialLabel', 'trialSha256'],
    },
    {
      id: 'initialize',
      title: text.initialize.title,
      actor: administrator,
      explanation: text.initialize.explanation(plan.shares, plan.threshold),
      pace: 'deliberate',
      action: text.initialize.action,
      needs: ['check-vault', 'trial-object'],
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
      effect: { kind: 'escrow.remove', token, keyLabel: plan.keyLabel, storedLabels: labelsOnToken(plan) },
      records: ['compared', 'escrowRemoved'],
    },
  ];
}

function destinationInWords(destination: VaultInitPlan['destinations'][number]): string {
  switch (destination.kind) {
    case 'token':
      return 'on the token';
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
    ['Shares', `${plan.shares.toString()}, of which ${plan.threshold.toString()} unseal`],
    ...plan.destinations.map((destination, index): readonly [string, string] => [
      `vault-unseal-${index.toString()}`,
      destinationInWords(destination),
    ]),
    ['Root token', plan.rootToken.kind === 'revoked' ? 'revoked at the end' : destinationInWords(plan.rootToken)],
  ],
};
