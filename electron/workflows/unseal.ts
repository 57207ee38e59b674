import type { UnsealPlan } from './plans.ts';
import type { StepDefinition } from './run.ts';
import { secretInWords } from './secret-store.ts';
import { clusterWords } from './words-cluster.ts';
import { words } from './words.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/**
 * Shares from tokens, Secrets, PGP messages and custodians, given to these nodes.
 * @param before the step that must have looked at them
 * @param node what the ids end in where a run gives shares to several nodes in turn, '' otherwise
 */
export function shareSteps(
  plan: Pick<UnsealPlan, 'sources' | 'vaultName'>,
  connections: UnsealPlan['connections'],
  before: string,
  node = '',
): readonly StepDefinition[] {
  const text = words.unseal;
  return plan.sources.flatMap((source, index): readonly StepDefinition[] => {
    const suffix = `${plan.sources.length === 1 ? '' : `-${(index + 1).toString()}`}${node}`;
    switch (source.kind) {
      case 'token':
      case 'secret': {
        const token = { storeId: source.token.storeId, serial: source.token.serial };
        return [
          {
            id: `log-in${suffix}`,
            title: text.logIn.title,
            actor: administrator,
            explanation: text.logIn.explanation,
            // Starting an unseal is the deliberate act; one click leads to the PIN.
            pace: 'automatic',
            action: text.logIn.action,
            needs: [before],
            effect: {
              kind: 'token.log-in',
              ...token,
              tokenLabel: source.token.label,
              act: text.logIn.act(plan.vaultName),
            },
            records: ['serial'],
          },
          source.kind === 'token'
            ? {
                id: `token${suffix}`,
                title: text.fromToken.title,
                actor: administrator,
                explanation: text.fromToken.explanation,
                pace: 'automatic',
                action: text.fromToken.action,
                needs: [`log-in${suffix}`],
                effect: { kind: 'vault.unseal-from-token', connections, token, keyLabel: source.keyLabel },
                records: ['sharesGiven', 'sealedNodes', 'progress'],
              }
            : {
                id: `secret${suffix}`,
                title: clusterWords.unseal.title(secretInWords(source.secret)),
                actor: administrator,
                explanation: clusterWords.unseal.explanation,
                pace: 'automatic',
                action: clusterWords.unseal.action,
                needs: [`log-in${suffix}`],
                effect: {
                  kind: 'vault.unseal-from-secret',
                  connections,
                  cluster: source.cluster,
                  secret: source.secret,
                  token,
                  keyLabel: source.keyLabel,
                },
                records: ['secret', 'sharesGiven', 'sealedNodes', 'progress'],
              },
        ];
      }
      case 'pgp':
        return [
          {
            id: `pgp${suffix}`,
            title: text.fromPgp.title(source.custodian),
            actor: { role: 'custodian', name: source.custodian },
            explanation: text.fromPgp.explanation(source.custodian),
            pace: 'deliberate',
            action: text.fromPgp.action,
            needs: [before],
            effect: {
              kind: 'vault.unseal-from-pgp',
              connections,
              custodian: source.custodian,
              messageBase64: source.messageBase64,
            },
            records: ['custodian', 'sealedNodes', 'progress'],
          },
        ];
      case 'typed':
        return [
          {
            id: `typed${suffix}`,
            title: text.typed.title(source.custodian),
            actor: { role: 'custodian', name: source.custodian },
            explanation: text.typed.explanation(source.custodian),
            pace: 'prompt',
            action: text.typed.action,
            needs: [before],
            effect: { kind: 'vault.unseal-typed', connections, custodian: source.custodian, vaultName: plan.vaultName },
            records: ['custodian', 'sealedNodes', 'progress'],
          },
        ];
    }
  });
}

/** Unseal every node of a cluster with shares from tokens, PGP messages and custodians. */
function unsealSteps(plan: UnsealPlan): readonly StepDefinition[] {
  const text = words.unseal;
  const connections = plan.connections;
  return [
    {
      id: 'read-status',
      title: text.read.title,
      actor: administrator,
      explanation: text.read.explanation(connections.length),
      pace: 'automatic',
      action: text.read.action,
      needs: [],
      effect: { kind: 'vault.read-seal-status', connections },
      records: ['nodes', 'sealedNodes', 'threshold', 'progress', 'nonce'],
    },
    ...shareSteps(plan, connections, 'read-status'),
    {
      id: 'confirm',
      title: text.confirm.title,
      actor: administrator,
      explanation: text.confirm.explanation,
      pace: 'automatic',
      action: text.confirm.action,
      needs: ['read-status'],
      effect: { kind: 'vault.confirm-unsealed', connections },
      records: ['nodes', 'sealedNodes', 'clusterName'],
    },
  ];
}

export function sourceInWords(source: UnsealPlan['sources'][number]): string {
  switch (source.kind) {
    case 'token':
      return `token ${source.token.label}, serial ${source.token.serial}`;
    case 'secret':
      return `Secret ${secretInWords(source.secret)} at ${source.cluster.server}, decrypted on token ${source.token.label}, serial ${source.token.serial}`;
    case 'pgp':
      return `${source.custodian}, PGP message`;
    case 'typed':
      return `${source.custodian}, typed`;
  }
}

export const unsealWorkflow: Workflow<UnsealPlan> = {
  title: words.unseal.title,
  steps: unsealSteps,
  subject: (plan) => plan.vaultName,
  place: (plan) => ({ kind: 'vault', vaultId: plan.vaultId }),
  facts: (plan) => [
    ['Vault', plan.vaultName],
    ['Nodes', plan.connections.map(({ address }) => address).join(', ')],
    ...plan.sources.map((source): readonly [string, string] => ['Shares from', sourceInWords(source)]),
  ],
};
