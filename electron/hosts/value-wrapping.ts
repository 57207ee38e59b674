/**
 * What a value (a key share, a root token) becomes under a token's public key. Under RSA it is bank-vaults' form and
 * nothing else; under a key of a curve, an envelope of this program's own (docs/formats.md): ephemeral-static ECDH,
 * HKDF-SHA-256 (RFC 5869), AES-256-GCM, with the value's label and the key's hash authenticated.
 */
import {
  constants,
  createCipheriv,
  createDecipheriv,
  createECDH,
  createHash,
  createPublicKey,
  ECDH,
  hkdfSync,
  publicEncrypt,
  randomBytes,
} from 'node:crypto';

/** Curves that every crypto this runs on knows, Electron's included. */
const curves = [
  { number: 1, name: 'P-256', opensslName: 'prime256v1', bytes: 32 },
  { number: 2, name: 'P-384', opensslName: 'secp384r1', bytes: 48 },
  { number: 3, name: 'P-521', opensslName: 'secp521r1', bytes: 66 },
] as const;

type Curve = (typeof curves)[number];

/** Names of the curves whose keys can wrap values. */
export const wrappingCurves: readonly string[] = curves.map(({ name }) => name);

/** @param spki DER. @returns the name of the curve of a key that can wrap values; undefined for RSA and other curves */
export function wrappingCurveOf(spki: Uint8Array): string | undefined {
  const { asymmetricKeyDetails } = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  return curves.find(({ opensslName }) => opensslName === asymmetricKeyDetails?.namedCurve)?.name;
}

const magic = Buffer.from('KCV1');
const keyHashBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;
const longestLabel = 255;
const context = 'key-custodian value v1';

/** The parts of a value under a key of a curve. */
export interface ValueEnvelope {
  /** What the value is called; authenticated, so that none can be taken for another. */
  readonly label: string;
  /** SHA-256 of the key's SubjectPublicKeyInfo, hex. */
  readonly publicKeySha256: string;
  /** The sender's point, seen to be on the curve: 04, x, y. */
  readonly ephemeralPoint: Buffer;
  /** Length of the shared secret in bytes. */
  readonly secretBytes: number;
  readonly curve: string;
  /** Everything before the ciphertext, authenticated as it is. */
  readonly header: Buffer;
  readonly nonce: Buffer;
  /** With the tag at its end. */
  readonly ciphertext: Buffer;
}

const pointBytes = ({ bytes }: Curve): number => 1 + 2 * bytes;

function deriveKey(secret: Uint8Array, header: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, createHash('sha256').update(header).digest(), context, 32));
}

function sealToCurve(curve: Curve, spki: Buffer, label: string, plaintext: Uint8Array): Buffer {
  const labelBytes = Buffer.from(label, 'utf8');
  if (labelBytes.length > longestLabel) throw new RangeError('The label of a value is too long.');
  const sender = createECDH(curve.opensslName);
  const point = sender.generateKeys();
  const nonce = randomBytes(nonceBytes);
  const keyHash = createHash('sha256').update(spki).digest();
  const header = Buffer.concat([
    magic,
    Buffer.of(curve.number),
    keyHash,
    Buffer.of(labelBytes.length),
    labelBytes,
    point,
    nonce,
  ]);
  const secret = sender.computeSecret(spki.subarray(spki.length - pointBytes(curve)));
  const key = deriveKey(secret, header);
  secret.fill(0);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  key.fill(0);
  cipher.setAAD(header);
  return Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The curve of an EC key that can wrap values. */
function curveOf(key: ReturnType<typeof createPublicKey>): Curve | undefined {
  return key.asymmetricKeyType === 'ec'
    ? curves.find(({ opensslName }) => opensslName === key.asymmetricKeyDetails?.namedCurve)
    : undefined;
}

/** Whether values can be wrapped under a key: RSA of 2048 bits or more, or one of `wrappingCurves`. @param spki DER SubjectPublicKeyInfo */
export function canWrap(spki: Buffer): boolean {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  const bits = key.asymmetricKeyType === 'rsa' ? (key.asymmetricKeyDetails?.modulusLength ?? 0) : 0;
  return bits >= 2048 || curveOf(key) !== undefined;
}

/**
 * Encrypts a value to a token's wrapping key. Under RSA: RSA-OAEP with SHA-1 and an empty label (RFC 8017 section
 * 7.1), as bank-vaults does. Throws for a key that `canWrap` refuses, and where the value is too long for RSA.
 * @param spki DER SubjectPublicKeyInfo
 * @param label what the value is called; bound to it under a key of a curve alone
 */
export function wrapValue(spki: Buffer, label: string, plaintext: Uint8Array): Buffer {
  const key = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  if (key.asymmetricKeyType === 'rsa')
    return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' }, plaintext);
  const curve = curveOf(key);
  if (curve === undefined) throw new Error('Values cannot be wrapped under this kind of key.');
  return sealToCurve(curve, spki, label, plaintext);
}

/** Reads an envelope; undefined for what is none, or whose point is not on its curve. */
export function readValueEnvelope(bytes: Buffer): ValueEnvelope | undefined {
  const afterHash = magic.length + 1 + keyHashBytes;
  const labelBytes = bytes[afterHash];
  const curve = curves.find(({ number }) => number === bytes[magic.length]);
  if (!bytes.subarray(0, magic.length).equals(magic) || labelBytes === undefined || curve === undefined)
    return undefined;
  const pointAt = afterHash + 1 + labelBytes;
  const nonceAt = pointAt + pointBytes(curve);
  const headerBytes = nonceAt + nonceBytes;
  if (bytes.length < headerBytes + tagBytes) return undefined;
  const ephemeralPoint = bytes.subarray(pointAt, nonceAt);
  try {
    // A point of another curve would give the token's private key away, piece by piece.
    ECDH.convertKey(ephemeralPoint, curve.opensslName);
  } catch {
    return undefined;
  }
  return {
    label: bytes.toString('utf8', afterHash + 1, pointAt),
    publicKeySha256: bytes.toString('hex', magic.length + 1, afterHash),
    ephemeralPoint,
    secretBytes: curve.bytes,
    curve: curve.name,
    header: bytes.subarray(0, headerBytes),
    nonce: bytes.subarray(nonceAt, headerBytes),
    ciphertext: bytes.subarray(headerBytes),
  };
}

/**
 * Opens an envelope with the secret that the token derived from its point.
 * @returns the value, the caller's to wipe; undefined where it was changed or is of another key
 */
export function openValueEnvelope(
  { header, nonce, ciphertext, secretBytes }: ValueEnvelope,
  sharedSecret: Buffer,
): Buffer<ArrayBuffer> | undefined {
  // Leading zeros belong to the secret (SEC 1 section 2.3.5), and some libraries leave them out.
  const secret = Buffer.alloc(secretBytes);
  if (sharedSecret.length > secretBytes) return undefined;
  sharedSecret.copy(secret, secretBytes - sharedSecret.length);
  const key = deriveKey(secret, header);
  secret.fill(0);
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes });
  key.fill(0);
  decipher.setAAD(header);
  decipher.setAuthTag(ciphertext.subarray(ciphertext.length - tagBytes));
  const value = decipher.update(ciphertext.subarray(0, ciphertext.length - tagBytes));
  try {
    decipher.final();
  } catch {
    value.fill(0);
    return undefined;
  }
  const own = Buffer.from(new ArrayBuffer(value.length));
  value.copy(own);
  value.fill(0);
  return own;
}
