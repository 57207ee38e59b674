/** A new user PIN or SO-PIN, by who knows the old one, and a new user PIN by who knows the SO-PIN. */
import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { pinNotTaken, pinRefusal } from './pin-failures.ts';
import { checkPin, pinName, withPinText, type PinRole } from './pins.ts';
import { attempt, type TokenResult } from './return-values.ts';
import { endLogin, openLoginSession } from './sessions.ts';
import { findToken, readToken, type TokenEntry } from './tokens.ts';

type Changed = TokenResult<{ readonly serial: string }>;

interface OnToken {
  readonly module: TokenModule;
  readonly serial: string;
  readonly slot: Handle;
  readonly session: Handle;
  readonly entry: TokenEntry;
}

/** Without a login, in a session of its own: serial and state are read in the very slot that the PIN then goes to. */
function onToken(module: TokenModule, serial: string, work: (token: OnToken) => Changed): Changed {
  endLogin(module, serial);
  const found = findToken(module, serial);
  if (!found.ok) return found;
  const { slot } = found.value;
  const opened = openLoginSession(module, slot);
  if (!opened.ok) return opened;
  try {
    const token = readToken(module, slot);
    if (!token.ok) return token;
    return work({ module, serial, slot, session: opened.value, entry: token.value.entry });
  } finally {
    // Closing the only session logs out too. It may have gone with the token.
    attempt(() => module.cryptoki.C_CloseSession(opened.value));
  }
}

const pkcs11Role: Readonly<Record<PinRole, number>> = { user: pkcs11js.CKU_USER, so: pkcs11js.CKU_SO };

/** Logs in with a PIN that is expected to be right, works, and logs out. */
function loggedIn(token: OnToken, role: PinRole, pin: Uint8Array, work: () => void): Changed {
  const { cryptoki } = token.module;
  const sent = attempt(() => withPinText(pin, (text) => cryptoki.C_Login(token.session, pkcs11Role[role], text)));
  if (!sent.ok) return pinNotTaken(token, role, sent.returnValue);
  const done = attempt(work);
  // What the work answered is what counts.
  attempt(() => cryptoki.C_Logout(token.session));
  return done.ok ? success({ serial: token.serial }) : pinNotTaken(token, role, done.returnValue);
}

/** The new PIN is tried, so that nobody finds out later that the token did not take it. */
function confirm(token: OnToken, role: PinRole, replacement: Uint8Array): Changed {
  const confirmed = loggedIn(token, role, replacement, () => undefined);
  if (
    confirmed.ok ||
    (confirmed.error.code !== 'Token_PinIncorrect' && confirmed.error.code !== 'Token_SoPinIncorrect')
  )
    return confirmed;
  return failure(
    'Token_GeneralError',
    `The token said that it took the new ${pinName[role]}, but does not accept it.`,
    `Log in with the old ${pinName[role]} to see which one counts, and change it with the tool of the token’s vendor.`,
    { serial: token.serial, role },
  );
}

function notSent(
  { entry, serial }: OnToken,
  role: PinRole,
  consentToLastTry: boolean,
  pins: readonly (readonly [PinRole, Uint8Array])[],
): { readonly ok: false; readonly error: Failure<TokenFailureCode> } | undefined {
  const refused = pinRefusal(entry, serial, role, consentToLastTry);
  if (refused !== undefined) return refused;
  return pins.map(([ofRole, pin]) => checkPin(pin, ofRole, entry)).find((problem) => problem !== undefined);
}

export interface PinChange {
  readonly role: PinRole;
  /** UTF-8; the caller wipes both. */
  readonly current: Uint8Array;
  readonly replacement: Uint8Array;
  readonly consentToLastTry: boolean;
}

/**
 * C_SetPIN, and the new PIN tried afterwards. Ends the login. Failures that sent nothing: Token_SerialMismatch,
 * Token_PinLastTry, Token_PinLocked, Token_SoPinLocked, Token_PinNotSet, Token_PinLengthInvalid (either PIN). Then
 * Token_PinIncorrect and Token_SoPinIncorrect with `details.pinState`.
 */
export function changePin(module: TokenModule, serial: string, change: PinChange): Changed {
  const { role, current, replacement, consentToLastTry } = change;
  return onToken(module, serial, (token) => {
    const refused = notSent(token, role, consentToLastTry, [
      [role, current],
      [role, replacement],
    ]);
    if (refused !== undefined) return refused;
    const setPin = (): void => {
      withPinText(current, (old) =>
        withPinText(replacement, (text) => module.cryptoki.C_SetPIN(token.session, old, text)),
      );
    };
    // In a public session C_SetPIN changes the user PIN (PKCS#11 v2.40 section 5.5); the SO-PIN needs its login.
    const changed = role === 'user' ? setUserPin(token, setPin) : loggedIn(token, 'so', current, setPin);
    return changed.ok ? confirm(token, role, replacement) : changed;
  });
}

function setUserPin(token: OnToken, setPin: () => void): Changed {
  const set = attempt(setPin);
  if (set.ok) return success({ serial: token.serial });
  return pinNotTaken(token, 'user', set.returnValue);
}

/**
 * C_InitPIN in an SO session, which also unlocks the PIN; the new one is tried afterwards. Ends the login. The last
 * try of the SO-PIN is never used. Failures like `changePin`'s for the SO-PIN.
 */
export function resetPin(
  module: TokenModule,
  serial: string,
  { soPin, newPin }: { readonly soPin: Uint8Array; readonly newPin: Uint8Array },
): Changed {
  return onToken(module, serial, (token) => {
    const refused = notSent(token, 'so', false, [
      ['so', soPin],
      ['user', newPin],
    ]);
    if (refused !== undefined) return refused;
    const reset = loggedIn(token, 'so', soPin, () => {
      withPinText(newPin, (text) => module.cryptoki.C_InitPIN(token.session, text));
    });
    return reset.ok ? confirm(token, 'user', newPin) : reset;
  });
}
