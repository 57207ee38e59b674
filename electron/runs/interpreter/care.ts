import type { CareEffect } from '../../workflows/care-effects.ts';
import { failure } from '../../workflows/failures.ts';
import type { EffectResult, StepContext } from './context.ts';

/** Carries out an effect on a token that is in use. */
export function performCare(context: StepContext, effect: CareEffect): EffectResult {
  return Promise.resolve(
    failure(
      'App_Internal',
      `${effect.kind} in ${context.runId} is not carried out yet.`,
      'Report this as a fault in the program.',
    ),
  );
}
