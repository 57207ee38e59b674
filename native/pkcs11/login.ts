import pkcs11js from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { checkPin, withPinText } from './pins.ts';
import { attempt, failureOfReturnValue, type TokenResult } from './return-values.ts';
import { endLogin, openLoginSession } from './sessions.ts';
import { findToken, readToken, type PinState, type TokenEntry } from './tokens.ts';

/** CKS_RW_USER_FUNCTIONS (PKCS#11 v2.40 section 3.3), which pkcs11js does not name. */
const readWriteUserFunctions = 3;

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

const afterWrongTry: Readonly<Record<PinState, string>> = {
  ok: 'The token does not say how many tries are left.',
  'count-low': 'At least one try is used up.',
  'final-try': 'One try is left; after it the token locks the PIN.',
  locked: 'The token has locked the PIN.',
};

function locked(serial: string, message: string): Refused {
  return failure(
    'Token_PinLocked',
    message,
    'Unlock the PIN with the SO-PIN, with the tool of the token’s vendor, or use another token.',
    { serial, pinState: 'locked', triesLeft: 0 },
  );
}

/** Why a PIN may not be sent to the token in this state. */
function refusal(token: TokenEntry, serial: string, consentToLastTry: boolean): Refused | undefined {
  if (token.serial !== serial) {
    return failure(
      'Token_SerialMismatch',
      `Another token sits in the slot now: its serial is ${token.serial}, not ${serial}. The PIN was not sent.`,
      'List the tokens again and choose the right one.',
      { expected: serial, found: token.serial },
    );
  }
  if (!token.userPinSet) {
    return failure(
      'Token_PinNotSet',
      'The token has no user PIN yet.',
      'Set the token up first, or set a PIN with the SO-PIN.',
      { serial },
    );
  }
  if (token.userPinState === 'locked') return locked(serial, 'The PIN is locked. It was not sent.');
  if (token.userPinState === 'final-try' && !consentToLastTry) {
    return failure(
      'Token_PinLastTry',
      'One try is left: a wrong PIN now locks the token. The PIN was not sent.',
      'Make sure of the PIN, then try again and agree to use the last try.',
      { serial, pinState: 'final-try', triesLeft: 1 },
    );
  }
  return undefined;
}

/**
 * Logs the user in to a token, in a session that stays open. Serial, flags and PIN length are checked in the
 * very slot that the PIN then goes to; a PIN that may not be sent does not cost a try.
 * @param pin UTF-8; the caller wipes it
 * Failures: Token_SerialMismatch, Token_PinLastTry, Token_PinLocked, Token_PinNotSet, Token_PinLengthInvalid
 * (none of which sent anything), Token_PinIncorrect with `details.pinState` as read afterwards.
 */
export function login(
  module: TokenModule,
  serial: string,
  pin: Uint8Array,
  consentToLastTry: boolean,
): TokenResult<{ readonly serial: string }> {
  if (isLoggedIn(module, serial)) return success({ serial });
  endLogin(module, serial);
  const found = findToken(module, serial);
  if (!found.ok) return found;
  const { slot } = found.value;
  const opened = openLoginSession(module, slot);
  if (!opened.ok) return opened;
  const session = opened.value;
  const sent = sendPin(module, slot, serial, pin, consentToLastTry, session);
  if (sent.ok) module.logins.set(serial, { slot, session, privateKeys: new Map() });
  // The session may have gone with the token.
  else attempt(() => module.cryptoki.C_CloseSession(session));
  return sent;
}

function sendPin(
  module: TokenModule,
  slot: Buffer,
  serial: string,
  pin: Uint8Array,
  consentToLastTry: boolean,
  session: Buffer,
): TokenResult<{ readonly serial: string }> {
  const token = readToken(module, slot);
  if (!token.ok) return token;
  const refused = refusal(token.value.entry, serial, consentToLastTry) ?? checkPin(pin, 'user', token.value.entry);
  if (refused !== undefined) return refused;
  const sent = attempt(() => withPinText(pin, (text) => module.cryptoki.C_Login(session, pkcs11js.CKU_USER, text)));
  if (sent.ok || sent.returnValue.code === pkcs11js.CKR_USER_ALREADY_LOGGED_IN) return success({ serial });
  if (sent.returnValue.code === pkcs11js.CKR_PIN_LOCKED) return locked(serial, 'The PIN is locked.');
  if (sent.returnValue.code !== pkcs11js.CKR_PIN_INCORRECT) return failureOfReturnValue(sent.returnValue);
  const after = readToken(module, slot);
  const pinState = after.ok ? after.value.entry.userPinState : 'count-low';
  if (pinState === 'locked') return locked(serial, 'The PIN was wrong, and that was the last try: it is locked now.');
  return failure('Token_PinIncorrect', `The PIN is wrong. ${afterWrongTry[pinState]}`, 'Check the PIN and try again.', {
    serial,
    pinState,
    ...(pinState === 'final-try' ? { triesLeft: 1 } : {}),
  });
}

/** Whether the kept session still is what it was: another process may have reset the token, or it was unplugged. */
function isLoggedIn(module: TokenModule, serial: string): boolean {
  const kept = module.logins.get(serial);
  if (kept === undefined) return false;
  const state = attempt(() => module.cryptoki.C_GetSessionInfo(kept.session).state);
  return state.ok && state.value === readWriteUserFunctions;
}
