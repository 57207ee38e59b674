/**
 * Sealed secrets: how a PIN or a share crosses a process that must not see it.
 *
 * The prompt window, the token host and the share host each make an ephemeral P-256 key pair when they
 * start. A secret is sealed to the receiver's public key and passes through the main process as
 * ciphertext only, so that the main process's memory never holds it and ending the hosts ends the keys.
 *
 * Construction: ephemeral-static ECDH on P-256 (NIST SP 800-56A rev. 3, section 6.2.2), HKDF-SHA-256
 * (RFC 5869), AES-256-GCM with a 12-byte random nonce (NIST SP 800-38D). The purpose is bound as HKDF
 * info and as additional data. Only WebCrypto is used, so the same file serves a sandboxed window and Node.
 */

/** A secret that only the holder of one ephemeral private key can open. All fields are base64. */
export interface SealedSecret {
  /** Sender's ephemeral P-256 public key, uncompressed point, 65 bytes. */
  readonly ephemeralPublicKey: string;
  /** AES-GCM nonce, 12 bytes. */
  readonly nonce: string;
  /** AES-GCM ciphertext followed by its 16-byte tag. */
  readonly ciphertext: string;
}

export interface SealingKeyPair {
  /** Uncompressed P-256 point, 65 bytes, base64: what senders seal to. */
  readonly publicKey: string;
  /** Not extractable. */
  readonly privateKey: CryptoKey;
}

const curve = { name: 'ECDH', namedCurve: 'P-256' } as const;

export function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index += 1) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

export async function createSealingKeyPair(): Promise<SealingKeyPair> {
  const pair = await crypto.subtle.generateKey(curve, false, ['deriveBits']);
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return { publicKey: toBase64(raw), privateKey: pair.privateKey };
}

async function deriveKey(
  privateKey: CryptoKey,
  publicKey: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  purpose: string,
  usage: 'encrypt' | 'decrypt',
): Promise<CryptoKey> {
  const peer = await crypto.subtle.importKey('raw', publicKey, curve, false, []);
  const shared = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: peer }, privateKey, 256));
  const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  shared.fill(0);
  return crypto.subtle.deriveKey(
    {
      name: 'HKDF',
      hash: 'SHA-256',
      salt,
      info: new TextEncoder().encode(`key-custodian sealed secret v1: ${purpose}`),
    },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    [usage],
  );
}

/**
 * Seals a secret to a receiver.
 * @param recipientPublicKey the receiver's `publicKey` (base64)
 * @param secret the bytes; wiped before this returns
 * @param purpose what the secret may be used for; the receiver must name the same
 */
export async function sealSecret(
  recipientPublicKey: string,
  secret: Uint8Array<ArrayBuffer>,
  purpose: string,
): Promise<SealedSecret> {
  const recipient = fromBase64(recipientPublicKey);
  const ephemeral = await createSealingKeyPair();
  const key = await deriveKey(ephemeral.privateKey, recipient, recipient, purpose, 'encrypt');
  const nonce = crypto.getRandomValues(new Uint8Array(12));
  const additionalData = new TextEncoder().encode(purpose);
  const ciphertext = new Uint8Array(
    await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData }, key, secret),
  );
  secret.fill(0);
  return { ephemeralPublicKey: ephemeral.publicKey, nonce: toBase64(nonce), ciphertext: toBase64(ciphertext) };
}

/**
 * Opens a sealed secret. The caller wipes the bytes after use.
 * @returns the secret, or undefined where the envelope was not made for this key and purpose or was changed
 */
export async function openSecret(
  pair: SealingKeyPair,
  sealed: SealedSecret,
  purpose: string,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const key = await deriveKey(
      pair.privateKey,
      fromBase64(sealed.ephemeralPublicKey),
      fromBase64(pair.publicKey),
      purpose,
      'decrypt',
    );
    const additionalData = new TextEncoder().encode(purpose);
    return new Uint8Array(
      await crypto.subtle.decrypt(
        { name: 'AES-GCM', iv: fromBase64(sealed.nonce), additionalData },
        key,
        fromBase64(sealed.ciphertext),
      ),
    );
  } catch (cause) {
    // WebCrypto says OperationError or DataError for a forged, foreign or malformed envelope, and no more.
    if (cause instanceof DOMException || cause instanceof TypeError) return undefined;
    throw cause;
  }
}
