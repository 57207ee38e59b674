/** Why a PIN is not sent, and what it means when the token did not take it. */
import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { pinName, type PinRole } from './pins.ts';
import { failureOfReturnValue, type ReturnValue } from './return-values.ts';
import { findCause } from './sessions.ts';
import { readToken, type PinState, type TokenEntry } from './tokens.ts';

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

const afterWrongTry: Readonly<Record<PinState, string>> = {
  ok: 'The token does not say how many tries are left.',
  'count-low': 'At least one try is used up.',
  'final-try': 'One try is left; after it the token locks it.',
  locked: 'The token has locked it.',
};

function locked(serial: string, role: PinRole, message: string): Refused {
  const details = { serial, pinState: 'locked', triesLeft: 0, role };
  if (role === 'so') {
    return failure(
      'Token_SoPinLocked',
      message,
      'Nothing can be unlocked or set up with it any more; ask the token’s vendor about a factory reset, or use another token.',
      details,
    );
  }
  return failure(
    'Token_PinLocked',
    message,
    'Unlock the PIN with the SO-PIN, with the tool of the token’s vendor, or use another token.',
    details,
  );
}

/** Why a PIN may not be sent to the token in this state. */
export function pinRefusal(
  token: TokenEntry,
  serial: string,
  role: PinRole,
  consentToLastTry: boolean,
): Refused | undefined {
  if (token.serial !== serial) {
    return failure(
      'Token_SerialMismatch',
      `Another token sits in the slot now: its serial is ${token.serial}, not ${serial}. The ${pinName[role]} was not sent.`,
      'List the tokens again and choose the right one.',
      { expected: serial, found: token.serial },
    );
  }
  if (role === 'user' && !token.userPinSet) {
    return failure(
      'Token_PinNotSet',
      'The token has no user PIN yet.',
      'Set the token up first, or set a PIN with the SO-PIN.',
      { serial },
    );
  }
  const state = role === 'user' ? token.userPinState : token.soPinState;
  if (state === 'locked') return locked(serial, role, `The ${pinName[role]} is locked. It was not sent.`);
  if (state === 'final-try' && !consentToLastTry) {
    return failure(
      'Token_PinLastTry',
      `One try is left: a wrong ${pinName[role]} now locks ${role === 'user' ? 'the token' : 'it for good'}. It was not sent.`,
      `Make sure of the ${pinName[role]}, then try again and agree to use the last try.`,
      { serial, pinState: 'final-try', triesLeft: 1, role },
    );
  }
  return undefined;
}

/** Where a PIN was sent. */
export interface PinSent {
  readonly module: TokenModule;
  readonly slot: Handle;
  readonly session: Handle;
  readonly serial: string;
}

/** The token refused a PIN that was sent; where it was wrong, what the token says of the tries left. */
export function pinNotTaken(
  { module, slot, session, serial }: PinSent,
  role: PinRole,
  returnValue: ReturnValue,
): Refused {
  const name = pinName[role];
  if (returnValue.code === pkcs11js.CKR_PIN_LOCKED) return locked(serial, role, `The ${name} is locked.`);
  if (returnValue.code !== pkcs11js.CKR_PIN_INCORRECT) {
    return failureOfReturnValue(findCause(module, slot, session, returnValue).returnValue);
  }
  const after = readToken(module, slot);
  const entry = after.ok ? after.value.entry : undefined;
  const pinState = (role === 'user' ? entry?.userPinState : entry?.soPinState) ?? 'count-low';
  if (pinState === 'locked') {
    return locked(serial, role, `The ${name} was wrong, and that was the last try: it is locked now.`);
  }
  return failure(
    role === 'user' ? 'Token_PinIncorrect' : 'Token_SoPinIncorrect',
    `The ${name} is wrong. ${afterWrongTry[pinState]}`,
    `Check the ${name} and try again.`,
    { serial, pinState, role, ...(pinState === 'final-try' ? { triesLeft: 1 } : {}) },
  );
}
