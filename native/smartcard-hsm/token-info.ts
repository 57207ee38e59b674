/** EF.TokenInfo (PKCS#15 v1.1, section 6.9): the device's label, in the few fields that OpenSC writes. */
import { findDataObject, readDataObject, writeDataObject } from './tlv.ts';

const sequence = 0x30;
const integer = 0x02;
const bitString = 0x03;
/** [0], the label, UTF-8. */
const labelTag = 0x80;

/** TokenFlags with prnGeneration alone: five unused bits. */
const generatesRandomNumbers = Buffer.of(0x05, 0x20);

/** The label; undefined where the file holds none. */
export function readTokenLabel(file: Buffer): string | undefined {
  const outer = readDataObject(file);
  const label = outer?.tag === sequence ? findDataObject(outer.value, labelTag)?.value.toString('utf8') : undefined;
  return label === '' ? undefined : label;
}

/** The file for a label, as sc-hsm-tool writes it. */
export function writeTokenInfo(label: string): Buffer {
  return writeDataObject(
    sequence,
    writeDataObject(integer, Buffer.of(0)),
    writeDataObject(labelTag, Buffer.from(label, 'utf8')),
    writeDataObject(bitString, generatesRandomNumbers),
  );
}
