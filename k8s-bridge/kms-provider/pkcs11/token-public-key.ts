/** The public half of a key pair on the token, and what wrapping under it takes. */
import pkcs11js, { type Handle } from 'pkcs11js';
import { canWrap } from '../../../electron/hosts/value-wrapping.ts';
import { readPublicKey, type PublicKeyValue } from '../../../native/pkcs11/public-keys.ts';
import { attributeOf, idOf } from './key-attributes.ts';
import type { TokenConnection } from './token-connection.ts';

export interface PublicHalf extends PublicKeyValue {
  readonly kind: 'RSA' | 'EC';
}

/** What says that a private key may unwrap; some libraries leave it out. */
const permission = { RSA: pkcs11js.CKA_DECRYPT, EC: pkcs11js.CKA_DERIVE } as const;

/**
 * Undefined where keys cannot be wrapped under it: another kind, RSA under 2048 bits, a curve that is not one of
 * NIST's, or a private key that may not unwrap. Nobody vouches for an object of the same CKA_ID: what is wrapped under
 * it has to be unwrapped by the private key once before it is used.
 */
export function findPublicHalf(token: TokenConnection, privateKey: Handle): PublicHalf | undefined {
  const { cryptoki, session } = token;
  const id = idOf(token, privateKey);
  const objects = [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
    { type: pkcs11js.CKA_ID, value: Buffer.from(id, 'hex') },
  ];
  let found = readPublicKey(cryptoki, session, privateKey);
  if (found === undefined && id !== '')
    for (const handle of token.find(objects)) found ??= readPublicKey(cryptoki, session, handle);
  if (found === undefined) return undefined;
  const { kind } = found;
  if ((kind !== 'RSA' && kind !== 'EC') || !canWrap(found.spki)) return undefined;
  return attributeOf(token, privateKey, permission[kind])?.[0] === 0 ? undefined : { ...found, kind };
}
