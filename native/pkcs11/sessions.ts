import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Login, TokenModule } from './module.ts';
import {
  attempt,
  failureOfReturnValue,
  meansGone,
  meansSessionLost,
  returnValueOf,
  type TokenResult,
} from './return-values.ts';
import { findToken } from './tokens.ts';

const readWrite = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;

/** Forgets a login and closes its session, if the library still knows it. */
export function endLogin(module: TokenModule, serial: string): void {
  const login = module.logins.get(serial);
  if (login === undefined) return;
  module.logins.delete(serial);
  login.privateKeys.clear();
  // Either may answer that the session or the login is gone already, which is what is wanted.
  attempt(() => module.cryptoki.C_Logout(login.session));
  attempt(() => module.cryptoki.C_CloseSession(login.session));
}

/** What a return value means for a token and for what this host holds on it. */
function settle(
  module: TokenModule,
  serial: string,
  slot: Handle,
  thrown: unknown,
): ReturnType<typeof failureOfReturnValue> {
  const returnValue = returnValueOf(thrown);
  if (returnValue === undefined) throw thrown;
  const lost = meansSessionLost(returnValue);
  // After an unplugged token's first CKR_DEVICE_REMOVED its sessions are merely invalid: ask the slot.
  const inSlot = lost ? attempt(() => module.cryptoki.C_GetTokenInfo(slot)) : undefined;
  const cause = inSlot !== undefined && !inSlot.ok && meansGone(inSlot.returnValue) ? inSlot.returnValue : returnValue;
  if (meansGone(cause)) module.stale = true;
  if (lost || meansGone(cause) || returnValue.code === pkcs11js.CKR_USER_NOT_LOGGED_IN) endLogin(module, serial);
  return failureOfReturnValue(cause);
}

/** A session for one piece of work, closed afterwards. Private objects are seen where the token is logged in. */
function withNewSession<Value>(
  module: TokenModule,
  serial: string,
  slot: Handle,
  work: (session: Handle) => TokenResult<Value>,
): TokenResult<Value> {
  const opened = attempt(() => module.cryptoki.C_OpenSession(slot, readWrite));
  if (!opened.ok) {
    if (meansGone(opened.returnValue)) module.stale = true;
    return failureOfReturnValue(opened.returnValue);
  }
  try {
    return work(opened.value);
  } catch (thrown) {
    return settle(module, serial, slot, thrown);
  } finally {
    // A session that is gone already needs no closing.
    attempt(() => module.cryptoki.C_CloseSession(opened.value));
  }
}

/** Work that needs the PIN. Failures: Token_NotLoggedIn; Token_SessionLost and Token_Gone end the login. */
export function withLogin<Value>(
  module: TokenModule,
  serial: string,
  work: (login: Login) => TokenResult<Value>,
): TokenResult<Value> {
  const login = module.logins.get(serial);
  if (login === undefined) {
    return failure(
      'Token_NotLoggedIn',
      `Nobody is logged in to the token with serial ${serial}.`,
      'Log in with the PIN, then try again.',
      { serial },
    );
  }
  try {
    return work(login);
  } catch (thrown) {
    return settle(module, serial, login.slot, thrown);
  }
}

/**
 * Work that does not need the PIN: in the logged-in session where there is one, else in a session of its
 * own. One of its own that turns out to be lost is opened anew once.
 */
export function withSession<Value>(
  module: TokenModule,
  serial: string,
  work: (session: Handle) => TokenResult<Value>,
): TokenResult<Value> {
  if (module.logins.has(serial)) return withLogin(module, serial, (login) => work(login.session));
  const once = (): TokenResult<Value> => withFreshSession(module, serial, work);
  const first = once();
  return !first.ok && first.error.code === 'Token_SessionLost' ? once() : first;
}

/** Always a session of its own: to read back what another one wrote. */
export function withFreshSession<Value>(
  module: TokenModule,
  serial: string,
  work: (session: Handle) => TokenResult<Value>,
): TokenResult<Value> {
  const login = module.logins.get(serial);
  if (login !== undefined) return withNewSession(module, serial, login.slot, work);
  const found = findToken(module, serial);
  if (!found.ok) return found;
  return withNewSession(module, serial, found.value.slot, work);
}

/** Opens the session that a login is kept in. */
export function openLoginSession(module: TokenModule, slot: Handle): TokenResult<Handle> {
  const opened = attempt(() => module.cryptoki.C_OpenSession(slot, readWrite));
  return opened.ok ? success(opened.value) : failureOfReturnValue(opened.returnValue);
}
