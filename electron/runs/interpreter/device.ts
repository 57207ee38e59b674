import type { DeviceEffect } from '../../workflows/device-effects.ts';
import type { EffectResult, StepContext } from './context.ts';
import { copyObjects, verifyCopy } from './device-copy.ts';
import { initializeDevice } from './device-initialize.ts';
import { attest, compareDkek, compareKeys, makeTest, unwrapKey, wrapKey } from './device-keys.ts';
import { createShare, handOutPiece, importShare, openShares } from './device-shares.ts';

/** Carries out an effect on a SmartCard-HSM. */
export function performDevice(context: StepContext, effect: DeviceEffect): EffectResult {
  switch (effect.kind) {
    case 'device.initialize':
      return initializeDevice(context, effect);
    case 'dkek.create-share':
      return createShare(context, effect);
    case 'dkek.hand-out-piece':
      return handOutPiece(context, effect);
    case 'dkek.import-share':
      return importShare(context, effect);
    case 'dkek.open-shares':
      return openShares(context, effect);
    case 'device.attest':
      return attest(context, effect);
    case 'device.compare-dkek':
      return compareDkek(context, effect);
    case 'device.make-test':
      return makeTest(context, effect);
    case 'device.wrap-key':
      return wrapKey(context, effect);
    case 'device.unwrap-key':
      return unwrapKey(context, effect);
    case 'device.compare-keys':
      return compareKeys(context, effect);
    case 'device.copy-objects':
      return copyObjects(context, effect);
    case 'device.verify-copy':
      return verifyCopy(context, effect);
  }
}
