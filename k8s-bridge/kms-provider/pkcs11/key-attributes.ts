/** What a key says of itself, and whether calls failed for what was asked rather than for the token. */
import pkcs11js, { type Handle } from 'pkcs11js';
import type { TokenConnection } from './token-connection.ts';
import { returnValueOf } from './token-failure.ts';

const notShown: ReadonlySet<string> = new Set(['CKR_ATTRIBUTE_TYPE_INVALID', 'CKR_ATTRIBUTE_SENSITIVE']);

/** Undefined where the object has no such attribute or does not show it. */
export function attributeOf({ cryptoki, session }: TokenConnection, handle: Handle, type: number): Buffer | undefined {
  try {
    const [attribute] = cryptoki.C_GetAttributeValue(session, handle, [{ type }]);
    return Buffer.isBuffer(attribute?.value) ? attribute.value : undefined;
  } catch (thrown) {
    if (!notShown.has(returnValueOf(thrown) ?? '')) throw thrown;
    return undefined;
  }
}

/** CKA_ID in hexadecimal. */
export function idOf(token: TokenConnection, handle: Handle): string {
  return attributeOf(token, handle, pkcs11js.CKA_ID)?.toString('hex') ?? '';
}

/** SoftHSM answers the general ones where a tag or padding does not fit. None of these says that the token is in trouble. */
const wrongCiphertext: ReadonlySet<string> = new Set([
  'CKR_ENCRYPTED_DATA_INVALID',
  'CKR_ENCRYPTED_DATA_LEN_RANGE',
  'CKR_DATA_INVALID',
  'CKR_DATA_LEN_RANGE',
  'CKR_AEAD_DECRYPT_FAILED',
  'CKR_FUNCTION_FAILED',
  'CKR_GENERAL_ERROR',
]);

/** Goes on throwing where it was not the ciphertext's fault. */
export function assertWrongCiphertext({ cryptoki, session }: TokenConnection, thrown: unknown): void {
  if (!wrongCiphertext.has(returnValueOf(thrown) ?? '')) throw thrown;
  // The session says whether the token is still there.
  cryptoki.C_GetSessionInfo(session);
}
