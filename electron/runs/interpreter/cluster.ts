import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import { checkCluster, confirmPreview, keepBefore } from './cluster-before.ts';
import { applyPush, settlePush } from './cluster-apply.ts';
import { watchRollout } from './cluster-rollout.ts';
import {
  checkSecretRoom,
  compareWithSecret,
  storeFromEscrow,
  storeInSecret,
  storeTrialValue,
  verifySecret,
} from './cluster-secret.ts';
import { forgetKept, settleUndo, undoPush } from './cluster-undo.ts';
import type { EffectResult, StepContext } from './context.ts';

/** Carries out an effect on a cluster. */
export function performCluster(context: StepContext, effect: ClusterEffect): EffectResult {
  switch (effect.kind) {
    case 'cluster.check':
      return checkCluster(context, effect);
    case 'cluster.confirm-preview':
      return confirmPreview(context, effect);
    case 'cluster.keep-before':
      return keepBefore(context, effect);
    case 'cluster.apply':
      return applyPush(context, effect);
    case 'cluster.watch-rollout':
      return watchRollout(context, effect);
    case 'cluster.settle':
      return settlePush(context);
    case 'cluster.undo':
      return undoPush(context, effect);
    case 'cluster.settle-undo':
      return settleUndo(context, effect);
    case 'cluster.forget-kept':
      return forgetKept(context, effect);
    case 'secret.check-room':
      return checkSecretRoom(context, effect);
    case 'secret.compare':
      return compareWithSecret(context, effect);
    case 'secret.trial-value':
      return storeTrialValue(context, effect);
    case 'secret.store-values':
      return storeInSecret(context, effect);
    case 'secret.store-from-escrow':
      return storeFromEscrow(context, effect);
    case 'secret.verify-values':
      return verifySecret(context, effect);
  }
}
