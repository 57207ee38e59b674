import type { TokenView } from '../../electron/contract/views.ts';
import type { TokenOfPlan } from '../../electron/workflows/device-plans.ts';

/** What a plan says of its token: by serial, since slots move. */
export function tokenOfPlan(token: TokenView): TokenOfPlan {
  return { storeId: token.storeId, serial: token.serial, label: token.label };
}
