/** Values on a token: data objects that hold ciphertexts of one key of it, in bank-vaults' form or under a key of a curve. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { wrapValue } from '../../electron/hosts/value-wrapping.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { readDataOf, type DataName } from './data-objects.ts';
import { decrypt } from './decrypt.ts';
import { findWrappingKey } from './keys.ts';
import type { TokenModule } from './module.ts';
import { sha256Hex } from './public-keys.ts';
import type { TokenResult } from './return-values.ts';

/** Of this process; it ends with it. */
const markKey = randomBytes(32);

/** Equal for equal plaintexts as long as this process lives, and without its key nothing can be told from it. */
function markOf(plaintext: Uint8Array): string {
  return createHmac('sha256', markKey).update(plaintext).digest('hex');
}

/**
 * Whether a value decrypts with a key; the plaintext is wiped here. Failures: those of reading the value and of
 * `decrypt`, but for Token_DecryptFailed, which is the answer.
 */
export function checkValue(
  module: TokenModule,
  serial: string,
  value: DataName,
  keyLabel: string,
): TokenResult<{ readonly decrypts: boolean; readonly plaintextLength: number; readonly mark: string }> {
  const read = readDataOf(module, serial, value);
  if (!read.ok) return read;
  const plaintext = decrypt(module, serial, keyLabel, read.value.value, 0, value.label);
  if (plaintext.ok) {
    const { bytes } = plaintext.value;
    const answer = { decrypts: true, plaintextLength: bytes.length, mark: markOf(bytes) };
    plaintext.value.wipe();
    return success(answer);
  }
  if (plaintext.error.code !== 'Token_DecryptFailed') return plaintext;
  return success({ decrypts: false, plaintextLength: 0, mark: '' });
}

/** OAEP's one failure on the host: the plaintext is too long for the new key. */
function encryptTo(publicKeySpki: string, label: string, plaintext: Uint8Array): Buffer | undefined {
  try {
    return wrapValue(Buffer.from(publicKeySpki, 'base64'), label, plaintext);
  } catch {
    // OpenSSL's reasons name sizes only; there is no other one for a key that was made for this.
    return undefined;
  }
}

/**
 * Decrypts a value with one key and encrypts it under another one of the same token, in bank-vaults' form; the new
 * ciphertext is decrypted with the new key and compared before it is answered. Nothing is written, and the plaintext
 * is wiped here. Needs login. Failures: those of reading and decrypting the value and of finding the new key;
 * Token_KeyUnsuitable where the new key is too small or does not give the value back.
 */
export function rewrapValue(
  module: TokenModule,
  serial: string,
  value: DataName,
  keys: { readonly fromKeyLabel: string; readonly toKeyLabel: string },
): TokenResult<{ readonly ciphertext: string; readonly ciphertextSha256: string }> {
  const newKey = findWrappingKey(module, serial, keys.toKeyLabel);
  if (!newKey.ok) return newKey;
  const read = readDataOf(module, serial, value);
  if (!read.ok) return read;
  const plaintext = decrypt(module, serial, keys.fromKeyLabel, read.value.value, 0, value.label);
  if (!plaintext.ok) return plaintext;
  const ciphertext = encryptTo(newKey.value.publicKeySpki, value.label, plaintext.value.bytes);
  const expected = createHash('sha256').update(plaintext.value.bytes).digest();
  // The next decrypt writes to the same memory, so only the hash is kept.
  plaintext.value.wipe();
  if (ciphertext === undefined) return newKeyUnsuitable(keys.toKeyLabel, 'it is too small for the value');
  const again = decrypt(module, serial, keys.toKeyLabel, ciphertext);
  if (!again.ok) return again;
  const digest = createHash('sha256').update(again.value.bytes).digest();
  again.value.wipe();
  if (!timingSafeEqual(digest, expected)) return newKeyUnsuitable(keys.toKeyLabel, 'it does not give the value back');
  return success({ ciphertext: ciphertext.toString('base64'), ciphertextSha256: sha256Hex(ciphertext) });
}

function newKeyUnsuitable(label: string, why: string): ReturnType<typeof failure<'Token_KeyUnsuitable'>> {
  return failure(
    'Token_KeyUnsuitable',
    `The value was not encrypted to the key “${label}”: ${why}. Nothing was changed.`,
    'Make a larger RSA key pair and encrypt the values to that one.',
    { label },
  );
}
