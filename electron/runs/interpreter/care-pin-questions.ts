/** Asking for PINs and SO-PINs in front of the tries that are left of them. */
import { secretPurpose } from '../../sealing/schema.ts';
import type { TokenOfPlan } from '../../workflows/device-plans.ts';
import type { DeviceDescription } from '../../workflows/device-ports.ts';
import type { Failure, Result, TokenFailureCode } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { SealedSecretValue, TokenDescription } from '../../workflows/ports.ts';
import type { StepContext } from './context.ts';
import { describeToken } from './log-in.ts';

export type PinRole = 'user' | 'so';

export interface PinState {
  readonly state: TokenDescription['userPinState'];
  /** -1 where the token does not say. */
  readonly triesLeft: number;
}

/** What a token says of itself and of its PINs, before one of them is asked for. */
export interface PinSituation {
  readonly token: TokenOfPlan;
  readonly description: TokenDescription;
  /** Whether its PINs go through the SmartCard-HSM's own commands, whose SO-PIN is 16 hexadecimal digits. */
  readonly smartCardHsm: boolean;
  readonly user: PinState;
  readonly so: PinState;
}

function stateOf(state: DeviceDescription['pinState'] | DeviceDescription['soPinState'], triesLeft: number): PinState {
  if (state === 'locked' || triesLeft === 0) return { state: 'locked', triesLeft: 0 };
  if (triesLeft === 1) return { state: 'final-try', triesLeft };
  return { state: triesLeft === 2 ? 'count-low' : 'ok', triesLeft };
}

/** Reads the token now. Failures: Token_NotFound, and those of the SmartCard-HSM's own list. */
export async function pinSituation(
  context: StepContext,
  token: TokenOfPlan,
  smartCardHsm: boolean,
): Promise<Result<PinSituation>> {
  const description = await describeToken(context, token);
  if (!description.ok) return description;
  const { userPinState, soPinState } = description.value;
  const common = { token, smartCardHsm, description: description.value };
  if (!smartCardHsm) {
    return success({
      ...common,
      user: { state: userPinState, triesLeft: -1 },
      so: { state: soPinState, triesLeft: -1 },
    });
  }
  const devices = await context.ports.devices.listDevices(token.storeId);
  if (!devices.ok) return devices;
  const device = devices.value.find(({ serial }) => serial === token.serial);
  if (device === undefined) {
    return failure(
      'Token_NotFound',
      `The SmartCard-HSM with serial ${token.serial} is in no reader.`,
      'Plug it in, wait until it is listed, and go on.',
      { serial: token.serial },
    );
  }
  return success({
    ...common,
    // While somebody is logged in a card does not count its tries aloud: then the library's word stands.
    user:
      device.pinTriesLeft < 0 ? { state: userPinState, triesLeft: -1 } : stateOf(device.pinState, device.pinTriesLeft),
    so:
      device.soPinTriesLeft < 0
        ? { state: soPinState, triesLeft: -1 }
        : stateOf(device.soPinState, device.soPinTriesLeft),
  });
}

const pinName: Readonly<Record<PinRole, string>> = { user: 'PIN', so: 'SO-PIN' };

/** A PIN that is locked is not asked for: it could not be right. */
export function refuseLocked({ state }: PinState, role: PinRole, serial: string): Result<Record<string, never>> {
  if (state !== 'locked') return success({});
  return role === 'user'
    ? failure(
        'Token_PinLocked',
        'The user PIN is locked. It was not asked for.',
        'Unblock it with the SO-PIN: pin unblock, or Unblock the PIN under Devices.',
        { serial, triesLeft: 0 },
      )
    : failure(
        'Token_SoPinLocked',
        'The SO-PIN is locked. It was not asked for.',
        'A locked SO-PIN cannot be unblocked: what needs it can never be done on this token again. Its user PIN and keys go on working.',
        { serial, triesLeft: 0 },
      );
}

export interface PinAnswer {
  readonly sealed: SealedSecretValue;
  readonly consentToLastTry: boolean;
}

/** The SO-PIN of a SmartCard-HSM is 16 hexadecimal digits. */
const hexDigits = 16;

/** The question for one PIN; `problem` is what was wrong the last time. */
async function ask(
  context: StepContext,
  situation: PinSituation,
  question: {
    readonly act: string;
    readonly role: PinRole;
    readonly isNew: boolean;
    readonly pinState: PinState['state'];
    readonly problem: string;
    readonly failedWith: Failure<TokenFailureCode> | undefined;
    readonly purpose: string;
  },
): Promise<Result<PinAnswer>> {
  const { token, description, smartCardHsm } = situation;
  const recipient = await context.ports.tokens.sealingPublicKey(token.storeId);
  if (!recipient.ok) return recipient;
  const isHex = smartCardHsm && question.role === 'so';
  return context.ports.prompt.askPin({
    runId: context.runId,
    rehearsal: context.plan.rehearsal,
    tokenLabel: description.label,
    tokenSerial: token.serial,
    minimumLength: isHex ? hexDigits : description.pinLengthMinimum,
    maximumLength: isHex ? hexDigits : description.pinLengthMaximum,
    form: isHex ? 'hex16' : 'text',
    recipient: recipient.value,
    ...question,
  });
}

/**
 * Asks for a PIN that is in force. The tries left are in the words of the act; the last one is not used
 * without consent.
 * @returns Token_PinLastTry where one try is left and nobody agreed to use it
 */
export async function askCurrentPin(
  context: StepContext,
  situation: PinSituation,
  question: {
    readonly act: string;
    readonly role: PinRole;
    readonly note: string;
    readonly failedWith: Failure<TokenFailureCode> | undefined;
  },
): Promise<Result<PinAnswer>> {
  const { role, failedWith } = question;
  const { serial } = situation.token;
  const { state, triesLeft } = situation[role];
  const open = refuseLocked({ state, triesLeft }, role, serial);
  if (!open.ok) return open;
  const pinState = failedWith?.code === 'Token_PinLastTry' ? 'final-try' : state;
  const answer = await ask(context, situation, {
    act: triesLeft < 0 ? question.act : `${question.act} (${pinName[role]}: ${triesInWords(triesLeft)})`,
    role,
    isNew: false,
    pinState,
    problem: [failedWith?.message ?? '', question.note].filter((part) => part !== '').join(' '),
    failedWith,
    purpose: role === 'user' ? secretPurpose.pin(serial) : secretPurpose.soPin(serial),
  });
  if (!answer.ok || pinState !== 'final-try' || answer.value.consentToLastTry) return answer;
  return failure(
    'Token_PinLastTry',
    `One try is left: a wrong ${pinName[role]} now locks it. It was not sent.`,
    'Make sure of it, then go on and agree to use the last try (--consent-to-last-try in a script).',
    { serial, triesLeft: 1 },
  );
}

const triesInWords = (count: number): string => (count === 1 ? '1 try left' : `${count.toString()} tries left`);

/** Asks for a PIN that is to be set. */
export function askNewPin(
  context: StepContext,
  situation: PinSituation,
  question: {
    readonly act: string;
    readonly role: PinRole;
    readonly failedWith: Failure<TokenFailureCode> | undefined;
    readonly purpose: string;
  },
): Promise<Result<PinAnswer>> {
  return ask(context, situation, {
    ...question,
    isNew: true,
    pinState: 'ok',
    problem: question.failedWith?.message ?? '',
  });
}
