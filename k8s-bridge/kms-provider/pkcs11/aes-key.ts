/** AES keys on the token: this project's own ciphertexts, and kleidi's. */
import { createHash } from 'node:crypto';
import pkcs11js, { type Handle } from 'pkcs11js';
import { noAnnotations } from '../backend.ts';
import { additionalData, hasKleidiMark } from '../ciphertext-marks.ts';
import { kleidiName } from '../configuration.ts';
import type { Sealed } from '../grpc/messages.ts';
import { decryptGcm, drawNonce, encryptGcm, nonceLength, tagLength } from './aes-gcm.ts';
import type { TokenConnection } from './token-connection.ts';
import type { TokenKey } from './token-key.ts';

/** The first byte of a ciphertext: how the rest is to be read. */
const form = 1;
/**
 * A nonce that no other plaintext ever meets: with it every key makes a ciphertext of its own, which is the key's name
 * on any token that it was copied to. (Libraries refuse to encrypt nothing at all.)
 */
const namingNonce = Buffer.from('kc-key-id-v1', 'ascii');
const namingData = Buffer.from('key-custodian/kms/v1 key id', 'ascii');

/** kleidi's nonces are crypto11's: 16 bytes (FORMATS 2.2). */
const kleidiNonceLength = 16;
const kleidiData = Buffer.from(kleidiName, 'ascii');
function nameKey(token: TokenConnection, handle: Handle): string {
  const name = encryptGcm(token, handle, namingNonce, namingData, Buffer.alloc(16));
  return `kc1-aes-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`;
}

/** Names the key, for which the token must use it once. Throws what pkcs11js throws. */
export function openAesKey(token: TokenConnection, handle: Handle, label: string): TokenKey {
  const [id] = token.cryptoki.C_GetAttributeValue(token.session, handle, [{ type: pkcs11js.CKA_ID }]);
  const keyId = nameKey(token, handle);
  const aad = additionalData(keyId);
  return {
    handle,
    label,
    id: Buffer.isBuffer(id?.value) ? id.value.toString('hex') : '',
    keyId,
    seal: (plaintext) => {
      const nonce = drawNonce(namingNonce);
      const sealed = encryptGcm(token, handle, nonce, aad, plaintext);
      return { ciphertext: Buffer.concat([Buffer.of(form), nonce, sealed]), keyId, annotations: noAnnotations };
    },
    open: ({ ciphertext, annotations }) => {
      const start = 1 + nonceLength;
      if (annotations.size > 0 || ciphertext[0] !== form || ciphertext.length < start + tagLength) return undefined;
      return decryptGcm(token, handle, ciphertext.subarray(1, start), aad, ciphertext.subarray(start));
    },
  };
}

/** What kleidi wrote; undefined where it is not of this key, or was changed. */
export function openKleidiCiphertext(token: TokenConnection, key: Handle, sealed: Sealed): Buffer | undefined {
  const { ciphertext, annotations } = sealed;
  if (!hasKleidiMark(annotations) || ciphertext.length < kleidiNonceLength + tagLength) return undefined;
  const nonce = ciphertext.subarray(0, kleidiNonceLength);
  return decryptGcm(token, key, nonce, kleidiData, ciphertext.subarray(kleidiNonceLength));
}

/** The check of a key: it makes its own name again. */
export function canStillUse(token: TokenConnection, key: TokenKey): boolean {
  return nameKey(token, key.handle) === key.keyId;
}
