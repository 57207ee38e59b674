/**
 * Protobuf's wire format, as far as the KMS v2 messages need it (protobuf.dev, "Encoding"): every field of theirs is
 * length-delimited. Fields that are not known are skipped, as proto3 asks.
 */

const lengthDelimited = 2;
const longestVarint = 5;

interface Read {
  readonly value: number;
  readonly next: number;
}

/** A varint of at most 32 bits. Undefined where it is cut off or longer. */
function readVarint(bytes: Buffer, start: number): Read | undefined {
  let value = 0;
  for (let index = 0; index < longestVarint; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return value > 0xffff_ffff ? undefined : { value, next: start + index + 1 };
  }
  return undefined;
}

/** Where a field that is not length-delimited ends; undefined where there is no such field. */
function endOfOther(bytes: Buffer, wireType: number, start: number): number | undefined {
  if (wireType === 1) return start + 8;
  if (wireType === 5) return start + 4;
  if (wireType !== 0) return undefined;
  for (let index = start; index < start + 10; index += 1) if ((bytes[index] ?? 0x80) < 0x80) return index + 1;
  return undefined;
}

/**
 * Hands out every length-delimited field of a message, in its order.
 * @param take the bytes are a view on the message
 * @returns false where the message is malformed
 */
export function readFields(message: Buffer, take: (field: number, bytes: Buffer) => boolean): boolean {
  let position = 0;
  while (position < message.length) {
    const tag = readVarint(message, position);
    if (tag === undefined || tag.value < 8) return false;
    const wireType = tag.value & 7;
    if (wireType === lengthDelimited) {
      const length = readVarint(message, tag.next);
      if (length === undefined) return false;
      position = length.next + length.value;
      if (position > message.length || !take(tag.value >>> 3, message.subarray(length.next, position))) return false;
    } else {
      const end = endOfOther(message, wireType, tag.next);
      if (end === undefined || end > message.length) return false;
      position = end;
    }
  }
  return true;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return bytes;
}

/** The parts of one length-delimited field; none where it is empty, since that is proto3's default. */
export function fieldParts(field: number, bytes: Uint8Array): readonly Uint8Array[] {
  return bytes.length === 0
    ? []
    : [Uint8Array.from([...varint(field * 8 + lengthDelimited), ...varint(bytes.length)]), bytes];
}
