/** BER-TLV as cards use it (ISO/IEC 7816-4, section 5.2.2): tags of one or two bytes, lengths up to four bytes. */

export interface DataObject {
  readonly tag: number;
  readonly value: Buffer;
  /** Tag, length and value. */
  readonly encoded: Buffer;
}

/** The data object at the beginning of the bytes; undefined where there is no whole one. */
export function readDataObject(bytes: Buffer): DataObject | undefined {
  const [first, second] = bytes;
  if (first === undefined) return undefined;
  const isTwoBytes = (first & 0x1f) === 0x1f;
  if (isTwoBytes && (second === undefined || second >= 0x80)) return undefined;
  const tag = isTwoBytes ? (first << 8) | (second ?? 0) : first;
  const lengthAt = isTwoBytes ? 2 : 1;
  const short = bytes[lengthAt];
  if (short === undefined) return undefined;
  const lengthBytes = short < 0x80 ? 0 : short - 0x80;
  if (lengthBytes > 3 || (short >= 0x80 && lengthBytes === 0)) return undefined;
  const start = lengthAt + 1 + lengthBytes;
  if (bytes.length < start) return undefined;
  const length = lengthBytes === 0 ? short : bytes.readUIntBE(lengthAt + 1, lengthBytes);
  if (bytes.length < start + length) return undefined;
  return { tag, value: bytes.subarray(start, start + length), encoded: bytes.subarray(0, start + length) };
}

/** Data objects one after the other; undefined where something else is between or behind them. */
export function readDataObjects(bytes: Buffer): readonly DataObject[] | undefined {
  const objects: DataObject[] = [];
  for (let rest = bytes; rest.length > 0;) {
    const object = readDataObject(rest);
    if (object === undefined) return undefined;
    objects.push(object);
    rest = rest.subarray(object.encoded.length);
  }
  return objects;
}

/** The first data object with the tag among those that follow one another. */
export function findDataObject(bytes: Buffer, tag: number): DataObject | undefined {
  return readDataObjects(bytes)?.find((object) => object.tag === tag);
}

export function writeDataObject(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const tagBytes = tag > 0xff ? [tag >> 8, tag & 0xff] : [tag];
  const lengthBytes = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([...tagBytes, ...lengthBytes]), ...parts]);
}
