import type { DeviceEffect } from '../../workflows/device-effects.ts';
import { failure } from '../../workflows/failures.ts';
import type { EffectResult, StepContext } from './context.ts';

/** Carries out an effect on a SmartCard-HSM. */
export function performDevice(context: StepContext, effect: DeviceEffect): EffectResult {
  return Promise.resolve(
    failure(
      'App_Internal',
      `${effect.kind} in ${context.runId} is not carried out yet.`,
      'Report this as a fault in the program.',
    ),
  );
}
