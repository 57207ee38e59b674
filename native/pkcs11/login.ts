import pkcs11js from 'pkcs11js';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenModule } from './module.ts';
import { pinNotTaken, pinRefusal } from './pin-failures.ts';
import { checkPin, withPinText } from './pins.ts';
import { attempt, type TokenResult } from './return-values.ts';
import { endLogin, openLoginSession } from './sessions.ts';
import { findToken, readToken } from './tokens.ts';

/** CKS_RW_USER_FUNCTIONS (PKCS#11 v2.40 section 3.3), which pkcs11js does not name. */
const readWriteUserFunctions = 3;

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
  if (sent.ok) module.logins.set(serial, { slot, session, furtherSessions: [], privateKeys: new Map() });
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
  const refused =
    pinRefusal(token.value.entry, serial, 'user', consentToLastTry) ?? checkPin(pin, 'user', token.value.entry);
  if (refused !== undefined) return refused;
  const sent = attempt(() => withPinText(pin, (text) => module.cryptoki.C_Login(session, pkcs11js.CKU_USER, text)));
  if (sent.ok || sent.returnValue.code === pkcs11js.CKR_USER_ALREADY_LOGGED_IN) return success({ serial });
  return pinNotTaken({ module, slot, session, serial }, 'user', sent.returnValue);
}

/** Whether the kept session still is what it was: another process may have reset the token, or it was unplugged. */
function isLoggedIn(module: TokenModule, serial: string): boolean {
  const kept = module.logins.get(serial);
  if (kept === undefined) return false;
  const state = attempt(() => module.cryptoki.C_GetSessionInfo(kept.session).state);
  return state.ok && state.value === readWriteUserFunctions;
}
