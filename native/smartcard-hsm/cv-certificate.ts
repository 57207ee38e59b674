/**
 * Card-verifiable certificates (BSI TR-03110-3, appendix C and D): 7F21 { 7F4E body, 5F37 signature }, and the
 * authenticated request 67 { 7F21, 42, 5F37 } that a SmartCard-HSM makes for each new key. Reading only.
 */
import { findDataObject, readDataObject, readDataObjects } from './tlv.ts';

/** Public key of a certificate, as its data objects have it; integers big-endian. */
export type CertificateKey =
  | { readonly kind: 'rsa'; readonly hash: string; readonly modulus: Buffer; readonly publicExponent: Buffer }
  | {
      readonly kind: 'ec';
      readonly hash: string;
      readonly prime: Buffer;
      readonly coefficientA: Buffer;
      readonly coefficientB: Buffer;
      readonly basePoint: Buffer;
      readonly order: Buffer;
      readonly publicPoint: Buffer;
    };

export interface CvCertificate {
  /** Who signed it. */
  readonly authorityReference: string;
  readonly holderReference: string;
  /** Undefined where the algorithm is unknown or domain parameters are missing. */
  readonly publicKey: CertificateKey | undefined;
  /** What is signed. */
  readonly body: Buffer;
  readonly signature: Buffer;
}

export interface AuthenticatedRequest {
  /** Signed by the new key itself. */
  readonly certificate: CvCertificate;
  /** The device that vouches for the key. */
  readonly deviceReference: string;
  /** What the device signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

const tag = {
  request: 0x67,
  certificate: 0x7f21,
  body: 0x7f4e,
  authorityReference: 0x42,
  publicKey: 0x7f49,
  holderReference: 0x5f20,
  signature: 0x5f37,
  objectIdentifier: 0x06,
} as const;

/** id-TA-RSA-v1-5-* and id-TA-ECDSA-* (TR-03110-3, A.6.4), by their last bytes; 0.4.0.127.0.7.2.2.2 in front. */
const terminalAuthentication = '04007f0007020202';
const hashes: Readonly<Partial<Record<string, readonly ['rsa' | 'ec', string]>>> = {
  '0101': ['rsa', 'sha1'],
  '0102': ['rsa', 'sha256'],
  '0105': ['rsa', 'sha512'],
  '0201': ['ec', 'sha1'],
  '0202': ['ec', 'sha224'],
  '0203': ['ec', 'sha256'],
  '0204': ['ec', 'sha384'],
  '0205': ['ec', 'sha512'],
};

function readPublicKey(value: Buffer): CertificateKey | undefined {
  const objects = new Map(readDataObjects(value)?.map((object) => [object.tag, object.value]));
  const algorithm = objects.get(tag.objectIdentifier)?.toString('hex') ?? '';
  if (!algorithm.startsWith(terminalAuthentication)) return undefined;
  const [kind, hash] = hashes[algorithm.slice(terminalAuthentication.length)] ?? [];
  if (hash === undefined) return undefined;
  const [first, second] = [objects.get(0x81), objects.get(0x82)];
  if (first === undefined || second === undefined) return undefined;
  if (kind === 'rsa') return { kind, hash, modulus: first, publicExponent: second };
  const [coefficientB, basePoint, order, publicPoint] = [0x83, 0x84, 0x85, 0x86].map((one) => objects.get(one));
  if (coefficientB === undefined || basePoint === undefined || order === undefined || publicPoint === undefined) {
    return undefined;
  }
  return { kind: 'ec', hash, prime: first, coefficientA: second, coefficientB, basePoint, order, publicPoint };
}

const textOf = (value: Buffer | undefined): string => value?.toString('latin1') ?? '';

/** One certificate at the beginning of the bytes; undefined where there is none. */
export function readCertificate(bytes: Buffer): CvCertificate | undefined {
  const outer = readDataObject(bytes);
  if (outer?.tag !== tag.certificate) return undefined;
  const body = findDataObject(outer.value, tag.body);
  const signature = findDataObject(outer.value, tag.signature)?.value;
  if (body === undefined || signature === undefined) return undefined;
  const publicKey = findDataObject(body.value, tag.publicKey)?.value;
  return {
    authorityReference: textOf(findDataObject(body.value, tag.authorityReference)?.value),
    holderReference: textOf(findDataObject(body.value, tag.holderReference)?.value),
    publicKey: publicKey === undefined ? undefined : readPublicKey(publicKey),
    body: body.encoded,
    signature,
  };
}

/** Certificates one after the other, as EF.C_DevAut holds them; what follows the last one is left out. */
export function readCertificates(bytes: Buffer): readonly CvCertificate[] {
  const certificates: CvCertificate[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const encoded = readDataObject(rest)?.encoded;
    const certificate = encoded === undefined ? undefined : readCertificate(encoded);
    if (encoded === undefined || certificate === undefined) break;
    certificates.push(certificate);
    rest = rest.subarray(encoded.length);
  }
  return certificates;
}

/** The request of a key; undefined for anything else, such as the X.509 certificate that has taken its place. */
export function readAuthenticatedRequest(bytes: Buffer): AuthenticatedRequest | undefined {
  const outer = readDataObject(bytes);
  if (outer?.tag !== tag.request) return undefined;
  const [inner, reference, signature, ...others] = readDataObjects(outer.value) ?? [];
  const certificate = inner === undefined ? undefined : readCertificate(inner.encoded);
  if (inner === undefined || certificate === undefined || others.length > 0) return undefined;
  if (reference?.tag !== tag.authorityReference || signature?.tag !== tag.signature) return undefined;
  return {
    certificate,
    deviceReference: textOf(reference.value),
    signed: Buffer.concat([inner.encoded, reference.encoded]),
    signature: signature.value,
  };
}

/** Digits behind the serial in a device's holder reference. */
const sequenceDigits = 5;

/** The serial by which OpenSC knows a device: the holder reference without its sequence number. '' for none. */
export function serialOf(deviceCertificates: Buffer): string {
  return readCertificate(deviceCertificates)?.holderReference.slice(0, -sequenceDigits) ?? '';
}
