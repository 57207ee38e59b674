import type { StepDefinition } from './run.ts';
import type { TransitSetUpPlan } from './vault-setup-plans.ts';
import type { WantedInVault } from './vault-setup-ports.ts';
import { vaultSetUpWords as text } from './words-vault-setup.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** What a person calls it: the mount, the key's or the policy's name. */
function nameOf(wanted: WantedInVault): string {
  switch (wanted.kind) {
    case 'transit-engine':
    case 'kubernetes-auth':
      return wanted.mount;
    case 'kubernetes-config':
      return wanted.host;
    case 'transit-key':
    case 'policy':
    case 'kubernetes-role':
      return wanted.name;
  }
}

/** What Vault said of each, by the names of evidence. */
const recordsOf: Readonly<Record<WantedInVault['kind'], readonly string[]>> = {
  'transit-engine': ['mount'],
  'transit-key': ['keyType', 'keyVersion', 'exportable', 'deletable'],
  policy: ['policySha256'],
  'kubernetes-auth': ['mount'],
  'kubernetes-config': ['host', 'caSha256'],
  'kubernetes-role': ['serviceAccounts', 'namespaces', 'audience', 'policies'],
};

function transitSetUpSteps(plan: TransitSetUpPlan): readonly StepDefinition[] {
  const makes = plan.wanted.map((wanted, index): StepDefinition => {
    const words = text.make[wanted.kind];
    return {
      id: `make-${(index + 1).toString()}-${wanted.kind}`,
      title: `${words.title} “${nameOf(wanted)}”`,
      actor: administrator,
      explanation: words.explanation,
      pace: 'automatic',
      action: text.makeAction,
      needs: ['token'],
      effect: { kind: 'vault.make', wanted, replace: plan.replaceDiffering },
      records: recordsOf[wanted.kind],
    };
  });
  return [
    {
      id: 'token',
      title: text.token.title,
      actor: administrator,
      explanation: text.token.explanation(plan.vaultName),
      pace: 'prompt',
      action: text.token.action,
      needs: [],
      effect: {
        kind: 'vault.hold-token',
        vaultName: plan.vaultName,
        connection: plan.connection,
        namespace: plan.namespace,
      },
      records: ['displayName', 'tokenPolicies'],
    },
    ...makes,
    {
      id: 'try-policy',
      title: text.tryPolicy.title,
      actor: administrator,
      explanation: text.tryPolicy.explanation,
      pace: 'automatic',
      action: text.tryPolicy.action,
      needs: makes.map(({ id }) => id),
      effect: { kind: 'vault.try-policy', ...plan.tried },
      records: ['keyVersion'],
    },
    {
      id: 'forget-token',
      title: text.forget.title,
      actor: administrator,
      explanation: text.forget.explanation,
      pace: 'automatic',
      action: text.forget.action,
      needs: ['try-policy'],
      effect: { kind: 'vault.forget-token' },
      records: ['tokenForgotten'],
    },
  ];
}

/** Transit, key, policy and log-in for a KMS v2 plugin (seeds: kleidi, "HashiCorp Vault/OpenBao"; FORMATS 2.3). */
export const transitSetUpWorkflow: Workflow<TransitSetUpPlan> = {
  title: text.title,
  steps: transitSetUpSteps,
  subject: (plan) => plan.vaultName,
  place: (plan) => ({ kind: 'vault', vaultId: plan.vaultId }),
  facts: (plan) => [
    [text.facts.vault, `${plan.vaultName}, ${plan.connection.address}`],
    ...(plan.namespace === '' ? [] : [[text.facts.namespace, plan.namespace] as const]),
    ...plan.wanted.map((wanted) => [text.make[wanted.kind].title, nameOf(wanted)] as const),
    ...(plan.replaceDiffering ? [[text.facts.replaced, 'yes'] as const] : []),
  ],
};
