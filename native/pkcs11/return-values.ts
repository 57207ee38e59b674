/**
 * What a PKCS#11 return value (CKR_…, PKCS#11 v2.40 section 5.1) means to a person. Functions that know more
 * (which PIN was sent, what was decrypted) say so themselves and come here for the rest.
 */
import pkcs11js from 'pkcs11js';
import { failure, type Result, type TokenFailureCode } from '../../electron/workflows/failures.ts';

export type TokenResult<Value> = Result<Value, TokenFailureCode>;

export interface ReturnValue {
  readonly code: number;
  /** CKR_…, as pkcs11js names it. */
  readonly name: string;
}

export type Attempt<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly returnValue: ReturnValue };

/**
 * The return value inside what pkcs11js threw; undefined for anything else, which is a bug. pkcs11js 2.1.7 wraps the
 * errors of all functions but C_CreateObject, C_CopyObject, C_SetAttributeValue and C_FindObjects: those throw a plain
 * error, "CKR_DEVICE_MEMORY:49" and where it came from.
 */
export function returnValueOf(thrown: unknown): ReturnValue | undefined {
  if (thrown instanceof pkcs11js.Pkcs11Error) return { code: thrown.code, name: thrown.message };
  const plain = thrown instanceof Error ? /^(CKR_\w+):(\d+)/u.exec(thrown.message) : null;
  const [, name, code] = plain ?? [];
  return name === undefined || code === undefined ? undefined : { code: Number(code), name };
}

/** Turns the library's exceptions into a value. */
export function attempt<Value>(call: () => Value): Attempt<Value> {
  try {
    return { ok: true, value: call() };
  } catch (thrown) {
    const returnValue = returnValueOf(thrown);
    if (returnValue === undefined) throw thrown;
    return { ok: false, returnValue };
  }
}

type Words = readonly [code: TokenFailureCode, message: string, next: string];

const gone: Words = [
  'Token_Gone',
  'The token was unplugged or its reader stopped answering.',
  'Plug the token in again, wait until it is listed, and log in again.',
];
const notPresent: Words = [
  'Token_Gone',
  'There is no token in the reader any more.',
  'Plug the token in again, wait until it is listed, and log in again.',
];
const sessionLost: Words = [
  'Token_SessionLost',
  'The token ended the session: it was reset, unplugged or used by another program.',
  'Log in again; nothing that was already stored is lost.',
];
const notPermittedOnToken: Words = [
  'Token_ReadOnly',
  'The token does not take this change: it, or the object, is write-protected.',
  'Remove the write protection with the tool of the token’s vendor, or choose another token.',
];
const unsuitableKey: Words = [
  'Token_KeyUnsuitable',
  'The token refuses to use this key for RSA-OAEP decryption.',
  'Choose the key pair that was made for wrapping, or make a new one under another label.',
];
const templateRefused: Words = [
  'Token_GeneralError',
  'The token refuses the attributes that the object must have.',
  'Check that the module supports RSA key pairs and data objects; its documentation lists what it leaves out.',
];
const badData: Words = [
  'Token_DecryptFailed',
  'The token could not decrypt the value: it was encrypted under another key, or changed.',
  'Check that the value and the key belong together; a second key pair under the same label is a usual cause.',
];
const busy: Words = [
  'Token_Busy',
  'Another program or session is using the token.',
  'Close other programs that use the token, then try again.',
];
const internal: Words = [
  'Token_GeneralError',
  'The token’s module refused a call as malformed.',
  'Try again with the newest version of the module; if it stays, report it with these details.',
];
const outOfMemory: Words = [
  'Token_GeneralError',
  'The token’s module ran out of the computer’s memory.',
  'Close other programs and try again.',
];

