/** bank-vaults' values: data objects that hold RSA-OAEP-SHA-1 ciphertexts of one key on the same token. */
import { success } from '../../electron/workflows/failures.ts';
import { readDataOf, type DataName } from './data-objects.ts';
import { decrypt } from './decrypt.ts';
import type { TokenModule } from './module.ts';
import type { TokenResult } from './return-values.ts';

/**
 * Whether a value decrypts with a key; the plaintext is wiped here. Failures: those of reading the value and of
 * `decrypt`, but for Token_DecryptFailed, which is the answer.
 */
export function checkValue(
  module: TokenModule,
  serial: string,
  value: DataName,
  keyLabel: string,
): TokenResult<{ readonly decrypts: boolean; readonly plaintextLength: number }> {
  const read = readDataOf(module, serial, value);
  if (!read.ok) return read;
  const plaintext = decrypt(module, serial, keyLabel, read.value.value);
  if (plaintext.ok) {
    const plaintextLength = plaintext.value.bytes.length;
    plaintext.value.wipe();
    return success({ decrypts: true, plaintextLength });
  }
  return plaintext.error.code === 'Token_DecryptFailed' ? success({ decrypts: false, plaintextLength: 0 }) : plaintext;
}
