/**
 * One logged-in session on the token. Calls are synchronous and in this process: a process of its own would cost as
 * much again as the call (docs/kms-provider.md), and kube-apiserver's own deadline guards it against a token that hangs.
 */
import { createHash } from 'node:crypto';
import pkcs11js, { type Handle, type PKCS11, type Template } from 'pkcs11js';
import { ownLabel } from '../../../electron/workflows/token-labels.ts';
import type { TokenConfiguration } from '../configuration.ts';
import type { PinSource } from '../pin-source.ts';
import { returnValueOf, TokenUnusable } from './token-failure.ts';

export interface TokenConnection {
  readonly cryptoki: PKCS11;
  readonly session: Handle;
  readonly slot: Handle;
  readonly serial: string;
  /** The library reads a token object's file at each use: SoftHSM. */
  readonly readsFiles: boolean;
  /** Of a mechanism (CKM_…). */
  isOffered(mechanism: number): boolean;
  /** Asked of the reader, where there is one. */
  isInSlot(): boolean;
  find(template: Template): readonly Handle[];
  /** Ends an object of this session, if it is still there. */
  discard(object: Handle): void;
  close(): void;
}

/** Handles that are asked for at once; more keys of one label than this are no key ring. */
const mostHandles = 256;

/** CKF_TOKEN_PRESENT (PKCS#11 v2.40 section 3.2, CK_SLOT_INFO), which pkcs11js' types do not name. */
const tokenPresent = 1;

const trimmed = (text: string): string => text.replaceAll('\0', ' ').trimEnd();

/** Loads the library once a process: some of them do not take a second time. */
export function loadLibrary(path: string): PKCS11 {
  const cryptoki = new pkcs11js.PKCS11();
  try {
    cryptoki.load(path);
  } catch (thrown) {
    if (thrown instanceof Error)
      throw new TokenUnusable(`${path} is not there, or is no PKCS#11 library for this machine.`);
    throw thrown;
  }
  return cryptoki;
}

/** Answers what the token answers to a clean-up that may be too late. */
function quietly(call: () => void): string | undefined {
  try {
    call();
    return undefined;
  } catch (thrown) {
    const name = returnValueOf(thrown);
    if (name === undefined) throw thrown;
    return name;
  }
}

interface Found {
  readonly slot: Handle;
  readonly serial: string;
}

function findSlot(cryptoki: PKCS11, wanted: TokenConfiguration): Found {
  const matching = cryptoki.C_GetSlotList(true).flatMap((slot) => {
    const token = cryptoki.C_GetTokenInfo(slot);
    const isWanted =
      (wanted.tokenLabel === undefined || ownLabel(trimmed(token.label)) === ownLabel(wanted.tokenLabel)) &&
      (wanted.tokenSerial === undefined || trimmed(token.serialNumber) === wanted.tokenSerial);
    return isWanted ? [{ slot, serial: trimmed(token.serialNumber) }] : [];
  });
  const [only, another] = matching;
  if (only === undefined)
    throw new TokenUnusable(
      wanted.tokenLabel === undefined
        ? 'There is no token with the configured serial number.'
        : `There is no token with the label ${wanted.tokenLabel}.`,
    );
  if (another !== undefined) throw new TokenUnusable('Two tokens have that label. Name one by its tokenSerial.');
  return only;
}

/** Remembers the PIN that the token refused, as a digest, for as long as the process lives. */
export interface RefusedPins {
  readonly digests: Set<string>;
}

function logIn(
  cryptoki: PKCS11,
  { slot, serial }: Found,
  session: Handle,
  source: PinSource,
  refused: RefusedPins,
): void {
  const { flags } = cryptoki.C_GetTokenInfo(slot);
  if ((flags & pkcs11js.CKF_USER_PIN_LOCKED) !== 0)
    throw new TokenUnusable('The token has locked its PIN. Unlock it with the SO-PIN.');
  if ((flags & pkcs11js.CKF_USER_PIN_FINAL_TRY) !== 0)
    throw new TokenUnusable('The token has one PIN try left: it is not used. Log in once by hand with the right PIN.');
  const pin = source();
  if (!pin.ok) throw new TokenUnusable(`${pin.error.message} ${pin.error.next}`);
  try {
    // A reader may get another slot number when the token is plugged in again; its serial number stays.
    const digest = createHash('sha256').update(`${serial}\0`).update(pin.value).digest('hex');
    if (refused.digests.has(digest))
      throw new TokenUnusable('The token refused this PIN. It is not sent again before it has changed.');
    try {
      cryptoki.C_Login(session, pkcs11js.CKU_USER, pin.value.toString('utf8'));
    } catch (thrown) {
      const name = returnValueOf(thrown);
      if (name === 'CKR_USER_ALREADY_LOGGED_IN') return;
      if (name === 'CKR_PIN_INCORRECT') refused.digests.add(digest);
      throw thrown;
    }
  } finally {
    pin.value.fill(0);
  }
}

/**
 * Starts the library anew, so that it looks at its tokens afresh, and logs in. Throws TokenUnusable or what pkcs11js
 * throws. The PIN is sent once at most.
 */
export function connectToken(
  cryptoki: PKCS11,
  wanted: TokenConfiguration,
  source: PinSource,
  refused: RefusedPins,
): TokenConnection {
  quietly(() => cryptoki.C_Finalize());
  cryptoki.C_Initialize();
  const found = findSlot(cryptoki, wanted);
  const { slot, serial } = found;
  const session = cryptoki.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION);
  logIn(cryptoki, found, session, source, refused);
  const mechanisms = new Set(cryptoki.C_GetMechanismList(slot));
  return {
    cryptoki,
    session,
    slot,
    serial,
    readsFiles: trimmed(cryptoki.C_GetInfo().manufacturerID) === 'SoftHSM',
    isOffered: (mechanism) => mechanisms.has(mechanism),
    isInSlot: () =>
      // OpenSC looks at its reader for this call, and then knows of its sessions; it answers the others from memory.
      (cryptoki.C_GetSlotInfo(slot).flags & tokenPresent) !== 0 &&
      trimmed(cryptoki.C_GetTokenInfo(slot).serialNumber) === serial,
    discard: (object) => {
      quietly(() => cryptoki.C_DestroyObject(session, object));
    },
    find: (template) => {
      cryptoki.C_FindObjectsInit(session, template);
      try {
        return cryptoki.C_FindObjects(session, mostHandles);
      } finally {
        quietly(() => cryptoki.C_FindObjectsFinal(session));
      }
    },
    close: () => {
      quietly(() => cryptoki.C_Logout(session));
      quietly(() => cryptoki.C_CloseSession(session));
      quietly(() => cryptoki.C_Finalize());
    },
  };
}
