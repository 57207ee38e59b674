/** EF.PrKD (PKCS#15 v1.1, section 6.3): one private or secret key's label and id, as OpenSC and others write them. */
import { enumerateObjects, filePrefix, keyNumbers, readFile } from './files.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import type { Applet } from './applet.ts';
import { readDataObject, readDataObjects } from './tlv.ts';

export interface KeyDescription {
  readonly label: string;
  /** CKA_ID, hex. */
  readonly id: string;
  /** The file up to its end, without what a longer one left behind it. */
  readonly encoded: Buffer;
}

const sequence = 0x30;
const utf8String = 0x0c;
const octetString = 0x04;
const constructed = 0x20;

/** Undefined for anything that is no key description. */
export function readKeyDescription(bytes: Buffer): KeyDescription | undefined {
  const outer = readDataObject(bytes);
  // RSA 30, EC A0, AES A8: the choice of PKCS#15's PrivateKeyType and SecretKeyType.
  if (outer === undefined || (outer.tag & constructed) === 0 || outer.tag > 0xff) return undefined;
  const [common, ofClass] = readDataObjects(outer.value) ?? [];
  if (common?.tag !== sequence || ofClass?.tag !== sequence) return undefined;
  const id = readDataObjects(ofClass.value)?.find(({ tag }) => tag === octetString)?.value;
  if (id === undefined) return undefined;
  const label = readDataObjects(common.value)?.find(({ tag }) => tag === utf8String)?.value;
  return { label: label?.toString('utf8') ?? '', id: id.toString('hex'), encoded: outer.encoded };
}

export interface DescribedKey {
  /** The key's number on the card, 1 to 255. */
  readonly number: number;
  /** Undefined for a key that nobody described: OpenSC does not show it. */
  readonly description: KeyDescription | undefined;
}

/** Every key of the card but the device's own. */
export async function readKeys(applet: Applet): Promise<TokenResult<readonly DescribedKey[]>> {
  const identifiers = await enumerateObjects(applet);
  if (!identifiers.ok) return identifiers;
  const keys: DescribedKey[] = [];
  for (const number of keyNumbers(identifiers.value)) {
    const file = await readFile(applet, (filePrefix.keyDescription << 8) | number);
    if (!file.ok) return file;
    keys.push({ number, description: file.value === undefined ? undefined : readKeyDescription(file.value) });
  }
  return success(keys);
}
