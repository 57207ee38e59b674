/**
 * Opens what was sealed to this process. The same envelope as `electron/sealing/sealed.ts`, with Node's
 * synchronous crypto: through WebCrypto each opening took five turns of the thread pool, and in the token host
 * it ended the process where an earlier decrypt on the token had failed. A PKCS#11 library that uses OpenSSL
 * finds Node's own copy of it and leaves its errors in the queue of this thread, and Node 24's asynchronous
 * ciphers hold it for impossible that there are any (assertion in CipherJob::ToResult). The token host seals many shares under one ephemeral key; what was agreed on with it is kept, so that the second share
 * costs one AES-GCM.
 */
import { createDecipheriv, createECDH, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** `SealedSecret` of `electron/sealing/sealed.ts`. All fields are base64. */
interface Envelope {
  readonly ephemeralPublicKey: string;
  readonly nonce: string;
  readonly ciphertext: string;
}

export interface Opener {
  /** Uncompressed P-256 point, base64. The private half never leaves this process and ends with it. */
  readonly publicKey: string;
  /** @returns the secret, the caller's to wipe; undefined for an envelope made for another key or purpose, or changed */
  open(sealed: Envelope, purpose: string): Buffer | undefined;
}

const tagBytes = 16;
const nonceBytes = 12;

/** Senders whose agreed key is kept. */
const keysKept = 8;

export function createOpener(): Opener {
  const pair = createECDH('prime256v1');
  const publicBytes = pair.generateKeys();
  const keys = new Map<string, KeyObject>();

  /** ECDH on P-256 and HKDF-SHA-256 as in `sealed.ts`. Undefined where the sender's key is no point of the curve. */
  function agreeOnKey(ephemeralPublicKey: string, purpose: string): KeyObject | undefined {
    const name = `${ephemeralPublicKey} ${purpose}`;
    const known = keys.get(name);
    if (known !== undefined) return known;
    let shared: Buffer;
    try {
      shared = pair.computeSecret(ephemeralPublicKey, 'base64');
    } catch (cause) {
      if (cause instanceof Error && 'code' in cause && cause.code === 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY') {
        return undefined;
      }
      throw cause;
    }
    const bytes = Buffer.from(
      hkdfSync('sha256', shared, publicBytes, `key-custodian sealed secret v1: ${purpose}`, 32),
    );
    const key = createSecretKey(bytes);
    shared.fill(0);
    bytes.fill(0);
    const [oldest] = keys.keys();
    if (keys.size >= keysKept && oldest !== undefined) keys.delete(oldest);
    keys.set(name, key);
    return key;
  }

  return {
    publicKey: publicBytes.toString('base64'),
    open: (sealed, purpose) => {
      const nonce = Buffer.from(sealed.nonce, 'base64');
      const sealedBytes = Buffer.from(sealed.ciphertext, 'base64');
      if (nonce.length !== nonceBytes || sealedBytes.length < tagBytes) return undefined;
      const key = agreeOnKey(sealed.ephemeralPublicKey, purpose);
      if (key === undefined) return undefined;
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(purpose, 'utf8'));
      decipher.setAuthTag(sealedBytes.subarray(-tagBytes));
      // A stream cipher: all of the plaintext comes from update. Memory of its own, so that wiping wipes all.
      const secret = decipher.update(sealedBytes.subarray(0, -tagBytes));
      try {
        decipher.final();
        return secret;
      } catch (cause) {
        secret.fill(0);
        // OpenSSL gives a tag that does not fit no code: "Unsupported state or unable to authenticate data".
        if (cause instanceof Error) return undefined;
        throw cause;
      }
    },
  };
}
