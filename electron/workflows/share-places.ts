import type { SharesInSecret } from './cluster-plans.ts';
import { unsealIndexOf } from './bank-vaults.ts';
import type { VaultInitPlan } from './plans.ts';
import type { TokenReference } from './ports.ts';
import type { RunState } from './run.ts';

/** Where a Vault's shares lie and which key they are encrypted under, as far as this program knows; '' for unknown. */
export interface SharePlaces {
  readonly tokenStoreId: string;
  readonly tokenSerial: string;
  readonly keyLabel: string;
  /** Shares that lie in a Kubernetes Secret, encrypted under that key. */
  readonly secret?: SharesInSecret | undefined;
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
    return {
      tokenStoreId: plan.token.storeId,
      tokenSerial: plan.token.serial,
      keyLabel: plan.keyLabel,
      secret: secretOf(plan),
    };
  }
  if (plan.workflow === 'secret-store') {
    const { cluster, secret } = plan;
    return isUnder(before, plan.token, plan.keyLabel) && plan.labels.some((label) => unsealIndexOf(label) !== undefined)
      ? { ...placesOf(before), secret: { cluster, secret, alsoOnToken: true } }
      : before;
  }
  if (plan.workflow !== 'values-rewrap' && plan.workflow !== 'device-clone') return before;
  if (!isOn(before, plan.token)) return before;
  const places = placesOf(before);
  if (plan.workflow === 'values-rewrap')
    // What lies in a Secret is still under the old key: as long as that is there, it is a copy for hard times only.
    return places.keyLabel === plan.fromKeyLabel && places.secret?.alsoOnToken !== false
      ? { ...places, keyLabel: plan.toKeyLabel, secret: undefined }
      : before;
  // After a mere clone the first device still unseals.
  return plan.replace ? { ...places, tokenStoreId: plan.target.storeId, tokenSerial: plan.target.serial } : before;
}

/** The places alone, without whatever else `before` is. */
function placesOf({ tokenStoreId, tokenSerial, keyLabel, secret }: SharePlaces): SharePlaces {
  return { tokenStoreId, tokenSerial, keyLabel, ...(secret === undefined ? {} : { secret }) };
}

function isOn(places: SharePlaces | undefined, token: TokenReference): places is SharePlaces {
  return places?.tokenStoreId === token.storeId && places.tokenSerial === token.serial;
}

function isUnder(places: SharePlaces | undefined, token: TokenReference, keyLabel: string): places is SharePlaces {
  return isOn(places, token) && places.keyLabel === keyLabel;
}

/** Where an initialisation put shares into a Secret; undefined where it put none there. */
function secretOf(plan: VaultInitPlan): SharesInSecret | undefined {
  const { secret, destinations } = plan;
  return secret === undefined || !destinations.some(({ kind }) => kind === 'secret')
    ? undefined
    : {
        cluster: secret.cluster,
        secret: secret.secret,
        alsoOnToken: destinations.some(({ kind }) => kind === 'token'),
      };
}
