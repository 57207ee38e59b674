/** AES keys on the token: this project's own ciphertexts, and kleidi's. */
import { createHash } from 'node:crypto';
import pkcs11js, { type Handle } from 'pkcs11js';
import { noAnnotations } from '../backend.ts';
import { additionalData, hasKleidiMark } from '../ciphertext-marks.ts';
import { kleidiName } from '../configuration.ts';
import type { Sealed } from '../grpc/messages.ts';
import { decryptGcm, drawNonce, encryptGcm, nonceLength, tagLength } from './aes-gcm.ts';
import { idOf } from './key-attributes.ts';
import type { TokenConnection } from './token-connection.ts';
import { returnValueOf } from './token-failure.ts';
import type { TokenKey } from './token-key.ts';

/** The first byte of a ciphertext: how the rest is to be read. */
const form = 1;
/**
 * A nonce that no other plaintext ever meets: with it every key makes a ciphertext of its own, which is the key's name
 * on any token that it was copied to. (Libraries refuse to encrypt nothing at all.)
 */
const namingNonce = Buffer.from('kc-key-id-v1', 'ascii');
const namingData = Buffer.from('key-custodian/kms/v1 key id', 'ascii');

const kleidiData = Buffer.from(kleidiName, 'ascii');

function nameKey(token: TokenConnection, handle: Handle): string {
  const name = encryptGcm(token, handle, namingNonce, namingData, Buffer.alloc(16));
  return `kc1-aes-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

export interface AesKey extends TokenKey {
  /**
   * What kleidi wrote; undefined where it is not of this key, or was changed.
   * @param ivLength of the nonce that it begins with, in bytes
   */
  openKleidis(sealed: Sealed, ivLength: number): Buffer | undefined;
}

/**
 * The key for the calls of one session. SoftHSM reads a token object's file at each use; a copy that lives and ends with
 * the session, in the library's memory, takes half the time. Whether the key is still there is asked of the key itself.
 */
function copyForSession(token: TokenConnection, handle: Handle): Handle | undefined {
  if (!token.readsFiles) return undefined;
  try {
    return token.cryptoki.C_CopyObject(token.session, handle, [{ type: pkcs11js.CKA_TOKEN, value: false }]);
  } catch (thrown) {
    // CKA_COPYABLE may be false; then the key itself is used.
    if (returnValueOf(thrown) === undefined) throw thrown;
    return undefined;
  }
}

/** Names the key, for which the token must use it once. Throws what pkcs11js throws. */
export function openAesKey(token: TokenConnection, handle: Handle, label: string): AesKey {
  const keyId = nameKey(token, handle);
  const aad = additionalData(keyId);
  let copy: Handle | undefined;
  let working: Handle | undefined;
  const use = (): Handle => {
    if (working === undefined) {
      copy = copyForSession(token, handle);
      working = copy ?? handle;
    }
    return working;
  };
  return {
    kind: 'aes',
    handle,
    label,
    id: idOf(token, handle),
    keyId,
    seal: (plaintext) => {
      const nonce = drawNonce(namingNonce);
      const sealed = encryptGcm(token, use(), nonce, aad, plaintext);
      return { ciphertext: Buffer.concat([Buffer.of(form), nonce, sealed]), keyId, annotations: noAnnotations };
    },
    open: ({ ciphertext, annotations }) => {
      const start = 1 + nonceLength;
      if (annotations.size > 0 || ciphertext[0] !== form || ciphertext.length < start + tagLength) return undefined;
      return decryptGcm(token, use(), ciphertext.subarray(1, start), aad, ciphertext.subarray(start));
    },
    openKleidis: ({ ciphertext, annotations }, ivLength) => {
      if (!hasKleidiMark(annotations) || ciphertext.length < ivLength + tagLength) return undefined;
      const nonce = ciphertext.subarray(0, ivLength);
      return decryptGcm(token, use(), nonce, kleidiData, ciphertext.subarray(ivLength));
    },
    // It makes its own name again: the key, not its copy.
    isUsable: () => nameKey(token, handle) === keyId,
    wipe: () => {
      if (copy !== undefined) token.discard(copy);
      copy = undefined;
      working = undefined;
    },
  };
}
