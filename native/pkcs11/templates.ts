/**
 * Every attribute template that this project writes or searches with, in one place. The forms are those of
 * bank-vaults (pkg/kv/hsm/hsm.go), so that it can use what is made here and the other way round.
 */
import pkcs11js, { type ECDH1, type Mechanism, type RsaOAEP, type Template } from 'pkcs11js';

/** 65537, big-endian. */
const publicExponent = Buffer.from([0x01, 0x00, 0x01]);

/**
 * RSA wrapping key pair: bank-vaults' attributes, and two more that it leaves out. SENSITIVE, because
 * SoftHSM would otherwise make a private key that can be read; CKA_ID on both halves, because that is what
 * ties them together.
 */
export function keyPairTemplates(
  label: string,
  modulusBits: number,
  id: Buffer,
): { readonly publicKey: Template; readonly privateKey: Template } {
  return {
    publicKey: [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_RSA },
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_VERIFY, value: true },
      { type: pkcs11js.CKA_ENCRYPT, value: true },
      { type: pkcs11js.CKA_PUBLIC_EXPONENT, value: publicExponent },
      { type: pkcs11js.CKA_MODULUS_BITS, value: modulusBits },
      { type: pkcs11js.CKA_LABEL, value: label },
      { type: pkcs11js.CKA_ID, value: id },
    ],
    privateKey: [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_RSA },
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_DECRYPT, value: true },
      { type: pkcs11js.CKA_PRIVATE, value: true },
      { type: pkcs11js.CKA_SENSITIVE, value: true },
      { type: pkcs11js.CKA_EXTRACTABLE, value: false },
      { type: pkcs11js.CKA_LABEL, value: label },
      { type: pkcs11js.CKA_ID, value: id },
    ],
  };
}

/**
 * A pair of a curve, for ECDH alone.
 * @param parameters DER for CKA_EC_PARAMS
 */
export function curveKeyPairTemplates(
  label: string,
  parameters: Buffer,
  id: Buffer,
): { readonly publicKey: Template; readonly privateKey: Template } {
  return {
    publicKey: [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PUBLIC_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_DERIVE, value: true },
      { type: pkcs11js.CKA_EC_PARAMS, value: parameters },
      { type: pkcs11js.CKA_LABEL, value: label },
      { type: pkcs11js.CKA_ID, value: id },
    ],
    privateKey: [
      { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_PRIVATE_KEY },
      { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_EC },
      { type: pkcs11js.CKA_TOKEN, value: true },
      { type: pkcs11js.CKA_DERIVE, value: true },
      { type: pkcs11js.CKA_PRIVATE, value: true },
      { type: pkcs11js.CKA_SENSITIVE, value: true },
      { type: pkcs11js.CKA_EXTRACTABLE, value: false },
      { type: pkcs11js.CKA_LABEL, value: label },
      { type: pkcs11js.CKA_ID, value: id },
    ],
  };
}

/**
 * One value as a data object. TOKEN is said outright, since OpenSC from 0.27 and SoftHSM otherwise make an
 * object that ends with the session; PRIVATE=false, since the value is ciphertext and bank-vaults reads it so.
 */
export function dataObjectTemplate(label: string, value: Buffer): Template {
  return [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_DATA },
    { type: pkcs11js.CKA_TOKEN, value: true },
    { type: pkcs11js.CKA_PRIVATE, value: false },
    { type: pkcs11js.CKA_MODIFIABLE, value: true },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_APPLICATION, value: label },
    { type: pkcs11js.CKA_VALUE, value },
  ];
}

/** One X.509 certificate (PKCS#11 v2.40 section 4.6.3). Not PRIVATE, since certificates are for everyone. */
export function certificateTemplate(
  label: string,
  id: Buffer,
  certificate: Buffer,
  fields: { readonly subject: Buffer; readonly issuer: Buffer; readonly serialNumber: Buffer },
): Template {
  return [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_CERTIFICATE },
    { type: pkcs11js.CKA_CERTIFICATE_TYPE, value: pkcs11js.CKC_X_509 },
    { type: pkcs11js.CKA_TOKEN, value: true },
    { type: pkcs11js.CKA_PRIVATE, value: false },
    { type: pkcs11js.CKA_LABEL, value: label },
    { type: pkcs11js.CKA_ID, value: id },
    { type: pkcs11js.CKA_SUBJECT, value: fields.subject },
    { type: pkcs11js.CKA_ISSUER, value: fields.issuer },
    { type: pkcs11js.CKA_SERIAL_NUMBER, value: fields.serialNumber },
    { type: pkcs11js.CKA_VALUE, value: certificate },
  ];
}

/** Searches go by class and label, as bank-vaults' do. */
export function searchTemplate(objectClass: number, label?: string): Template {
  const template: Template = [{ type: pkcs11js.CKA_CLASS, value: objectClass }];
  if (label !== undefined) template.push({ type: pkcs11js.CKA_LABEL, value: label });
  return template;
}

export const keyPairMechanism: Mechanism = { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN };
export const curveKeyPairMechanism: Mechanism = { mechanism: pkcs11js.CKM_EC_KEY_PAIR_GEN };

/** CKZ_DATA_SPECIFIED (PKCS#11 v2.40, CK_RSA_PKCS_OAEP_SOURCE_TYPE), which pkcs11js does not name. */
const dataSpecified = 1;

export type OaepHash = 'sha1' | 'sha256';

function oaepMechanism(hashAlgorithm: number, maskGeneration: number): Mechanism {
  const parameter: RsaOAEP = {
    type: pkcs11js.CK_PARAMS_RSA_OAEP,
    hashAlg: hashAlgorithm,
    mgf: maskGeneration,
    source: dataSpecified,
  };
  return { mechanism: pkcs11js.CKM_RSA_PKCS_OAEP, parameter };
}

/** RSA-OAEP with an empty label and one hash for both of its uses (RFC 8017 section 7.1). */
export const oaepMechanisms: Readonly<Record<OaepHash, Mechanism>> = {
  sha1: oaepMechanism(pkcs11js.CKM_SHA_1, pkcs11js.CKG_MGF1_SHA1),
  sha256: oaepMechanism(pkcs11js.CKM_SHA256, pkcs11js.CKG_MGF1_SHA256),
};

/** RSA-OAEP with SHA-1 and MGF1-SHA-1: bank-vaults' one and only. */
export const decryptMechanism: Mechanism = oaepMechanisms.sha1;

/** CKD_NULL (PKCS#11 v2.40 section 2.3.2): the shared secret as it is. */
const noKeyDerivation = 1;

/** @param point the other side's public key: 04, x, y */
export function ecdhMechanism(point: Buffer): Mechanism {
  const parameter: ECDH1 = { type: pkcs11js.CK_PARAMS_EC_DH, kdf: noKeyDerivation, publicData: point };
  return { mechanism: pkcs11js.CKM_ECDH1_DERIVE, parameter };
}

/** A shared secret of so many bytes that ends with the session and can be read. */
export function sharedSecretTemplate(bytes: number): Template {
  return [
    { type: pkcs11js.CKA_CLASS, value: pkcs11js.CKO_SECRET_KEY },
    { type: pkcs11js.CKA_KEY_TYPE, value: pkcs11js.CKK_GENERIC_SECRET },
    { type: pkcs11js.CKA_TOKEN, value: false },
    { type: pkcs11js.CKA_SENSITIVE, value: false },
    { type: pkcs11js.CKA_EXTRACTABLE, value: true },
    { type: pkcs11js.CKA_VALUE_LEN, value: bytes },
  ];
}
