/**
 * Public keys as they lie on tokens, in one form: DER SubjectPublicKeyInfo. Made and read by hand, since the crypto
 * of Electron's Node (BoringSSL) knows no brainpool curves, which cards have.
 */
import { createHash } from 'node:crypto';
import pkcs11js, { type Handle, type PKCS11 } from 'pkcs11js';
import { namedCurveOf } from './curves.ts';
import { derTag, readDer, readDerElements, writeDer } from './der.ts';
import { readAttribute, readNumber } from './objects.ts';

export interface PublicKeyValue {
  /** DER SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7). */
  readonly spki: Buffer;
  readonly sha256: string;
  /** 'RSA', 'EC' or '' for others. */
  readonly kind: string;
  /** Bits of the modulus or field; 0 where unknown. */
  readonly bits: number;
  /** Name of the curve; '' for none or an unnamed one. */
  readonly curve: string;
}

/** rsaEncryption and id-ecPublicKey (RFC 3279 sections 2.3.1 and 2.3.5), contents of the object identifiers. */
const rsaIdentifier = Buffer.from('2a864886f70d010101', 'hex');
const ecIdentifier = Buffer.from('2a8648ce3d0201', 'hex');

export function sha256Hex(value: Buffer): string {
  return createHash('sha256').update(value).digest('hex');
}

/** PKCS#11 numbers are big-endian and may begin with zeros. */
export function withoutLeadingZeros(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte !== 0);
  return start < 0 ? Buffer.alloc(0) : value.subarray(start);
}

/** Length of an unsigned big-endian number in bits. */
function bitLength(value: Buffer): number {
  const trimmed = withoutLeadingZeros(value);
  const [first] = trimmed;
  return first === undefined ? 0 : (trimmed.length - 1) * 8 + (32 - Math.clz32(first));
}

/** DER INTEGER of an unsigned number: one zero before a first bit that would make it negative. */
function unsignedInteger(value: Buffer): Buffer {
  const trimmed = withoutLeadingZeros(value);
  const [first] = trimmed;
  return writeDer(derTag.integer, first === undefined || first >= 0x80 ? Buffer.of(0) : Buffer.alloc(0), trimmed);
}

/** Reads a SubjectPublicKeyInfo; undefined where it is none. */
export function describePublicKeyInfo(spki: Buffer): PublicKeyValue | undefined {
  const outer = readDer(spki);
  const [algorithm, key] = (outer?.tag === derTag.sequence && readDerElements(outer.content)) || [];
  if (algorithm?.tag !== derTag.sequence || key?.tag !== derTag.bitString || outer?.rest.length !== 0) return undefined;
  const [identifier, parameters] = readDerElements(algorithm.content) ?? [];
  if (identifier?.tag !== derTag.objectIdentifier) return undefined;
  const base = { spki, sha256: sha256Hex(spki) };
  if (identifier.content.equals(rsaIdentifier)) {
    const modulus = readRsaPublicKey(key.content.subarray(1))?.modulus;
    return modulus === undefined ? undefined : { ...base, kind: 'RSA', bits: bitLength(modulus), curve: '' };
  }
  if (identifier.content.equals(ecIdentifier)) {
    const curve = parameters === undefined ? undefined : namedCurveOf(parameters.whole);
    return { ...base, kind: 'EC', bits: curve?.bits ?? 0, curve: curve?.name ?? '' };
  }
  return { ...base, kind: '', bits: 0, curve: '' };
}

/** RSAPublicKey ::= SEQUENCE { modulus, publicExponent } (RFC 8017 appendix A.1.1). */
function readRsaPublicKey(der: Buffer): { readonly modulus: Buffer; readonly exponent: Buffer } | undefined {
  const outer = readDer(der);
  const [modulus, exponent] = (outer?.tag === derTag.sequence && readDerElements(outer.content)) || [];
  if (modulus?.tag !== derTag.integer || exponent?.tag !== derTag.integer) return undefined;
  return { modulus: modulus.content, exponent: exponent.content };
}

function rsaPublicKeyInfo(modulus: Buffer, exponent: Buffer): PublicKeyValue {
  const algorithm = writeDer(derTag.sequence, writeDer(derTag.objectIdentifier, rsaIdentifier), writeDer(derTag.null));
  const key = writeDer(derTag.sequence, unsignedInteger(modulus), unsignedInteger(exponent));
  const spki = writeDer(derTag.sequence, algorithm, writeDer(derTag.bitString, Buffer.of(0), key));
  return { spki, sha256: sha256Hex(spki), kind: 'RSA', bits: bitLength(modulus), curve: '' };
}

