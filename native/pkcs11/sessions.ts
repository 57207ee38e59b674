import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Login, TokenModule } from './module.ts';
import {
  attempt,
  failureOfReturnValue,
  mayMeanGone,
  meansGone,
  meansSessionLost,
  returnValueOf,
  type ReturnValue,
  type TokenResult,
} from './return-values.ts';
import { findToken, type FoundToken } from './tokens.ts';

const readWrite = pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION;

/** Forgets a login and closes its session, if the library still knows it. */
export function endLogin(module: TokenModule, serial: string): void {
  const login = module.logins.get(serial);
  if (login === undefined) return;
  module.logins.delete(serial);
  login.privateKeys.clear();
  // Either may answer that the session or the login is gone already, which is what is wanted.
  attempt(() => module.cryptoki.C_Logout(login.session));
  for (const session of [login.session, ...login.furtherSessions.splice(0)]) {
    attempt(() => module.cryptoki.C_CloseSession(session));
  }
}

/** How long pcscd may take to notice that a reader is empty, and how often it is asked, in milliseconds. */
const noticing = { patience: 1500, pause: 100 } as const;

/** Sleeps without turning to the next request: the host works on one at a time. */
function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

/** Values that say nothing against a token that makes no random numbers. */
const makesNoRandomNumbers: ReadonlySet<number> = new Set([
  pkcs11js.CKR_RANDOM_NO_RNG,
  pkcs11js.CKR_FUNCTION_NOT_SUPPORTED,
]);

/**
 * Whether the session is there, and the token answers in it. OpenSC knows of sessions until it next looks at the
 * reader; a random number has to come from the card itself.
 */
export function isSessionAlive(module: TokenModule, session: Handle): boolean {
  const { cryptoki } = module;
  if (!attempt(() => cryptoki.C_GetSessionInfo(session)).ok) return false;
  const asked = attempt(() => cryptoki.C_GenerateRandom(session, Buffer.alloc(8)));
  return asked.ok || makesNoRandomNumbers.has(asked.returnValue.code);
}

/**
 * Forgets the logins of tokens that were pulled out since, whether or not they are back: a session ends with the plug.
 * @param present the tokens as they were listed just now
 */
export function endLostLogins(module: TokenModule, present: readonly FoundToken[]): void {
  for (const [serial, login] of [...module.logins]) {
    const found = present.find(({ entry }) => entry.serial === serial);
    const inPlace = found?.slot.equals(login.slot) === true;
    if (!inPlace || !isSessionAlive(module, login.session)) endLogin(module, serial);
  }
}

/** Throws what a call in a session that has ended answers, where the session or its token does not answer any more. */
export function mustBeAlive(module: TokenModule, session: Handle): void {
  if (!isSessionAlive(module, session)) throw new pkcs11js.Pkcs11Error(lostSession.name, lostSession.code);
}

/** CKF_TOKEN_PRESENT and CKF_REMOVABLE_DEVICE (PKCS#11 v2.40 section 3.2), which pkcs11js does not name. */
const tokenPresent = 1;
const removableDevice = 2;

const tokenNotPresent: ReturnValue = { code: pkcs11js.CKR_TOKEN_NOT_PRESENT, name: 'CKR_TOKEN_NOT_PRESENT' };

/**
 * The slot's own word that the token has gone; undefined while a token is in it. OpenSC looks at the reader in
 * C_GetSlotInfo (at most once a second); until then C_GetTokenInfo answers what it remembers.
 */
function absence(module: TokenModule, slot: Handle): ReturnValue | undefined {
  const { cryptoki } = module;
  const slotInformation = attempt(() => cryptoki.C_GetSlotInfo(slot));
  if (!slotInformation.ok && meansGone(slotInformation.returnValue)) return slotInformation.returnValue;
  const flags = slotInformation.ok ? slotInformation.value.flags : 0;
  if ((flags & removableDevice) !== 0 && (flags & tokenPresent) === 0) return tokenNotPresent;
  const inSlot = attempt(() => cryptoki.C_GetTokenInfo(slot));
  return !inSlot.ok && meansGone(inSlot.returnValue) ? inSlot.returnValue : undefined;
}

/** Where the session has gone, the reader is asked until it is empty too or holds on to its token. */
function awaitAbsence(module: TokenModule, slot: Handle): ReturnValue | undefined {
  for (let waited = 0; ; waited += noticing.pause) {
    const gone = absence(module, slot);
    if (gone !== undefined || waited >= noticing.patience) return gone;
    pause(noticing.pause);
  }
}

/** What a return value came from, once token and session were asked whether they are still there. */
export interface Cause {
  readonly returnValue: ReturnValue;
  readonly isTokenGone: boolean;
  readonly isSessionLost: boolean;
}

/** @param session the one that the call was made in */
export function findCause(module: TokenModule, slot: Handle, session: Handle, returnValue: ReturnValue): Cause {
  const settled = (cause: ReturnValue, isSessionLost: boolean): Cause => {
    const isTokenGone = meansGone(cause);
    if (isTokenGone) module.stale = true;
    return { returnValue: cause, isTokenGone, isSessionLost: isSessionLost || isTokenGone };
  };
  // After an unplugged token's first CKR_DEVICE_REMOVED its sessions are merely invalid: ask the slot.
  if (meansSessionLost(returnValue)) return settled(awaitAbsence(module, slot) ?? returnValue, true);
  if (!mayMeanGone(returnValue) || isSessionAlive(module, session)) return settled(returnValue, false);
  return settled(awaitAbsence(module, slot) ?? lostSession, true);
}

/** What a call in a session that has ended answers. */
const lostSession: ReturnValue = {
  code: pkcs11js.CKR_SESSION_HANDLE_INVALID,
  name: 'CKR_SESSION_HANDLE_INVALID',
};

/** What a return value means for a token and for what this host holds on it. */
function settle(
  module: TokenModule,
  serial: string,
  slot: Handle,
  session: Handle,
  thrown: unknown,
): ReturnType<typeof failureOfReturnValue> {
  const returnValue = returnValueOf(thrown);
  if (returnValue === undefined) throw thrown;
  const cause = findCause(module, slot, session, returnValue);
  if (cause.isSessionLost || returnValue.code === pkcs11js.CKR_USER_NOT_LOGGED_IN) endLogin(module, serial);
  return failureOfReturnValue(cause.returnValue);
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
    return settle(module, serial, slot, opened.value, thrown);
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
    return settle(module, serial, login.slot, login.session, thrown);
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
