/** One key on the token, of whichever kind. */
import type { Handle } from 'pkcs11js';
import type { Sealed } from '../grpc/messages.ts';

export type TokenKeyKind = 'aes' | 'rsa' | 'ec';

export interface TokenKey {
  readonly kind: TokenKeyKind;
  readonly handle: Handle;
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
  /** What Status and Encrypt tell: follows from the key itself, so that no two keys share one. */
  readonly keyId: string;
  /** Each of these throws what pkcs11js throws, or TokenUnusable. */
  seal(plaintext: Buffer): Sealed;
  /** Undefined where the ciphertext is not of this key, or was changed. */
  open(sealed: Sealed): Buffer | undefined;
  /** Looks whether the token still has the key and lets it be used; false where another is in its place. */
  isUsable(): boolean;
  /** Clears what is kept of it outside the token. It is not used any more. */
  wipe(): void;
}