/**
 * CKA_EC_POINT is the DER of an OCTET STRING around the point (PKCS#11 v2.40 section 2.3.3); some modules give the
 * point itself.
 */
function pointOf(attribute: Buffer): Buffer {
  const element = readDer(attribute);
  return element?.tag === derTag.octetString && element.rest.length === 0 ? element.content : attribute;
}

function ecPublicKeyInfo(parameters: Buffer, point: Buffer): PublicKeyValue | undefined {
  const algorithm = writeDer(derTag.sequence, writeDer(derTag.objectIdentifier, ecIdentifier), parameters);
  return describePublicKeyInfo(
    writeDer(derTag.sequence, algorithm, writeDer(derTag.bitString, Buffer.of(0), pointOf(point))),
  );
}

/**
 * The public key that a public or private key object shows: by its modulus and exponent, by its point and curve, or by
 * CKA_VALUE, where OpenSC puts a SubjectPublicKeyInfo or an RSAPublicKey. Undefined where it shows none of them.
 */
export function readPublicKey(cryptoki: PKCS11, session: Handle, object: Handle): PublicKeyValue | undefined {
  const read = (type: number): Buffer | undefined => {
    const value = readAttribute(cryptoki, session, object, type);
    return value === undefined || value.length === 0 ? undefined : value;
  };
  const keyType = readNumber(cryptoki, session, object, pkcs11js.CKA_KEY_TYPE);
  if (keyType === pkcs11js.CKK_RSA) {
    const modulus = read(pkcs11js.CKA_MODULUS);
    const exponent = read(pkcs11js.CKA_PUBLIC_EXPONENT);
    if (modulus !== undefined && exponent !== undefined) return rsaPublicKeyInfo(modulus, exponent);
  }
  if (keyType === pkcs11js.CKK_EC) {
    const parameters = read(pkcs11js.CKA_EC_PARAMS);
    const point = read(pkcs11js.CKA_EC_POINT);
    if (parameters !== undefined && point !== undefined) return ecPublicKeyInfo(parameters, point);
  }
  if (readNumber(cryptoki, session, object, pkcs11js.CKA_CLASS) !== pkcs11js.CKO_PUBLIC_KEY) return undefined;
  const value = read(pkcs11js.CKA_VALUE);
  if (value === undefined) return undefined;
  const rsa = keyType === pkcs11js.CKK_RSA ? readRsaPublicKey(value) : undefined;
  return rsa === undefined ? describePublicKeyInfo(value) : rsaPublicKeyInfo(rsa.modulus, rsa.exponent);
}

/** The SubjectPublicKeyInfo inside an X.509 certificate (RFC 5280 section 4.1); undefined where it is none. */
export function publicKeyOfCertificate(certificate: Buffer): PublicKeyValue | undefined {
  const spki = readCertificateFields(certificate)?.publicKeyInfo;
  return spki === undefined ? undefined : describePublicKeyInfo(spki);
}

export interface CertificateFields {
  /** DER of each. */
  readonly serialNumber: Buffer;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKeyInfo: Buffer;
}

/** What PKCS#11 wants beside a certificate's bytes. Undefined where they are no X.509 certificate, or more than one. */
export function readCertificateFields(certificate: Buffer): CertificateFields | undefined {
  const outer = readDer(certificate);
  if (outer?.tag !== derTag.sequence || outer.rest.length > 0) return undefined;
  const signed = readDer(outer.content);
  const elements = (signed?.tag === derTag.sequence && readDerElements(signed.content)) || [];
  const [, ...afterVersion] = elements;
  // The version is left out of version 1 certificates.
  const fields = elements[0]?.tag === derTag.contextZero ? afterVersion : elements;
  const [serialNumber, , issuer, , subject, publicKey] = fields;
  if (serialNumber?.tag !== derTag.integer || publicKey?.tag !== derTag.sequence) return undefined;
  if (issuer?.tag !== derTag.sequence || subject?.tag !== derTag.sequence) return undefined;
  return {
    serialNumber: serialNumber.whole,
    issuer: issuer.whole,
    subject: subject.whole,
    publicKeyInfo: publicKey.whole,
  };
}
