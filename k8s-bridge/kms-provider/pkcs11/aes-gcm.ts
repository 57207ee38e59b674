/** AES-GCM on the token (PKCS#11 v2.40, section 2.11.5 of its mechanisms). */
import { randomFillSync } from 'node:crypto';
import pkcs11js, { type AesGCM, type Handle, type Mechanism } from 'pkcs11js';
import { assertWrongCiphertext } from './key-attributes.ts';
import type { TokenConnection } from './token-connection.ts';

export const tagLength = 16;
/** NIST SP 800-38D recommends 96 bits. */
export const nonceLength = 12;
/** The longest plaintext whose ciphertext KMS v2 takes is shorter. */
const longest = 2048;

const output = Buffer.from(new ArrayBuffer(longest));

function mechanism(nonce: Buffer, aad: Buffer): Mechanism {
  const parameter: AesGCM = {
    type: pkcs11js.CK_PARAMS_AES_GCM,
    iv: nonce,
    aad,
    ivBits: nonce.length * 8,
    tagBits: tagLength * 8,
  };
  return { mechanism: pkcs11js.CKM_AES_GCM, parameter };
}

/** @returns ciphertext and tag */
export function encryptGcm(token: TokenConnection, key: Handle, nonce: Buffer, aad: Buffer, plaintext: Buffer): Buffer {
  token.cryptoki.C_EncryptInit(token.session, mechanism(nonce, aad), key);
  return Buffer.from(token.cryptoki.C_Encrypt(token.session, plaintext, output));
}

/** Undefined where the tag does not fit. */
export function decryptGcm(
  token: TokenConnection,
  key: Handle,
  nonce: Buffer,
  aad: Buffer,
  ciphertext: Buffer,
): Buffer | undefined {
  const { cryptoki, session } = token;
  cryptoki.C_DecryptInit(session, mechanism(nonce, aad), key);
  try {
    return Buffer.from(cryptoki.C_Decrypt(session, ciphertext, output));
  } catch (thrown) {
    assertWrongCiphertext(token, thrown);
    return undefined;
  } finally {
    output.fill(0);
  }
}

/** Random bytes for so many nonces are drawn at once: the call costs more than the bytes. None is used twice. */
const drawn = Buffer.from(new ArrayBuffer(nonceLength * 256));
let used = drawn.length;

/** A nonce of 96 random bits that is not the one which key ids are made with. It is the caller's until the next but 255. */
export function drawNonce(reserved: Buffer): Buffer {
  for (;;) {
    if (used === drawn.length) {
      randomFillSync(drawn);
      used = 0;
    }
    const nonce = drawn.subarray(used, used + nonceLength);
    used += nonceLength;
    if (!nonce.equals(reserved)) return nonce;
  }
}
