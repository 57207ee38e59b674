/**
 * The only place where a PIN is a string: pkcs11js takes nothing else. A string cannot be wiped, so it lives
 * for one call in this process, which is ended at the lock or after the run.
 */
import { isUtf8 } from 'node:buffer';
import { failure, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';
import type { TokenEntry } from './tokens.ts';

export type PinRole = 'user' | 'so';

export const pinName: Readonly<Record<PinRole, string>> = { user: 'PIN', so: 'SO-PIN' };

/**
 * Checks a PIN against the token's limits before anything is sent, so that a slip does not cost a try.
 * Lengths are in bytes of UTF-8. A token that names no maximum is asked by sending.
 */
export function checkPin(
  pin: Uint8Array,
  role: PinRole,
  token: TokenEntry,
): { readonly ok: false; readonly error: Failure<TokenFailureCode> } | undefined {
  const { pinLengthMinimum: minimum, pinLengthMaximum: maximum } = token;
  if (!isUtf8(pin)) {
    return failure('Token_BadRequest', `The ${pinName[role]} is not text in UTF-8.`, 'Type it again.');
  }
  if (pin.length === 0 || pin.length < minimum || (maximum > 0 && pin.length > maximum)) {
    return failure(
      'Token_PinLengthInvalid',
      `The ${pinName[role]} must have between ${minimum} and ${maximum} characters on this token. It was not sent.`,
      'Choose one of a length that the token takes.',
      { minimum, maximum, role },
    );
  }
  return undefined;
}

/** Lends the PIN as a string to one library call. */
export function withPinText<Value>(pin: Uint8Array, call: (text: string) => Value): Value {
  return call(Buffer.from(pin.buffer, pin.byteOffset, pin.byteLength).toString('utf8'));
}
