import { secretPurpose } from '../../sealing/schema.ts';
import type { CareEffect } from '../../workflows/care-effects.ts';
import { careWords } from '../../workflows/words-care.ts';
import type { Failure, FailureCode, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure } from '../../workflows/failures.ts';
import type { SealedSecretValue } from '../../workflows/ports.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done } from './context.ts';
import { askCurrentPin, askNewPin, pinSituation } from './care-pin-questions.ts';
import type { PinAnswer } from './care-pin-questions.ts';

type Effect = Extract<CareEffect, { kind: 'token.reset' }>;

const askedAgain: ReadonlySet<FailureCode> = new Set([
  'Token_SoPinIncorrect',
  'Token_PinIncorrect',
  'Token_PinLengthInvalid',
  'Device_SoPinFormInvalid',
]);

/** The factory's own retry limit of a SmartCard-HSM. */
const factoryRetryLimit = 3;

async function erase(
  context: StepContext,
  { token, slotId, smartCardHsm }: Effect,
  soPin: PinAnswer,
  pin: SealedSecretValue,
): Promise<Result<{ readonly serial: string; readonly label: string }, TokenFailureCode>> {
  return smartCardHsm
    ? context.ports.devices.initializeDevice({
        token,
        label: token.label,
        currentSoPin: soPin.sealed,
        newSoPin: null,
        pin,
        retryLimit: factoryRetryLimit,
        dkek: { kind: 'none' },
        allowPinResetWithSoPin: false,
      })
    : context.ports.tokens.initializeToken({
        storeId: token.storeId,
        slotId,
        expectedSerial: token.serial,
        label: token.label,
        soPin: soPin.sealed,
        pin,
      });
}

/**
 * Erases a token and reads back that nothing is left. An attempt that was cut off is carried out anew: a token
 * that was erased loses nothing by it, and one that was not cannot be told from it by its serial and label.
 */
export async function resetToken(context: StepContext, effect: Effect): EffectResult {
  const { token } = effect;
  let problem: Failure<TokenFailureCode> | undefined;
  let pin: SealedSecretValue | undefined;
  for (;;) {
    const situation = await pinSituation(context, token, effect.smartCardHsm);
    if (!situation.ok) return situation;
    const soPin = await askCurrentPin(context, situation.value, {
      act: careWords.reset.step.act,
      role: 'so',
      note: '',
      failedWith: problem,
    });
    if (!soPin.ok) return soPin;
    if (pin === undefined) {
      const asked = await askNewPin(context, situation.value, {
        act: careWords.reset.step.act,
        role: 'user',
        failedWith: undefined,
        purpose: secretPurpose.pin(token.serial),
      });
      if (!asked.ok) return asked;
      pin = asked.value.sealed;
    }
    const noted = await context.note({ erasing: true });
    if (!noted.ok) return noted;
    const slotId = situation.value.description.slotId;
    const erased = await erase(context, { ...effect, slotId }, soPin.value, pin);
    context.seen.loggedIn.delete(`${token.storeId} ${token.serial}`);
    if (erased.ok) return readBack(context, effect, erased.value.serial);
    if (!askedAgain.has(erased.error.code)) return erased;
    problem = erased.error;
    if (erased.error.code === 'Token_PinLengthInvalid') pin = undefined;
  }
}

async function readBack(context: StepContext, { token }: Effect, serial: string): EffectResult {
  const reference = { storeId: token.storeId, serial };
  const left = await context.ports.objects.listAllObjects(reference);
  if (!left.ok) return left;
  // Every SmartCard-HSM keeps its own device certificate.
  const objects = left.value.objects.filter(
    ({ objectClass }) => objectClass !== 'certificate' && objectClass !== 'other',
  );
  if (objects.length === 0) return done({ serial, tokenLabel: token.label, objectsLeft: 0 });
  return failure(
    'Token_GeneralError',
    `The token said that it was erased and still shows ${objects.length.toString()} objects.`,
    'Unplug it, plug it in again, look what is on it, and go on with this run.',
    { serial, objects: objects.length },
  );
}
