import pkcs11js from 'pkcs11js';
import { openValueEnvelope, readValueEnvelope } from '../../electron/hosts/value-wrapping.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { findPrivateKey } from './keys.ts';
import type { Login, PrivateKeyHandle, TokenModule } from './module.ts';
import { readAttribute } from './objects.ts';
import { returnValueOf, type TokenResult } from './return-values.ts';
import { findCause, withLogin } from './sessions.ts';
import { decryptMechanism, ecdhMechanism, sharedSecretTemplate } from './templates.ts';

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
 * RSA-OAEP-SHA-1 on the token, or ECDH under a key of a curve. Failures: Token_DecryptFailed, Token_KeyMissing, Token_KeyLabelDoubled,
 * Token_KeyUnsuitable, Token_NotLoggedIn, Token_SessionLost, Token_Gone.
 * @param valueLabel what the ciphertext lies under, where that is to be compared with what is bound to it; under RSA nothing is
 * @param place where the plaintext is kept, from 0; of several that are held at once each has its own
 */
export function decrypt(
  module: TokenModule,
  serial: string,
  keyLabel: string,
  ciphertext: Buffer,
  place = 0,
  valueLabel?: string,
): TokenResult<Plaintext> {
  return withLogin(module, serial, (login) => {
    try {
      return decryptOnce(module, login, keyLabel, ciphertext, place, valueLabel);
    } catch (thrown) {
      const code = returnValueOf(thrown)?.code;
      // Another program may have replaced the key since it was looked up.
      const stale = code === pkcs11js.CKR_KEY_HANDLE_INVALID || code === pkcs11js.CKR_OBJECT_HANDLE_INVALID;
      if (!stale || !login.privateKeys.delete(keyLabel)) throw thrown;
      return decryptOnce(module, login, keyLabel, ciphertext, place, valueLabel);
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
  valueLabel: string | undefined,
): TokenResult<Plaintext> {
  const key = findPrivateKey(module, login, keyLabel);
  if (!key.ok) return key;
  const { cryptoki } = module;
  if (key.value.curveKeySha256 !== undefined)
    return decryptByDerivation(module, login, keyLabel, key.value, ciphertext, valueLabel);
  cryptoki.C_DecryptInit(login.session, decryptMechanism, key.value.handle);
  const output = outputOf(place, key.value.modulusBytes);
  try {
    return success(plaintextIn(output, cryptoki.C_Decrypt(login.session, ciphertext, output).length));
  } catch (thrown) {
    output.fill(0);
    return refusalOf(module, login, keyLabel, thrown);
  }
}

/** The token's word that the ciphertext is wrong; everything else goes on as it was thrown. */
function refusalOf(module: TokenModule, login: Login, keyLabel: string, thrown: unknown): DecryptFailed {
  const returnValue = returnValueOf(thrown);
  if (returnValue === undefined || !wrongCiphertext.has(returnValue.code)) throw thrown;
  if (findCause(module, login.slot, login.session, returnValue).isSessionLost) throw thrown;
  return decryptFailed(keyLabel, returnValue.name);
}

type DecryptFailed = ReturnType<typeof failure<'Token_DecryptFailed'>>;

function decryptFailed(keyLabel: string, returnValue: string): DecryptFailed {
  return failure(
    'Token_DecryptFailed',
    `The value could not be decrypted with the key “${keyLabel}”: it was encrypted under another key, or changed.`,
    'Check that the value and the key belong together; a key pair that was replaced under the same label is a usual cause.',
    { keyLabel, returnValue },
  );
}

/** A value under a key of a curve: the token derives the secret, and what follows from that is done here. */
function decryptByDerivation(
  module: TokenModule,
  login: Login,
  keyLabel: string,
  { handle, curveKeySha256 }: PrivateKeyHandle,
  ciphertext: Buffer,
  valueLabel: string | undefined,
): TokenResult<Plaintext> {
  const envelope = readValueEnvelope(ciphertext);
  if (envelope !== undefined && valueLabel !== undefined && envelope.label !== valueLabel) {
    return failure(
      'Token_DecryptFailed',
      `What lies under ${valueLabel} was stored as ${envelope.label}: somebody has put one in the place of the other.`,
      'Find out who changed the token, and put each value where it belongs.',
      { keyLabel, label: valueLabel },
    );
  }
  if (envelope === undefined || envelope.publicKeySha256 !== curveKeySha256) return decryptFailed(keyLabel, '');
  const { cryptoki } = module;
  let secret: Buffer;
  try {
    const derived = cryptoki.C_DeriveKey(
      login.session,
      ecdhMechanism(envelope.ephemeralPoint),
      handle,
      sharedSecretTemplate(envelope.secretBytes),
    );
    secret = readAttribute(cryptoki, login.session, derived, pkcs11js.CKA_VALUE) ?? Buffer.alloc(0);
    cryptoki.C_DestroyObject(login.session, derived);
  } catch (thrown) {
    return refusalOf(module, login, keyLabel, thrown);
  }
  const value = openValueEnvelope(envelope, secret);
  secret.fill(0);
  return value === undefined ? decryptFailed(keyLabel, '') : success(plaintextIn(value, value.length));
}
