/** Public-key side of the wrapping: what bank-vaults calls RSA-OAEP with SHA-1 (RFC 8017, section 7.1; label empty). */
import { constants, createHash, createPublicKey, publicEncrypt } from 'node:crypto';

/**
 * Encrypts under a wrapping key's public half.
 * @param spki DER SubjectPublicKeyInfo, base64
 */
export function encryptToWrappingKey(spki: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
}

export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.from(left.buffer, left.byteOffset, left.byteLength).equals(right);
}
