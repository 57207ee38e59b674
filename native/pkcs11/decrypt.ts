import pkcs11js from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import { findPrivateKey } from './keys.ts';
import type { Login, TokenModule } from './module.ts';
import { returnValueOf, type TokenResult } from './return-values.ts';
import { findCause, withLogin } from './sessions.ts';
import { decryptMechanism } from './templates.ts';

/** A plaintext, until the next decrypt; `wipe` clears the whole buffer that the library wrote to. */
export interface Plaintext {
  readonly bytes: Uint8Array<ArrayBuffer>;
  wipe(): void;
}

/** SoftHSM answers the general ones where the padding does not fit; none of these says that the token is in trouble. */
const wrongCiphertext: ReadonlySet<number> = new Set([
  pkcs11js.CKR_ENCRYPTED_DATA_INVALID,
  pkcs11js.CKR_ENCRYPTED_DATA_LEN_RANGE,
  pkcs11js.CKR_DATA_INVALID,
  pkcs11js.CKR_DATA_LEN_RANGE,
  pkcs11js.CKR_FUNCTION_FAILED,
  pkcs11js.CKR_GENERAL_ERROR,
]);

/**
 * RSA-OAEP-SHA-1 on the token. Failures: Token_DecryptFailed, Token_KeyMissing, Token_KeyLabelDoubled,
 * Token_KeyUnsuitable, Token_NotLoggedIn, Token_SessionLost, Token_Gone.
 */
export function decrypt(
  module: TokenModule,
  serial: string,
  keyLabel: string,
  ciphertext: Buffer,
): TokenResult<Plaintext> {
  return withLogin(module, serial, (login) => {
    try {
      return decryptOnce(module, login, keyLabel, ciphertext);
    } catch (thrown) {
      const code = returnValueOf(thrown)?.code;
      // Another program may have replaced the key since it was looked up.
      const stale = code === pkcs11js.CKR_KEY_HANDLE_INVALID || code === pkcs11js.CKR_OBJECT_HANDLE_INVALID;
      if (!stale || !login.privateKeys.delete(keyLabel)) throw thrown;
      return decryptOnce(module, login, keyLabel, ciphertext);
    }
  });
}

/**
 * What the library writes to: memory of its own, not of Buffer's shared pool, so that wiping it wipes every
 * copy. One for all decrypts, since each plaintext is used and wiped before the next.
 */
let output = Buffer.from(new ArrayBuffer(0));

function outputOf(length: number): Buffer<ArrayBuffer> {
  if (output.length !== length) output = Buffer.from(new ArrayBuffer(length));
  return output;
}

function decryptOnce(module: TokenModule, login: Login, keyLabel: string, ciphertext: Buffer): TokenResult<Plaintext> {
  const key = findPrivateKey(module, login, keyLabel);
  if (!key.ok) return key;
  const { cryptoki } = module;
  cryptoki.C_DecryptInit(login.session, decryptMechanism, key.value.handle);
  const view = outputOf(key.value.modulusBytes);
  const wipe = (): void => {
    view.fill(0);
  };
  try {
    const { length } = cryptoki.C_Decrypt(login.session, ciphertext, view);
    return success({ bytes: view.subarray(0, length), wipe });
  } catch (thrown) {
    wipe();
    const returnValue = returnValueOf(thrown);
    if (returnValue === undefined || !wrongCiphertext.has(returnValue.code)) throw thrown;
    if (findCause(module, login.slot, login.session, returnValue).isSessionLost) throw thrown;
    return failure(
      'Token_DecryptFailed',
      `The value could not be decrypted with the key “${keyLabel}”: it was encrypted under another key, or changed.`,
      'Check that the value and the key belong together; a key pair that was replaced under the same label is a usual cause.',
      { keyLabel, returnValue: returnValue.name },
    );
  }
}
