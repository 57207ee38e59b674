import type { SealMigrationPlan } from './plans.ts';
import type { StepDefinition } from './run.ts';
import { shareSteps, sourceInWords } from './unseal.ts';
import { sealMigrationWords as text } from './words-seal-migration.ts';
import type { Workflow } from './workflow.ts';

const administrator = { role: 'administrator' } as const;

/** One node at a time, standbys first, the active one last: both seals must work until the end. */
function sealMigrationSteps(plan: SealMigrationPlan): readonly StepDefinition[] {
  const { connections, sealType } = plan;
  return connections.flatMap((connection, index): readonly StepDefinition[] => {
    const node = `-node-${(index + 1).toString()}`;
    const last = index === connections.length - 1;
    const { address } = connection;
    return [
      {
        id: `restart${node}`,
        title: text.restart.title(address),
        actor: administrator,
        explanation: `${last && connections.length > 1 ? text.restart.last : ''}${text.restart.explanation(sealType)}`,
        pace: 'deliberate',
        guide: text.restart.guide(sealType),
        action: text.restart.action,
        ...(index === 0 ? { danger: { typedName: plan.vaultName, losses: text.losses(sealType) } } : {}),
        needs: index === 0 ? [] : [`confirm-node-${index.toString()}`],
        effect: { kind: 'vault.await-migration', connection, sealType, isLastNode: last },
        records: ['nodeAddress', 'sealType', 'sealedNodes', 'threshold'],
      },
      ...shareSteps(plan, [connection], `restart${node}`, node),
      {
        id: `confirm${node}`,
        title: text.confirm.title(address),
        actor: administrator,
        explanation: text.confirm.explanation(sealType, last),
        pace: 'automatic',
        action: text.confirm.action,
        needs: [`restart${node}`],
        effect: { kind: 'vault.confirm-migrated', connection, sealType, isLastNode: last },
        records: ['nodeAddress', 'sealType', 'recoverySeal'],
      },
    ];
  });
}

/** From Shamir to an auto-seal (pkcs11, transit) or back (Vault, "Seal migration"; FORMATS 3.1). */
export const sealMigrationWorkflow: Workflow<SealMigrationPlan> = {
  title: text.title,
  steps: sealMigrationSteps,
  subject: (plan) => plan.vaultName,
  place: (plan) => ({ kind: 'vault', vaultId: plan.vaultId }),
  facts: (plan) => [
    [text.facts.vault, plan.vaultName],
    [text.facts.nodes, plan.connections.map(({ address }) => address).join(', ')],
    [text.facts.to, plan.sealType],
    ...plan.sources.map((source) => [text.facts.shares, sourceInWords(source)] as const),
  ],
};
