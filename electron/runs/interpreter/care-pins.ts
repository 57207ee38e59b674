import { secretPurpose } from '../../sealing/schema.ts';
import type { CareEffect } from '../../workflows/care-effects.ts';
import { careWords } from '../../workflows/words-care.ts';
import type { Failure, FailureCode, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { success } from '../../workflows/failures.ts';
import type { SealedSecretValue } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done } from './context.ts';
import { askCurrentPin, askNewPin, pinSituation } from './care-pin-questions.ts';
import type { PinAnswer, PinRole, PinSituation } from './care-pin-questions.ts';

type Effect = Extract<CareEffect, { kind: 'token.change-pin' }>;

/** Asked once more for the PIN in force, with what was wrong. */
const wrongPin: ReadonlySet<FailureCode> = new Set(['Token_PinIncorrect', 'Token_SoPinIncorrect', 'Token_PinLastTry']);
/** Asked once more for both: the token does not always say which of them it does not like. */
const wrongForm: ReadonlySet<FailureCode> = new Set([
  'Token_PinLengthInvalid',
  'Device_SoPinFormInvalid',
  'Device_SoPinIsFactory',
]);

/**
 * Whether a PIN was changed can be found out only by using it. So an act that was cut off is carried out anew,
 * which does no harm: where it took place, the PIN in force is the new one, and it is set to itself.
 */
const cutOff =
  'This was begun before and cut off, so the new PIN may be in force already. Type the one that is; where you are not sure, ask for the tries first.';

interface Questions {
  /** The role of the PIN in force that the act needs. */
  readonly current: PinRole;
  /** The role of the PIN that it sets, undefined where it sets none. */
  readonly replacement: PinRole | undefined;
}

function questionsOf({ act, smartCardHsm }: Effect): Questions {
  switch (act) {
    case 'change-pin':
      return { current: 'user', replacement: 'user' };
    case 'change-so-pin':
      return { current: 'so', replacement: 'so' };
    case 'reset-pin':
      return { current: 'so', replacement: 'user' };
    case 'unblock-pin':
      // PKCS#11 has no other way to unblock than to set a PIN (C_InitPIN).
      return { current: 'so', replacement: smartCardHsm ? undefined : 'user' };
  }
}

/** `pinTriesLeft` and `soPinTriesLeft` as a card said them; a PKCS#11 library says none. */
type TriesLeft = Evidence;

async function send(
  context: StepContext,
  { token, act, smartCardHsm }: Effect,
  current: PinAnswer,
  replacement: SealedSecretValue | undefined,
): Promise<Result<TriesLeft, TokenFailureCode>> {
  const { devices, objects } = context.ports;
  const { consentToLastTry } = current;
  if (replacement !== undefined && (act === 'change-pin' || act === 'change-so-pin')) {
    const request = {
      token,
      role: act === 'change-pin' ? ('user' as const) : ('so' as const),
      current: current.sealed,
      replacement,
      consentToLastTry,
    };
    if (smartCardHsm) return triesOf(await devices.changeDevicePin(request));
    const changed = await objects.changePin(request);
    return changed.ok ? success({}) : changed;
  }
  if (smartCardHsm) return triesOf(await devices.unblockDevicePin(token, current.sealed, replacement ?? null));
  if (replacement === undefined) return success({});
  const set = await objects.resetPin(token, current.sealed, replacement);
  return set.ok ? success({}) : set;
}

function triesOf(
  answer: Result<{ readonly pinTriesLeft: number; readonly soPinTriesLeft: number }, TokenFailureCode>,
): Result<TriesLeft, TokenFailureCode> {
  if (!answer.ok) return answer;
  const { pinTriesLeft, soPinTriesLeft } = answer.value;
  return success({
    ...(pinTriesLeft < 0 ? {} : { pinTriesLeft }),
    ...(soPinTriesLeft < 0 ? {} : { soPinTriesLeft }),
  });
}

interface Answers {
  readonly current: PinAnswer;
  readonly replacement: SealedSecretValue | undefined;
}

async function askPins(
  context: StepContext,
  effect: Effect,
  situation: PinSituation,
  problem: Failure<TokenFailureCode> | undefined,
  kept: SealedSecretValue | undefined,
): Promise<Result<Answers>> {
  const { current, replacement } = questionsOf(effect);
  const { act } = careWords.pinChange.steps[effect.act];
  const { serial } = effect.token;
  const answer = await askCurrentPin(context, situation, {
    act,
    role: current,
    note: context.noted['changing'] === true && problem === undefined ? cutOff : '',
    failedWith: problem,
  });
  if (!answer.ok) return answer;
  if (replacement === undefined || kept !== undefined) return success({ current: answer.value, replacement: kept });
  const fresh = await askNewPin(context, situation, {
    act,
    role: replacement,
    failedWith: undefined,
    purpose: replacement === 'user' ? secretPurpose.newPin(serial) : secretPurpose.newSoPin(serial),
  });
  return fresh.ok ? success({ current: answer.value, replacement: fresh.value.sealed }) : fresh;
}

/** Changes, unblocks or sets a PIN. The host's logins on the token are over afterwards. */
export async function changePin(context: StepContext, effect: Effect): EffectResult {
  const { token } = effect;
  let problem: Failure<TokenFailureCode> | undefined;
  let kept: SealedSecretValue | undefined;
  for (;;) {
    const situation = await pinSituation(context, token, effect.smartCardHsm);
    if (!situation.ok) return situation;
    const answers = await askPins(context, effect, situation.value, problem, kept);
    if (!answers.ok) return answers;
    const noted = await context.note({ changing: true });
    if (!noted.ok) return noted;
    const changed = await send(context, effect, answers.value.current, answers.value.replacement);
    context.seen.loggedIn.delete(`${token.storeId} ${token.serial}`);
    if (changed.ok) return done({ serial: token.serial, ...changed.value });
    // Where consent does not change the token's mind, asking for it again would not either.
    if (changed.error.code === 'Token_PinLastTry' && answers.value.current.consentToLastTry) return changed;
    const isWrongPin = wrongPin.has(changed.error.code);
    if (!isWrongPin && !wrongForm.has(changed.error.code)) return changed;
    // The token said no, so that nothing was changed: a later attempt is no continuation of this one.
    const withdrawn = await context.note({ changing: false });
    if (!withdrawn.ok) return withdrawn;
    problem = changed.error;
    kept = isWrongPin ? answers.value.replacement : undefined;
  }
}
