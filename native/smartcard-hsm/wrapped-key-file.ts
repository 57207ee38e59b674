/**
 * sc-hsm-tool's file of a wrapped key: SEQUENCE { OCTET STRING with the card's key blob, the key's description
 * (EF.PrKD), its certificate or certificate request }. Ciphertext and public data only.
 */
import { readKeyDescription, type KeyDescription } from './key-description.ts';
import { readDataObject, writeDataObject } from './tlv.ts';

export interface WrappedKey {
  /** What WRAP KEY answered. It begins with the key check value of the DKEK. */
  readonly blob: Buffer;
  readonly description: KeyDescription;
  /** An X.509 certificate, or the request of the key's making; empty for none. */
  readonly certificate: Buffer;
}

const sequence = 0x30;
const octetString = 0x04;
const keyCheckValueBytes = 8;
/** Key check value, type, and one block of ciphertext and MAC at least. */
const shortestBlob = 48;

/** The key check value of the DKEK that a blob was made under, hex. */
export function keyCheckValueOf({ blob }: Pick<WrappedKey, 'blob'>): string {
  return blob.subarray(0, keyCheckValueBytes).toString('hex');
}

export function writeWrappedKeyFile({ blob, description, certificate }: WrappedKey): Buffer {
  return writeDataObject(sequence, writeDataObject(octetString, blob), description.encoded, certificate);
}

/** Undefined for anything that is no wrapped key with a description. */
export function readWrappedKeyFile(file: Buffer): WrappedKey | undefined {
  const outer = readDataObject(file);
  if (outer?.tag !== sequence || outer.encoded.length !== file.length) return undefined;
  const blob = readDataObject(outer.value);
  if (blob?.tag !== octetString || blob.value.length < shortestBlob) return undefined;
  const behindBlob = outer.value.subarray(blob.encoded.length);
  const description = readKeyDescription(behindBlob);
  if (description === undefined) return undefined;
  const behindDescription = behindBlob.subarray(description.encoded.length);
  const certificate = readDataObject(behindDescription)?.encoded ?? Buffer.alloc(0);
  return certificate.length === behindDescription.length ? { blob: blob.value, description, certificate } : undefined;
}
