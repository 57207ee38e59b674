/**
 * Seals many secrets to one receiver. The same envelope as `electron/sealing/sealed.ts`, which opens it, but
 * with Node's synchronous crypto and one key agreement for all: through WebCrypto each sealing took a
 * fifth of the time of an RSA-2048 decrypt on SoftHSM, this way a twentieth.
 */
import { createCipheriv, createECDH, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { SealedSecret } from '../electron/sealing/sealed.ts';

export interface Sealer {
  /** @param secret the bytes; the caller wipes them */
  seal(secret: Uint8Array): SealedSecret;
}

const nonceBytes = 12;

/**
 * Nonces count the messages under one key (NIST SP 800-38D, section 8.2.1: no fixed field, since each key is
 * made by one sealer and known to its receiver alone). A sealer takes a new ephemeral key long before 2^32.
 */
const messagesPerKey = 2 ** 20;

interface SealingKey {
  readonly ephemeralPublicKey: string;
  /** AES-256. */
  readonly key: KeyObject;
}

/** ECDH on P-256 and HKDF-SHA-256 as in `sealed.ts`. Undefined where the public key is no point of the curve. */
function agreeOnKey(recipient: Buffer, purpose: string): SealingKey | undefined {
  const ephemeral = createECDH('prime256v1');
  const ephemeralPublicKey = ephemeral.generateKeys('base64');
  let shared: Buffer;
  try {
    shared = ephemeral.computeSecret(recipient);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY') {
      return undefined;
    }
    throw cause;
  }
  const keyBytes = Buffer.from(hkdfSync('sha256', shared, recipient, `key-custodian sealed secret v1: ${purpose}`, 32));
  const key = createSecretKey(keyBytes);
  shared.fill(0);
  keyBytes.fill(0);
  return { ephemeralPublicKey, key };
}

/**
 * @param recipientPublicKey the receiver's public key: uncompressed P-256 point, base64
 * @param purpose what the secrets may be used for; the receiver must name the same
 * @returns undefined where the public key is no point of the curve
 */
export function createSealer(recipientPublicKey: string, purpose: string): Sealer | undefined {
  const recipient = Buffer.from(recipientPublicKey, 'base64');
  const additionalData = Buffer.from(purpose, 'utf8');
  const first = agreeOnKey(recipient, purpose);
  if (first === undefined) return undefined;
  let current = first;
  let messages = 0;
  return {
    seal: (secret) => {
      messages += 1;
      if (messages > messagesPerKey) {
        messages = 1;
        // The point was on the curve before.
        current = agreeOnKey(recipient, purpose) ?? current;
      }
      const nonce = Buffer.alloc(nonceBytes);
      nonce.writeUInt32BE(messages, nonceBytes - 4);
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce);
      cipher.setAAD(additionalData);
      const ciphertext = Buffer.concat([cipher.update(secret), cipher.final(), cipher.getAuthTag()]);
      return {
        ephemeralPublicKey: current.ephemeralPublicKey,
        nonce: nonce.toString('base64'),
        ciphertext: ciphertext.toString('base64'),
      };
    },
  };
}
