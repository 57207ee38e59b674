import type { EffectOutcome, EffectResult, StepContext } from './context.ts';
import { performCare } from './care.ts';
import { performCluster } from './cluster.ts';
import { performDevice } from './device.ts';
import { generateKey, initializeToken, readTokenBack, verifyKey } from './token-setup.ts';
import {
  confirmFromSeen,
  confirmUnsealed,
  logInToUnseal,
  readSealStatus,
  readSharesAhead,
  unsealFromPgp,
  unsealFromSecret,
  unsealFromToken,
  unsealTyped,
} from './unseal.ts';
import { performKms } from './kms.ts';
import { awaitMigration, confirmMigrated } from './seal-migration.ts';
import { performVaultSetUp } from './vault-setup.ts';
import {
  checkRoom,
  checkUninitialized,
  deliverPgp,
  handOut,
  initializeVault,
  removeEscrow,
  revokeRoot,
  storeTrialObject,
  storeValue,
  unsealFromEscrow,
} from './vault-init.ts';

/**
 * How a step ends that needs nothing from outside, since what was just seen answers it; undefined for every
 * other. Nothing takes place, so its start and its end may go to disk with what comes before them.
 */
export function performAtOnce(context: StepContext): EffectOutcome | undefined {
  const { effect } = context.definition;
  return effect.kind === 'vault.confirm-unsealed' ? confirmFromSeen(context, effect) : undefined;
}

/**
 * Begins what a step will only read, while the record of its start goes to disk: nothing is changed and nothing
 * leaves this machine by it. What fails here is met again, and said, when the step is carried out.
 */
export function readAhead(context: StepContext): void {
  const { effect } = context.definition;
  if (effect.kind === 'vault.unseal-from-token') readSharesAhead(context, effect);
}

/** Carries out the effect of a step. Each looks first whether it took place already. */
export function perform(context: StepContext): EffectResult {
  const { effect } = context.definition;
  switch (effect.kind) {
    case 'token.initialize':
      return initializeToken(context, effect);
    case 'token.read-back':
      return readTokenBack(context, effect);
    case 'token.log-in':
      return logInToUnseal(context, effect);
    case 'token.generate-key':
      return generateKey(context, effect);
    case 'token.verify-key':
      return verifyKey(context, effect);
    case 'device.initialize':
    case 'dkek.create-share':
    case 'dkek.hand-out-piece':
    case 'dkek.import-share':
    case 'dkek.open-shares':
    case 'device.attest':
    case 'device.wrap-key':
    case 'device.unwrap-key':
    case 'device.compare-keys':
    case 'device.compare-dkek':
    case 'device.make-test':
    case 'device.copy-objects':
    case 'device.verify-copy':
      return performDevice(context, effect);
    case 'token.change-pin':
    case 'token.reset':
    case 'object.delete':
    case 'certificate.store':
    case 'key.test':
    case 'value.check':
    case 'value.resolve-double':
    case 'value.read-out':
    case 'values.ensure-key':
    case 'values.rewrap-to-escrow':
    case 'value.replace':
    case 'values.remove-old-key':
      return performCare(context, effect);
    case 'cluster.check':
    case 'cluster.confirm-preview':
    case 'cluster.keep-before':
    case 'cluster.apply':
    case 'cluster.watch-rollout':
    case 'cluster.settle':
    case 'cluster.undo':
    case 'cluster.settle-undo':
    case 'cluster.forget-kept':
    case 'secret.check-room':
    case 'secret.compare':
    case 'secret.trial-value':
    case 'secret.store-values':
    case 'secret.store-from-escrow':
    case 'secret.verify-values':
      return performCluster(context, effect);
    case 'kms.canary':
    case 'kms.count':
    case 'kms.rewrite':
      return performKms(context, effect);
    case 'vault.hold-token':
    case 'vault.make':
    case 'vault.try-policy':
    case 'vault.forget-token':
      return performVaultSetUp(context, effect);
    case 'vault.check-uninitialized':
      return checkUninitialized(context, effect);
    case 'token.check-room':
      return checkRoom(context, effect);
    case 'token.trial-object':
      return storeTrialObject(context, effect);
    case 'vault.initialize':
      return initializeVault(context, effect);
    case 'token.store-value':
      return storeValue(context, effect);
    case 'pgp.deliver':
      return deliverPgp(context, effect);
    case 'share.hand-out':
      return handOut(context, effect);
    case 'vault.unseal-from-escrow':
      return unsealFromEscrow(context, effect);
    case 'vault.revoke-root':
      return revokeRoot(context, effect);
    case 'escrow.remove':
      return removeEscrow(context, effect);
    case 'vault.read-seal-status':
      return readSealStatus(context, effect);
    case 'vault.unseal-from-token':
      return unsealFromToken(context, effect);
    case 'vault.unseal-from-secret':
      return unsealFromSecret(context, effect);
    case 'vault.unseal-from-pgp':
      return unsealFromPgp(context, effect);
    case 'vault.unseal-typed':
      return unsealTyped(context, effect);
    case 'vault.await-migration':
      return awaitMigration(context, effect);
    case 'vault.confirm-migrated':
      return confirmMigrated(context, effect);
    case 'vault.confirm-unsealed':
      return confirmUnsealed(context, effect);
  }
}
