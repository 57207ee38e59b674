import pkcs11js from 'pkcs11js';
import { failure, success } from '../../electron/workflows/failures.ts';
import { findPrivateKey } from './keys.ts';
import type { Login, TokenModule } from './module.ts';
import { returnValueOf, type TokenResult } from './return-values.ts';
import { findCause, withLogin } from './sessions.ts';
import { decryptMechanism } from './templates.ts';

/** A plaintext, until the next decrypt into the same place; `wipe` clears the whole buffer that the library wrote to. */
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
 * @param place where the plaintext is kept, from 0; of several that are held at once each has its own
 */
export function decrypt(
  module: TokenModule,
  serial: string,
  keyLabel: string,
  ciphertext: Buffer,
  place = 0,
): TokenResult<Plaintext> {
  return withLogin(module, serial, (login) => {
    try {
      return decryptOnce(module, login, keyLabel, ciphertext, place);
    } catch (thrown) {
      const code = returnValueOf(thrown)?.code;
      // Another program may have replaced the key since it was looked up.
      const stale = code === pkcs11js.CKR_KEY_HANDLE_INVALID || code === pkcs11js.CKR_OBJECT_HANDLE_INVALID;
      if (!stale || !login.privateKeys.delete(keyLabel)) throw thrown;
      return decryptOnce(module, login, keyLabel, ciphertext, place);
    }
  });
}

/**
 * What the library writes to, by place: memory of its own, not of Buffer's shared pool, so that wiping it wipes
 * every copy. Used again, since each plaintext is used and wiped before the next one in its place.
 */
const outputs: Buffer<ArrayBuffer>[] = [];

export function outputOf(place: number, length: number): Buffer<ArrayBuffer> {
  const known = outputs[place];
  if (known?.length === length) return known;
  const made = Buffer.from(new ArrayBuffer(length));
  outputs[place] = made;
  return made;
}

/** @param length how much of it the library wrote to */
export function plaintextIn(output: Buffer<ArrayBuffer>, length: number): Plaintext {
  return {
    bytes: output.subarray(0, length),
    wipe: () => {
      output.fill(0);
    },
  };
}

function decryptOnce(
  module: TokenModule,
  login: Login,
  keyLabel: string,
  ciphertext: Buffer,
  place: number,
): TokenResult<Plaintext> {
  const key = findPrivateKey(module, login, keyLabel);
  if (!key.ok) return key;
  const { cryptoki } = module;
  cryptoki.C_DecryptInit(login.session, decryptMechanism, key.value.handle);
  const output = outputOf(place, key.value.modulusBytes);
  try {
    return success(plaintextIn(output, cryptoki.C_Decrypt(login.session, ciphertext, output).length));
  } catch (thrown) {
    output.fill(0);
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
