/** Named curves of CKA_EC_PARAMS (PKCS#11 v2.40 section 2.3.3: the DER of an object identifier). */
import { derTag, readDer } from './der.ts';

export interface NamedCurve {
  /** As the field calls it: NIST's name, SEC 2's or RFC 5639's. */
  readonly name: string;
  /** As OpenSSL calls it. */
  readonly opensslName: string;
  /** Bits of the field. */
  readonly bits: number;
}

/** By the content of the object identifier, hex (SEC 2 appendix A.2, RFC 5639 section 4.1). */
const curves: ReadonlyMap<string, NamedCurve> = new Map([
  ['2a8648ce3d030101', { name: 'P-192', opensslName: 'prime192v1', bits: 192 }],
  ['2b81040021', { name: 'P-224', opensslName: 'secp224r1', bits: 224 }],
  ['2a8648ce3d030107', { name: 'P-256', opensslName: 'prime256v1', bits: 256 }],
  ['2b81040022', { name: 'P-384', opensslName: 'secp384r1', bits: 384 }],
  ['2b81040023', { name: 'P-521', opensslName: 'secp521r1', bits: 521 }],
  ['2b8104001f', { name: 'secp192k1', opensslName: 'secp192k1', bits: 192 }],
  ['2b8104000a', { name: 'secp256k1', opensslName: 'secp256k1', bits: 256 }],
  ['2b2403030208010103', { name: 'brainpoolP192r1', opensslName: 'brainpoolP192r1', bits: 192 }],
  ['2b2403030208010105', { name: 'brainpoolP224r1', opensslName: 'brainpoolP224r1', bits: 224 }],
  ['2b2403030208010107', { name: 'brainpoolP256r1', opensslName: 'brainpoolP256r1', bits: 256 }],
  ['2b2403030208010109', { name: 'brainpoolP320r1', opensslName: 'brainpoolP320r1', bits: 320 }],
  ['2b240303020801010b', { name: 'brainpoolP384r1', opensslName: 'brainpoolP384r1', bits: 384 }],
  ['2b240303020801010d', { name: 'brainpoolP512r1', opensslName: 'brainpoolP512r1', bits: 512 }],
]);

/** @param parameters the DER of CKA_EC_PARAMS, or of the parameters in a SubjectPublicKeyInfo; undefined for a curve that is not named or not known */
export function namedCurveOf(parameters: Buffer): NamedCurve | undefined {
  const element = readDer(parameters);
  return element?.tag === derTag.objectIdentifier ? curves.get(element.content.toString('hex')) : undefined;
}

/** @param name as `NamedCurve` has it. @returns the DER for CKA_EC_PARAMS; undefined for a curve that is not known */
export function curveParameters(name: string): Buffer | undefined {
  const [content] = [...curves].find(([, curve]) => curve.name === name) ?? [];
  if (content === undefined) return undefined;
  const identifier = Buffer.from(content, 'hex');
  return Buffer.concat([Buffer.of(derTag.objectIdentifier, identifier.length), identifier]);
}

/** @param name as `NamedCurve` has it */
export function namedCurveByName(name: string): NamedCurve | undefined {
  return [...curves.values()].find((curve) => curve.name === name);
}
