import type { CareEffect } from '../../workflows/care-effects.ts';
import { deleteObject, storeCertificate, testKey } from './care-objects.ts';
import { changePin } from './care-pins.ts';
import { resetToken } from './care-reset.ts';
import { ensureKey, removeOldKey, replaceValue, rewrapToEscrow } from './care-rewrap.ts';
import { checkValue, readOut, resolveDouble } from './care-values.ts';
import type { EffectResult, StepContext } from './context.ts';

/** Carries out an effect on a token that is in use. */
export function performCare(context: StepContext, effect: CareEffect): EffectResult {
  switch (effect.kind) {
    case 'token.change-pin':
      return changePin(context, effect);
    case 'token.reset':
      return resetToken(context, effect);
    case 'object.delete':
      return deleteObject(context, effect);
    case 'certificate.store':
      return storeCertificate(context, effect);
    case 'key.test':
      return testKey(context, effect);
    case 'value.check':
      return checkValue(context, effect);
    case 'value.resolve-double':
      return resolveDouble(context, effect);
    case 'value.read-out':
      return readOut(context, effect);
    case 'values.ensure-key':
      return ensureKey(context, effect);
    case 'values.rewrap-to-escrow':
      return rewrapToEscrow(context, effect);
    case 'value.replace':
      return replaceValue(context, effect);
    case 'values.remove-old-key':
      return removeOldKey(context, effect);
  }
}
