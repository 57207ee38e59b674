/** What a token could not do, in words for a log and for kube-apiserver; thrown inside this folder alone. */
import pkcs11js from 'pkcs11js';

/**
 * The name of the return value in what pkcs11js threw; undefined for a bug. C_FindObjects throws a plain error,
 * "CKR_DEVICE_REMOVED:50" and where it came from.
 */
export function returnValueOf(thrown: unknown): string | undefined {
  if (thrown instanceof pkcs11js.Pkcs11Error) return thrown.message;
  if (thrown instanceof pkcs11js.NativeError) return thrown.message;
  return thrown instanceof Error ? /^CKR_\w+/u.exec(thrown.message)?.[0] : undefined;
}

/** Why the token cannot be used now. */
export class TokenUnusable extends Error {
  override readonly name = 'TokenUnusable';
}

const words: Readonly<Record<string, string>> = {
  CKR_PIN_INCORRECT: 'The token refused the PIN. It is not sent again before it has changed.',
  CKR_PIN_LOCKED: 'The token has locked its PIN. Unlock it with the SO-PIN.',
  CKR_DEVICE_REMOVED: 'The token was removed.',
  CKR_TOKEN_NOT_PRESENT: 'The token is not there.',
  CKR_DEVICE_MEMORY: 'The token has no memory left.',
  CKR_GENERAL_ERROR: 'The PKCS#11 library cannot reach its tokens (CKR_GENERAL_ERROR).',
};

/** A sentence for any failure of the token; undefined where it is a bug. */
export function reasonOf(thrown: unknown): string | undefined {
  if (thrown instanceof TokenUnusable) return thrown.message;
  const name = returnValueOf(thrown);
  return name === undefined ? undefined : (words[name] ?? `The token answered ${name}.`);
}
