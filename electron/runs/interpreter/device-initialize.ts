import { secretPurpose } from '../../sealing/schema.ts';
import type { DeviceEffect } from '../../workflows/device-effects.ts';
import type { DeviceChoices } from '../../workflows/device-plans.ts';
import type { DeviceDescription, DkekChoice } from '../../workflows/device-ports.ts';
import { deviceWords } from '../../workflows/words-device.ts';
import type { Failure, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { SealedSecretValue, TokenDescription } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { describeDevice, devicesOf, dkekInWords, evidenceOfKeyCheck } from './device-state.ts';
import { forgetLogins } from './log-in.ts';

type Effect = Extract<DeviceEffect, { kind: 'device.initialize' }>;

/** OpenSC takes no longer one, though the card would. */
const longestPin = 15;
/** Characters of an SO-PIN: 8 bytes in hexadecimal. */
const soPinLength = 16;
/** Tries of an SO-PIN that was not mistyped since. */
const soPinTries = 15;

/** The card wants a longer PIN where it may be tried more often: 6 characters for 3 tries, 7 for 5, 8 for 10. */
export function shortestPin(retryLimit: number): number {
  if (retryLimit <= 3) return 6;
  return retryLimit <= 5 ? 7 : 8;
}

function choiceOf({ dkek }: DeviceChoices): DkekChoice {
  return dkek.kind === 'shares' ? { kind: 'shares', count: dkek.shares.length } : dkek;
}

/** Whether the device is as it is right after this initialisation: label, PIN and its tries, options, DKEK. */
function isAsChosen({ label, choices }: Effect, device: DeviceDescription): boolean {
  const { dkek } = device;
  const choice = choiceOf(choices);
  if (device.label !== label || device.pinState !== 'set') return false;
  if (device.pinTriesLeft >= 0 && device.pinTriesLeft !== choices.retryLimit) return false;
  if (device.options.includes('pin-reset-with-so-pin') !== choices.allowPinResetWithSoPin) return false;
  if (choice.kind === 'none') return dkek.kind === 'none';
  if (choice.kind === 'random') return dkek.kind === 'ready' && dkek.shares === 0;
  return dkek.kind === 'awaiting-shares' && dkek.shares === choice.count && dkek.outstanding === choice.count;
}

/**
 * Whether an earlier attempt of this run did it. A device that had the same label and DKEK before is told from its
 * former self by the memory that the erasing freed; where it was empty, erasing it once more takes nothing.
 */
function wasDoneBefore(context: StepContext, effect: Effect, device: DeviceDescription): boolean {
  if (context.noted['erasing'] !== true || !isAsChosen(effect, device)) return false;
  if (context.noted['labelBefore'] !== effect.label) return true;
  const before = context.noted['freeMemoryBefore'];
  return typeof before === 'number' && before >= 0 && device.freeMemory > before;
}

function evidenceOf(device: DeviceDescription): Evidence {
  return {
    serial: device.serial,
    tokenLabel: device.label,
    firmwareVersion: device.firmwareVersion,
    dkek: dkekInWords(device.dkek),
    ...evidenceOfKeyCheck(device.dkek),
  };
}

function soPinStateOf({ soPinState, soPinTriesLeft }: DeviceDescription): TokenDescription['soPinState'] {
  if (soPinState === 'locked' || soPinTriesLeft === 0) return 'locked';
  if (soPinTriesLeft === 1) return 'final-try';
  return soPinTriesLeft > 0 && soPinTriesLeft < soPinTries ? 'count-low' : 'ok';
}

interface Question {
  readonly role: 'user' | 'so';
  readonly isNew: boolean;
  readonly act: string;
  readonly problem: string;
  readonly failedWith: Failure<TokenFailureCode> | undefined;
  readonly purpose: string;
}

async function ask(
  context: StepContext,
  effect: Effect,
  device: DeviceDescription,
  question: Question,
): Promise<Result<SealedSecretValue>> {
  const recipient = await context.ports.tokens.sealingPublicKey(effect.device.storeId);
  if (!recipient.ok) return recipient;
  const isSoPin = question.role === 'so';
  const answer = await context.ports.prompt.askPin({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    tokenLabel: effect.label,
    tokenSerial: device.serial,
    minimumLength: isSoPin ? soPinLength : shortestPin(effect.choices.retryLimit),
    maximumLength: isSoPin ? soPinLength : longestPin,
    pinState: isSoPin && !question.isNew ? soPinStateOf(device) : 'ok',
    form: isSoPin ? 'hex16' : 'text',
    recipient: recipient.value,
    ...question,
  });
  return answer.ok ? success(answer.value.sealed) : answer;
}

/** Who types, in the words of the act: with two keepers, each has to know whose turn it is. */
const actOf = ({ label }: Effect, keeper: string): string => `${deviceWords.initialize.act(label)} - ${keeper} types`;

const triesInWords = (count: number): string => `${count.toString()} ${count === 1 ? 'try' : 'tries'} left`;

/** The SO-PIN in force now. */
function askCurrentSoPin(
  context: StepContext,
  effect: Effect,
  device: DeviceDescription,
  failedWith?: Failure<TokenFailureCode>,
): Promise<Result<SealedSecretValue>> {
  const cutOff =
    failedWith === undefined && context.noted['erasing'] === true && effect.choices.newSoPin
      ? 'This was begun before and cut off, so the SO-PIN may be the new one already. Type the one that is in force.'
      : '';
  const act = actOf(effect, effect.choices.soPinHolder);
  return ask(context, effect, device, {
    role: 'so',
    isNew: false,
    // The card counts them, and so does the person.
    act: device.soPinTriesLeft < 0 ? act : `${act} (SO-PIN: ${triesInWords(device.soPinTriesLeft)})`,
    problem: failedWith?.message ?? cutOff,
    failedWith,
    purpose: secretPurpose.soPin(device.serial),
  });
}

/** A secret that is set by this initialisation, from its keeper. */
function askNew(
  context: StepContext,
  effect: Effect,
  device: DeviceDescription,
  role: 'user' | 'so',
  failedWith?: Failure<TokenFailureCode>,
): Promise<Result<SealedSecretValue>> {
  const { soPinHolder, pinHolder } = effect.choices;
  return ask(context, effect, device, {
    role,
    isNew: true,
    act: actOf(effect, role === 'so' ? soPinHolder : pinHolder),
    problem: failedWith?.message ?? '',
    failedWith,
    purpose: role === 'so' ? secretPurpose.newSoPin(device.serial) : secretPurpose.pin(device.serial),
  });
}

interface Answers {
  /** null: the one that every device leaves the factory with. */
  readonly currentSoPin: SealedSecretValue | null;
  readonly newSoPin: SealedSecretValue | null;
  readonly pin: SealedSecretValue;
}

async function askAll(context: StepContext, effect: Effect, device: DeviceDescription): Promise<Result<Answers>> {
  const { choices } = effect;
  // A try is not spent on a guess: after an attempt that was cut off, and before the last one, a person says it.
  const isKnown =
    choices.currentSoPin === 'factory' && context.noted['erasing'] !== true && device.soPinTriesLeft !== 1;
  const current = isKnown ? success(null) : await askCurrentSoPin(context, effect, device);
  if (!current.ok) return current;
  const newSoPin = choices.newSoPin ? await askNew(context, effect, device, 'so') : success(null);
  if (!newSoPin.ok) return newSoPin;
  const pin = await askNew(context, effect, device, 'user');
  return pin.ok ? success({ currentSoPin: current.value, newSoPin: newSoPin.value, pin: pin.value }) : pin;
}

/** Asks anew for what the device did not take; undefined where no other answer would help. */
async function askAgain(
  context: StepContext,
  effect: Effect,
  answers: Answers,
  error: Failure<TokenFailureCode>,
): Promise<Result<Answers> | undefined> {
  const device = await describeDevice(context, effect.device);
  if (!device.ok) return device;
  if (error.code === 'Token_SoPinIncorrect') {
    const currentSoPin = await askCurrentSoPin(context, effect, device.value, error);
    return currentSoPin.ok ? success({ ...answers, currentSoPin: currentSoPin.value }) : currentSoPin;
  }
  if (error.code === 'Device_SoPinIsFactory') {
    const newSoPin = await askNew(context, effect, device.value, 'so', error);
    return newSoPin.ok ? success({ ...answers, newSoPin: newSoPin.value }) : newSoPin;
  }
  if (error.code === 'Token_PinLengthInvalid') {
    const pin = await askNew(context, effect, device.value, 'user', error);
    return pin.ok ? success({ ...answers, pin: pin.value }) : pin;
  }
  return undefined;
}

/** What keeps the device from being initialised at all, before anybody is asked for anything. */
async function refusal(
  context: StepContext,
  { device: { storeId, serial }, label }: Effect,
  device: DeviceDescription,
): Promise<Failure | undefined> {
  if (soPinStateOf(device) === 'locked')
    return failure(
      'Token_SoPinLocked',
      'The SO-PIN of this device is locked: too many wrong ones were given.',
      'It can never be initialised again. Its PIN and keys go on working; use another device for what is new.',
      { serial, triesLeft: 0 },
    ).error;
  const devices = await devicesOf(context, storeId);
  if (!devices.ok) return devices.error;
  return devices.value.some((other) => other.serial !== serial && other.label === label)
    ? failure(
        'Token_LabelInUse',
        `Another device here is called “${label}” already.`,
        'Start a new run with another label, so that nobody takes one device for the other.',
      ).error
    : undefined;
}

/** Erases a SmartCard-HSM, sets what the plan chose, and compares what the device says of itself afterwards. */
export async function initializeDevice(context: StepContext, effect: Effect): EffectResult {
  const before = await describeDevice(context, effect.device);
  if (!before.ok) return before;
  if (wasDoneBefore(context, effect, before.value)) return foundDone(evidenceOf(before.value));
  const refused = await refusal(context, effect, before.value);
  if (refused !== undefined) return { ok: false, error: refused };
  let answers = await askAll(context, effect, before.value);
  if (!answers.ok) return answers;
  const noted = await context.note({
    erasing: true,
    labelBefore: context.noted['labelBefore'] ?? before.value.label,
    freeMemoryBefore: context.noted['freeMemoryBefore'] ?? before.value.freeMemory,
  });
  if (!noted.ok) return noted;
  for (;;) {
    const initialized = await context.ports.devices.initializeDevice({
      token: effect.device,
      label: effect.label,
      ...answers.value,
      retryLimit: effect.choices.retryLimit,
      dkek: choiceOf(effect.choices),
      allowPinResetWithSoPin: effect.choices.allowPinResetWithSoPin,
    });
    forgetLogins(context, effect.device.storeId);
    if (initialized.ok) return compare(effect, initialized.value);
    const again = await askAgain(context, effect, answers.value, initialized.error);
    if (again === undefined) return initialized;
    if (!again.ok) return again;
    answers = again;
  }
}

function compare(effect: Effect, device: DeviceDescription): Awaited<EffectResult> {
  return isAsChosen(effect, device)
    ? done(evidenceOf(device))
    : failure(
        'Device_StatusUnexpected',
        'The device was initialised, and what it says of itself is not what was chosen.',
        'Press the button again: it is initialised once more. If it stays so, do not use this device.',
        {
          serial: device.serial,
          label: device.label,
          pinState: device.pinState,
          dkek: dkekInWords(device.dkek),
        },
      );
}
