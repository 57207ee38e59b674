/** One key on the token, of whichever kind. */
import type { Handle } from 'pkcs11js';
import type { Sealed } from '../grpc/messages.ts';

export interface TokenKey {
  readonly handle: Handle;
  readonly label: string;
  /** CKA_ID, hexadecimal. */
  readonly id: string;
  /** What Status and Encrypt tell: follows from the key itself, so that no two keys share one. */
  readonly keyId: string;
  /** Both throw what pkcs11js throws. */
  seal(plaintext: Buffer): Sealed;
  /** Undefined where the ciphertext is not of this key, or was changed. */
  open(sealed: Sealed): Buffer | undefined;
}
