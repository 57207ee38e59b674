/**
 * Every attribute template that this project writes or searches with, in one place. The forms are those of
 * bank-vaults (pkg/kv/hsm/hsm.go), so that it can use what is made here and the other way round.
 */
import pkcs11js, { type Mechanism, type RsaOAEP, type Template } from 'pkcs11js';

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

/** Searches go by class and label, as bank-vaults' do. */
export function searchTemplate(objectClass: number, label?: string): Template {
  const template: Template = [{ type: pkcs11js.CKA_CLASS, value: objectClass }];
  if (label !== undefined) template.push({ type: pkcs11js.CKA_LABEL, value: label });
  return template;
}

export const keyPairMechanism: Mechanism = { mechanism: pkcs11js.CKM_RSA_PKCS_KEY_PAIR_GEN };

/** CKZ_DATA_SPECIFIED (PKCS#11 v2.40, CK_RSA_PKCS_OAEP_SOURCE_TYPE), which pkcs11js does not name. */
const dataSpecified = 1;

const oaepParameter: RsaOAEP = {
  type: pkcs11js.CK_PARAMS_RSA_OAEP,
  hashAlg: pkcs11js.CKM_SHA_1,
  mgf: pkcs11js.CKG_MGF1_SHA1,
  source: dataSpecified,
};

/** RSA-OAEP with SHA-1, MGF1-SHA-1 and an empty label (RFC 8017 section 7.1): bank-vaults' one and only. */
export const decryptMechanism: Mechanism = { mechanism: pkcs11js.CKM_RSA_PKCS_OAEP, parameter: oaepParameter };
