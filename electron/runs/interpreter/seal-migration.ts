/** A seal migration, seen from one node: it waits for it, and then it is done. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Effect } from '../../workflows/effects.ts';
import { failure } from '../../workflows/failures.ts';
import type { SealStatus } from '../../workflows/ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';

type MigrationEffect = Extract<Effect, { kind: 'vault.await-migration' | 'vault.confirm-migrated' }>;

/** A node that is being restarted is away for a moment, and a migration takes one too. */
const looks = 40;
const lookInterval = 500;

/**
 * A standby that has had its shares is unsealed and says that it migrates still: what is stored is migrated by a node
 * that becomes the active one, when the one that still has the old seal alone is stopped.
 */
const isMigrated = (status: SealStatus, { sealType, isLastNode }: MigrationEffect): boolean =>
  !status.sealed && status.type === sealType && !(isLastNode && status.migration);

/** Waits until the node has come up with both seals in its configuration. */
export async function awaitMigration(context: StepContext, effect: MigrationEffect): EffectResult {
  const { connection } = effect;
  const { address } = connection;
  for (let look = 1; ; look += 1) {
    const status = await context.ports.vault.sealStatus(connection);
    if (status.ok) {
      context.seen.statuses.set(address, status.value);
      const evidence = { nodeAddress: address, sealType: status.value.type, threshold: status.value.threshold };
      if (isMigrated(status.value, effect)) return foundDone({ ...evidence, sealedNodes: 0 });
      if (status.value.sealed && status.value.migration) return done({ ...evidence, sealedNodes: 1 });
    }
    if (look < looks) {
      await delay(lookInterval);
      continue;
    }
    if (!status.ok) return status;
    return failure(
      'Vault_MigrationNotOffered',
      `${address} is ${status.value.sealed ? 'sealed' : 'unsealed'} with the seal “${status.value.type}” and does not wait for a migration.`,
      'See that its configuration has the seal stanza (with disabled = "true" on the way back to Shamir) and that it was restarted; then begin the step anew.',
      { address, sealType: status.value.type, sealed: status.value.sealed },
    );
  }
}

/** A node that has had its last share migrates, joins and unseals within moments. */
export async function confirmMigrated(context: StepContext, effect: MigrationEffect): EffectResult {
  const { connection, sealType } = effect;
  const { address } = connection;
  for (let look = 1; ; look += 1) {
    const status = await context.ports.vault.sealStatus(connection);
    if (status.ok && isMigrated(status.value, effect))
      return done({
        nodeAddress: address,
        sealType: status.value.type,
        recoverySeal: status.value.recoverySeal,
        sealedNodes: 0,
      });
    if (look < looks) {
      await delay(lookInterval);
      continue;
    }
    if (!status.ok) return status;
    return failure(
      'Vault_MigrationIncomplete',
      `${address} is ${status.value.sealed ? 'sealed' : 'unsealed'} and its seal is “${status.value.type}”, not “${sealType}”.`,
      'Where shares are missing still, give them in a further run. Otherwise look at the node’s log: both seals must work until the end.',
      { address, sealType: status.value.type, progress: status.value.progress },
    );
  }
}
