import type { RunState } from './run.ts';

/** Where a Vault's shares lie and which key they are encrypted under, as far as this program knows; '' for unknown. */
export interface SharePlaces {
  readonly tokenStoreId: string;
  readonly tokenSerial: string;
  readonly keyLabel: string;
}

/**
 * Where a Vault's shares are after a run: an initialisation puts them on its token, a rewrap under its new key, a
 * replacement on the new device.
 * @param before undefined where nothing is known
 * @param isOf whether an initialisation was this Vault's
 * @returns `before` itself where the run moved nothing
 */
export function placesAfter<Before extends SharePlaces | undefined>(
  { plan, status }: Pick<RunState, 'plan' | 'status'>,
  before: Before,
  isOf: (vaultId: string) => boolean,
): SharePlaces | Before {
  if (status !== 'completed') return before;
  if (plan.workflow === 'vault-init') {
    if (!isOf(plan.vaultId)) return before;
    return { tokenStoreId: plan.token.storeId, tokenSerial: plan.token.serial, keyLabel: plan.keyLabel };
  }
  if (plan.workflow !== 'values-rewrap' && plan.workflow !== 'device-clone') return before;
  if (before?.tokenStoreId !== plan.token.storeId || before.tokenSerial !== plan.token.serial) return before;
  const { tokenStoreId, tokenSerial, keyLabel } = before;
  if (plan.workflow === 'values-rewrap')
    return keyLabel === plan.fromKeyLabel ? { tokenStoreId, tokenSerial, keyLabel: plan.toKeyLabel } : before;
  // After a mere clone the first device still unseals.
  return plan.replace ? { tokenStoreId: plan.target.storeId, tokenSerial: plan.target.serial, keyLabel } : before;
}