const wordsByReturnValue: ReadonlyMap<number, Words> = new Map<number, Words>([
  [pkcs11js.CKR_PIN_INCORRECT, ['Token_PinIncorrect', 'The PIN is wrong.', 'Check the PIN and try again.']],
  [
    pkcs11js.CKR_PIN_INVALID,
    [
      'Token_PinLengthInvalid',
      'The PIN has characters that the token does not take.',
      'Choose a PIN of digits or plain letters.',
    ],
  ],
  [
    pkcs11js.CKR_PIN_LEN_RANGE,
    [
      'Token_PinLengthInvalid',
      'The PIN is shorter or longer than the token takes.',
      'Use a PIN within the token’s limits.',
    ],
  ],
  [
    pkcs11js.CKR_PIN_EXPIRED,
    [
      'Token_PinNotSet',
      'The PIN has expired and must be changed.',
      'Set a new PIN with the tool of the token’s vendor.',
    ],
  ],
  [
    pkcs11js.CKR_PIN_LOCKED,
    [
      'Token_PinLocked',
      'The PIN is locked after too many wrong tries.',
      'Unlock it with the SO-PIN, with the tool of the token’s vendor.',
    ],
  ],
  [
    pkcs11js.CKR_PIN_TOO_WEAK,
    ['Token_PinLengthInvalid', 'The token refuses this PIN as too easy to guess.', 'Choose another PIN.'],
  ],
  [
    pkcs11js.CKR_USER_PIN_NOT_INITIALIZED,
    ['Token_PinNotSet', 'The token has no user PIN yet.', 'Set the token up first, or set a PIN with the SO-PIN.'],
  ],
  [
    pkcs11js.CKR_USER_NOT_LOGGED_IN,
    ['Token_NotLoggedIn', 'The token asks for its PIN first.', 'Log in to the token, then try again.'],
  ],
  [pkcs11js.CKR_USER_ANOTHER_ALREADY_LOGGED_IN, busy],
  [pkcs11js.CKR_USER_TOO_MANY_TYPES, busy],
  [pkcs11js.CKR_SESSION_EXISTS, busy],
  [pkcs11js.CKR_SESSION_COUNT, busy],
  [pkcs11js.CKR_SESSION_READ_ONLY_EXISTS, busy],
  [pkcs11js.CKR_SESSION_READ_WRITE_SO_EXISTS, busy],
  [pkcs11js.CKR_OPERATION_ACTIVE, busy],
  [pkcs11js.CKR_OPERATION_NOT_INITIALIZED, internal],
  [pkcs11js.CKR_DEVICE_REMOVED, gone],
  [pkcs11js.CKR_TOKEN_NOT_PRESENT, notPresent],
  [pkcs11js.CKR_SLOT_ID_INVALID, gone],
  [
    pkcs11js.CKR_TOKEN_NOT_RECOGNIZED,
    [
      'Token_NotFound',
      'The module does not recognise the token in the reader.',
      'Check that this module is made for this token, or initialise the token.',
    ],
  ],
  [
    pkcs11js.CKR_DEVICE_ERROR,
    [
      'Token_GeneralError',
      'The token or its reader reported an error.',
      'Unplug the token, plug it in again and try again; other programs that hold the reader are a usual cause.',
    ],
  ],
  [pkcs11js.CKR_SESSION_HANDLE_INVALID, sessionLost],
  [pkcs11js.CKR_SESSION_CLOSED, sessionLost],
  [
    pkcs11js.CKR_DEVICE_MEMORY,
    [
      'Token_MemoryFull',
      'The token has no room left.',
      'Delete objects that are no longer needed, or use another token.',
    ],
  ],
  [pkcs11js.CKR_HOST_MEMORY, outOfMemory],
  [
    pkcs11js.CKR_MECHANISM_INVALID,
    [
      'Token_MechanismUnsupported',
      'The token does not offer the mechanism that is needed.',
      'Use a token that does RSA key generation and RSA-OAEP decryption.',
    ],
  ],
  [
    pkcs11js.CKR_MECHANISM_PARAM_INVALID,
    [
      'Token_MechanismUnsupported',
      'The token does not do RSA-OAEP with SHA-1 and MGF1-SHA-1.',
      'Use a token or a newer version of its module that does.',
    ],
  ],
  [pkcs11js.CKR_KEY_TYPE_INCONSISTENT, unsuitableKey],
  [pkcs11js.CKR_KEY_FUNCTION_NOT_PERMITTED, unsuitableKey],
  [
    pkcs11js.CKR_KEY_SIZE_RANGE,
    ['Token_KeySizeUnsupported', 'The token does not do keys of this size.', 'Choose another key size.'],
  ],
  [
    pkcs11js.CKR_KEY_HANDLE_INVALID,
    ['Token_KeyMissing', 'The key is no longer on the token.', 'List the token’s keys again.'],
  ],
  [
    pkcs11js.CKR_OBJECT_HANDLE_INVALID,
    ['Token_ObjectMissing', 'The object is no longer on the token.', 'List the token’s objects again.'],
  ],
  [pkcs11js.CKR_ENCRYPTED_DATA_INVALID, badData],
  [pkcs11js.CKR_ENCRYPTED_DATA_LEN_RANGE, badData],
  [pkcs11js.CKR_DATA_INVALID, internal],
  [pkcs11js.CKR_DATA_LEN_RANGE, internal],
  [pkcs11js.CKR_ARGUMENTS_BAD, internal],
  [pkcs11js.CKR_BUFFER_TOO_SMALL, internal],
  [pkcs11js.CKR_ATTRIBUTE_TYPE_INVALID, templateRefused],
  [pkcs11js.CKR_ATTRIBUTE_VALUE_INVALID, templateRefused],
  [pkcs11js.CKR_ATTRIBUTE_READ_ONLY, templateRefused],
  [pkcs11js.CKR_TEMPLATE_INCOMPLETE, templateRefused],
  [pkcs11js.CKR_TEMPLATE_INCONSISTENT, templateRefused],
  [pkcs11js.CKR_TOKEN_WRITE_PROTECTED, notPermittedOnToken],
  [pkcs11js.CKR_SESSION_READ_ONLY, notPermittedOnToken],
  [
    pkcs11js.CKR_FUNCTION_NOT_SUPPORTED,
    [
      'Token_MechanismUnsupported',
      'The token’s module does not offer this function.',
      'Do this step with the tool of the token’s vendor, or use another token.',
    ],
  ],
  [
    pkcs11js.CKR_CRYPTOKI_NOT_INITIALIZED,
    ['Token_SessionLost', 'The token’s module was shut down in between.', 'Log in again and try again.'],
  ],
  [
    pkcs11js.CKR_FUNCTION_FAILED,
    [
      'Token_GeneralError',
      'The token could not carry out the call.',
      'Try again; if it stays, unplug the token and plug it in again.',
    ],
  ],
  [
    pkcs11js.CKR_GENERAL_ERROR,
    [
      'Token_GeneralError',
      'The token’s module reported an error that it does not explain.',
      'Check that the token is plugged in and that the module’s configuration is readable, then try again.',
    ],
  ],
]);

