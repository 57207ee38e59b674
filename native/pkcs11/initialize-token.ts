import pkcs11js, { type Handle } from 'pkcs11js';
import { failure, success, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import { restartLibrary, type TokenModule } from './module.ts';
import { checkPin, withPinText } from './pins.ts';
import { attempt, failureOfReturnValue, type ReturnValue, type TokenResult } from './return-values.ts';
import { endLogin } from './sessions.ts';
import { findToken, findTokens, readToken, type FoundToken, type TokenEntry } from './tokens.ts';

export interface TokenInitialization {
  readonly slotId: number;
  readonly expectedSerial: string;
  readonly label: string;
  /** UTF-8; the caller wipes both. */
  readonly soPin: Uint8Array;
  readonly pin: Uint8Array;
}

interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

/** CK_TOKEN_INFO.label: 32 bytes of UTF-8, padded with blanks (PKCS#11 v2.40 section 3.2). */
const labelBytes = 32;

function checkLabel(label: string): Refused | undefined {
  const length = Buffer.byteLength(label, 'utf8');
  if (length > labelBytes) {
    return failure(
      'Token_LabelInvalid',
      `The label is ${length} bytes long; a token keeps at most ${labelBytes}. Letters beyond ASCII take two to four bytes.`,
      'Choose a shorter label.',
      { bytes: length, maximum: labelBytes },
    );
  }
  if (label.trim() !== label || label === '' || /\p{Cc}/u.test(label)) {
    return failure(
      'Token_LabelInvalid',
      'A label cannot be empty, begin or end with a blank, or hold control characters.',
      'Choose a label of plain characters.',
    );
  }
  return undefined;
}

/** The slot that is meant. A slot without a serial that has moved is found again where there is only one such. */
function chooseTarget(tokens: readonly FoundToken[], request: TokenInitialization): TokenResult<FoundToken> {
  const { slotId, expectedSerial } = request;
  const inSlot = tokens.find(({ entry }) => entry.slotId === slotId);
  if (inSlot !== undefined && inSlot.entry.serial === expectedSerial) return success(inSlot);
  const blank = tokens.filter(({ entry }) => !entry.initialized && entry.serial === '');
  const [onlyBlank] = blank;
  if (expectedSerial === '' && blank.length === 1 && onlyBlank !== undefined) return success(onlyBlank);
  if (inSlot === undefined) {
    return failure('Token_NotFound', `No token is in slot ${slotId} now.`, 'List the tokens again and choose one.', {
      slotId,
    });
  }
  return failure(
    'Token_SerialMismatch',
    `Slot ${slotId} holds the token with serial ${inSlot.entry.serial === '' ? '(none)' : inSlot.entry.serial} now, not ${expectedSerial === '' ? 'an empty one' : expectedSerial}. Nothing was erased.`,
    'List the tokens again and choose the right one.',
    { slotId, expected: expectedSerial, found: inSlot.entry.serial },
  );
}

function checkState(
  target: TokenEntry,
  tokens: readonly FoundToken[],
  request: TokenInitialization,
): Refused | undefined {
  const namesake = tokens.find(
    ({ entry }) => entry.initialized && entry.label === request.label && entry.slotId !== target.slotId,
  );
  if (namesake !== undefined) {
    return failure(
      'Token_LabelInUse',
      `Another token (serial ${namesake.entry.serial}) has the label “${request.label}” already.`,
      'Choose another label, so that nobody takes one token for the other.',
      { serial: namesake.entry.serial },
    );
  }
  if (target.writeProtected) {
    return failure(
      'Token_ReadOnly',
      'The token is write-protected.',
      'Remove the write protection with the tool of the token’s vendor, or choose another token.',
    );
  }
  if (target.soPinState === 'locked') return soPinLocked('The SO-PIN is locked. Nothing was sent.');
  if (target.soPinState === 'final-try') {
    return failure(
      'Token_PinLastTry',
      'One try of the SO-PIN is left: a wrong one now locks the token for good. Nothing was sent.',
      'Make sure of the SO-PIN and use the tool of the token’s vendor for this try, or choose another token.',
      { pinState: 'final-try', triesLeft: 1, role: 'so' },
    );
  }
  return checkPin(request.soPin, 'so', target) ?? checkPin(request.pin, 'user', target);
}

function soPinLocked(message: string): Refused {
  return failure(
    'Token_SoPinLocked',
    message,
    'The token cannot be initialised any more; ask its vendor about a factory reset, or use another token.',
    { pinState: 'locked', triesLeft: 0, role: 'so' },
  );
}

function soPinRefused(module: TokenModule, slot: Handle, returnValue: ReturnValue): Refused {
  if (returnValue.code === pkcs11js.CKR_PIN_LOCKED) return soPinLocked('The SO-PIN is locked. Nothing was erased.');
  if (returnValue.code !== pkcs11js.CKR_PIN_INCORRECT) return failureOfReturnValue(returnValue);
  const after = readToken(module, slot);
  const pinState = after.ok ? after.value.entry.soPinState : 'count-low';
  if (pinState === 'locked') return soPinLocked('The SO-PIN was wrong, and that was the last try: it is locked now.');
  const lastTry = pinState === 'final-try' ? ' One try is left.' : '';
  return failure(
    'Token_SoPinIncorrect',
    `The SO-PIN is wrong. Nothing was erased.${lastTry}`,
    'Check the SO-PIN that the token was set up with and try again.',
    { pinState, role: 'so' },
  );
}

/** Sets the user PIN in an SO session of its own. */
function setUserPin(
  module: TokenModule,
  slot: Handle,
  request: TokenInitialization,
): TokenResult<Record<string, never>> {
  const { cryptoki } = module;
  const opened = attempt(() => cryptoki.C_OpenSession(slot, pkcs11js.CKF_SERIAL_SESSION | pkcs11js.CKF_RW_SESSION));
  if (!opened.ok) return failureOfReturnValue(opened.returnValue);
  const session = opened.value;
  const set = attempt(() => {
    withPinText(request.soPin, (text) => cryptoki.C_Login(session, pkcs11js.CKU_SO, text));
    withPinText(request.pin, (text) => cryptoki.C_InitPIN(session, text));
    cryptoki.C_Logout(session);
  });
  // Closing the only session logs out too, so a failed call before it leaves nothing behind.
  const closed = attempt(() => cryptoki.C_CloseSession(session));
  if (!set.ok) return failureOfReturnValue(set.returnValue);
  return closed.ok ? success({}) : failureOfReturnValue(closed.returnValue);
}

/**
 * Erases and names a token (C_InitToken), sets its user PIN (C_InitPIN), and reads everything back.
 * Failures before anything is erased: Token_LabelInvalid, Token_LabelInUse, Token_NotFound,
 * Token_SerialMismatch, Token_PinLengthInvalid, Token_SoPinIncorrect, Token_SoPinLocked, Token_PinLastTry,
 * Token_ReadOnly. Later ones carry `details.initialized`: the token then exists without a user PIN.
 */
export function initializeToken(
  module: TokenModule,
  request: TokenInitialization,
): TokenResult<{ readonly serial: string; readonly label: string; readonly slotId: number }> {
  const labelRefused = checkLabel(request.label);
  if (labelRefused !== undefined) return labelRefused;
  const tokens = findTokens(module);
  if (!tokens.ok) return tokens;
  const target = chooseTarget(tokens.value, request);
  if (!target.ok) return target;
  const { slot, entry } = target.value;
  const refused = checkState(entry, tokens.value, request);
  if (refused !== undefined) return refused;
  endLogin(module, entry.serial);

  const padded = request.label + ' '.repeat(labelBytes - Buffer.byteLength(request.label, 'utf8'));
  const erased = attempt(() => withPinText(request.soPin, (text) => module.cryptoki.C_InitToken(slot, text, padded)));
  if (!erased.ok) return soPinRefused(module, slot, erased.returnValue);
  const pinSet = setUserPin(module, slot, request);
  if (!pinSet.ok) {
    return {
      ok: false,
      error: { ...pinSet.error, details: { ...pinSet.error.details, initialized: true } },
    };
  }
  return readBack(module, slot, request.label);
}

/** SoftHSM gives the token its serial now and its lasting slot number at the library's next start. */
function readBack(
  module: TokenModule,
  slot: Handle,
  label: string,
): TokenResult<{ readonly serial: string; readonly label: string; readonly slotId: number }> {
  const inSlot = readToken(module, slot);
  if (!inSlot.ok) return inSlot;
  const restarted = restartLibrary(module);
  if (!restarted.ok) return restarted;
  const found = findToken(module, inSlot.value.entry.serial);
  if (!found.ok) return found;
  const { serial, label: readLabel, slotId, userPinSet } = found.value.entry;
  if (readLabel !== label || !userPinSet) {
    return failure(
      'Token_GeneralError',
      'The token was initialised, but does not hold what was written: its label or its PIN is missing.',
      'Initialise it again; if it stays, the token or its module is faulty.',
      { initialized: true, serial, label: readLabel, userPinSet },
    );
  }
  return success({ serial, label: readLabel, slotId });
}
