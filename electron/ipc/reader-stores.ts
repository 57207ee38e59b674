/** Which stores a card reader can change, and which of them a run is at work on. */
import { basename } from 'node:path';
import type { RunSnapshot } from '../core/core.ts';
import type { Plan } from '../workflows/plans.ts';
import type { TokenStore } from '../workflows/ports.ts';

/** SoftHSM's tokens are files; every other module may stand for something that is plugged in. */
export function followsReaders(store: TokenStore): boolean {
  return !store.rehearsal && store.softhsmConfiguration === undefined && !/softhsm/iu.test(basename(store.modulePath));
}

/** A module that reaches its tokens through PC/SC and names their slots after the readers: OpenSC's, CardContact's. */
export function isCardModule(store: TokenStore): boolean {
  return followsReaders(store) && /opensc|sc-hsm/iu.test(basename(store.modulePath));
}

/** Every token store that a run of the plan may ask something. */
export function storesOfPlan(plan: Plan): readonly string[] {
  switch (plan.workflow) {
    case 'token-setup':
      return [plan.storeId];
    case 'unseal':
      return plan.sources.flatMap((source) => ('token' in source ? [source.token.storeId] : []));
    case 'cluster-push':
    case 'cluster-undo':
    case 'cluster-forget':
      return [];
    case 'backup-drill':
    case 'device-clone':
      return [plan.token.storeId, plan.target.storeId];
    default:
      return 'token' in plan ? [plan.token.storeId] : [];
  }
}

/** Whether a step is being carried out now that may ask this store: a look from outside would get in its way. */
export function isAtWorkOn(runs: readonly RunSnapshot[], storeId: string): boolean {
  return runs.some(({ busy, state }) => busy && state.status === 'open' && storesOfPlan(state.plan).includes(storeId));
}