/**
 * Values behind which a token that has gone may hide, beside their own meaning: OpenSC 0.23 answers CKR_GENERAL_ERROR
 * where the card was pulled out in the middle of a command, before it knows that the reader is empty.
 */
const saysLittle: ReadonlySet<number> = new Set([
  pkcs11js.CKR_GENERAL_ERROR,
  pkcs11js.CKR_FUNCTION_FAILED,
  pkcs11js.CKR_DEVICE_ERROR,
  pkcs11js.CKR_ARGUMENTS_BAD,
  pkcs11js.CKR_FUNCTION_NOT_SUPPORTED,
]);

/** Whether the token has to be asked if it is still there, before the value is believed. */
export function mayMeanGone({ code }: ReturnValue): boolean {
  return saysLittle.has(code);
}

/** @returns a failure in words; `details` name the return value */
export function failureOfReturnValue(returnValue: ReturnValue): {
  readonly ok: false;
  readonly error: ReturnType<typeof failure<TokenFailureCode>>['error'];
} {
  const details = { returnValue: returnValue.name, returnValueNumber: returnValue.code };
  const words = wordsByReturnValue.get(returnValue.code);
  if (words === undefined) {
    return failure(
      'Token_GeneralError',
      `The token’s module answered ${returnValue.name}.`,
      'Look the return value up in the module’s documentation, then try again.',
      details,
    );
  }
  const [code, message, next] = words;
  return failure(code, message, next, details);
}

/** The token or its slot is not there any more; nothing that was known of it holds. */
export function meansGone({ code }: ReturnValue): boolean {
  return wordsByReturnValue.get(code)?.[0] === 'Token_Gone';
}

/** The session is not there any more, and with it the login. */
export function meansSessionLost({ code }: ReturnValue): boolean {
  return wordsByReturnValue.get(code)?.[0] === 'Token_SessionLost';
}
