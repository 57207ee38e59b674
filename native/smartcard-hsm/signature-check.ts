/**
 * Checks signatures of card-verifiable certificates. ECDSA is computed here over the curve that the certificate
 * names itself, because SmartCard-HSMs use brainpool curves, which Electron's cryptography (BoringSSL) does not have.
 * Everything is public, so nothing needs constant time. SEC 1 (version 2), sections 2.2.1, 3.2.2.1 and 4.1.4.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import type { CertificateKey } from './cv-certificate.ts';

type EcKey = Extract<CertificateKey, { kind: 'ec' }>;
/** Undefined is the point at infinity. */
type Point = { readonly x: bigint; readonly y: bigint } | undefined;

interface Curve {
  readonly prime: bigint;
  readonly a: bigint;
  readonly b: bigint;
}

const toNumber = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

const modulo = (value: bigint, modulus: bigint): bigint => ((value % modulus) + modulus) % modulus;

/** value^-1 by the extended Euclidean algorithm; 0 for what has none. */
function invert(value: bigint, modulus: bigint): bigint {
  let [remainder, next] = [modulo(value, modulus), modulus];
  let [factor, nextFactor] = [1n, 0n];
  while (next !== 0n) {
    const quotient = remainder / next;
    [remainder, next] = [next, remainder - quotient * next];
    [factor, nextFactor] = [nextFactor, factor - quotient * nextFactor];
  }
  return remainder === 1n ? modulo(factor, modulus) : 0n;
}

function add(curve: Curve, one: Point, other: Point): Point {
  if (one === undefined) return other;
  if (other === undefined) return one;
  const { prime, a } = curve;
  if (one.x === other.x && modulo(one.y + other.y, prime) === 0n) return undefined;
  const slope =
    one.x === other.x
      ? (3n * one.x * one.x + a) * invert(2n * one.y, prime)
      : (other.y - one.y) * invert(other.x - one.x, prime);
  const x = modulo(slope * slope - one.x - other.x, prime);
  return { x, y: modulo(slope * (one.x - x) - one.y, prime) };
}

function multiply(curve: Curve, factor: bigint, point: Point): Point {
  let result: Point;
  let doubled = point;
  for (let rest = factor; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = add(curve, result, doubled);
    doubled = add(curve, doubled, doubled);
  }
  return result;
}

/** An uncompressed point that lies on the curve. */
function readPoint(curve: Curve, bytes: Buffer): Point {
  const half = (bytes.length - 1) / 2;
  if (bytes[0] !== 0x04 || !Number.isInteger(half)) return undefined;
  const x = toNumber(bytes.subarray(1, 1 + half));
  const y = toNumber(bytes.subarray(1 + half));
  const isOnCurve = modulo(y * y - (x * x * x + curve.a * x + curve.b), curve.prime) === 0n;
  return isOnCurve && x < curve.prime && y < curve.prime ? { x, y } : undefined;
}

/** Field sizes of the card's curves: 192 to 521 bits. Anything else is not computed with. */
const longestPrime = 66;

/** @param signature r and s side by side (TR-03110-3, D.3.1.3) */
function isEcdsaSignature(key: EcKey, data: Buffer, signature: Buffer): boolean {
  const curve = { prime: toNumber(key.prime), a: toNumber(key.coefficientA), b: toNumber(key.coefficientB) };
  const order = toNumber(key.order);
  if (key.prime.length > longestPrime || key.order.length > longestPrime || curve.prime < 5n || order < 5n)
    return false;
  const [base, point] = [readPoint(curve, key.basePoint), readPoint(curve, key.publicPoint)];
  if (base === undefined || point === undefined || signature.length % 2 !== 0) return false;
  const r = toNumber(signature.subarray(0, signature.length / 2));
  const s = toNumber(signature.subarray(signature.length / 2));
  if (r < 1n || r >= order || s < 1n || s >= order) return false;
  const digest = createHash(key.hash).update(data).digest();
  const excess = BigInt(Math.max(0, digest.length * 8 - order.toString(2).length));
  const e = toNumber(digest) >> excess;
  const w = invert(s, order);
  const sum = add(curve, multiply(curve, modulo(e * w, order), base), multiply(curve, modulo(r * w, order), point));
  return sum !== undefined && modulo(sum.x, order) === r;
}

const base64url = (bytes: Buffer): string => bytes.toString('base64url');

/** Whether the key made the signature over the data, with the algorithm that its certificate names. */
export function isSignedBy(key: CertificateKey, data: Buffer, signature: Buffer): boolean {
  if (key.kind === 'ec') return isEcdsaSignature(key, data, signature);
  const jwk = { kty: 'RSA', n: base64url(key.modulus), e: base64url(key.publicExponent) };
  try {
    return verify(key.hash, data, createPublicKey({ key: jwk, format: 'jwk' }), signature);
  } catch (cause) {
    // No RSA key at all: OpenSSL says so with a code.
    if (cause instanceof Error && 'code' in cause) return false;
    throw cause;
  }
}
