/** The little DER (ITU-T X.690) that public keys and certificates need: read one element, write one. */

export const derTag = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  /** [0], constructed. */
  contextZero: 0xa0,
} as const;

export interface DerElement {
  readonly tag: number;
  readonly content: Buffer;
  /** Tag, length and content. */
  readonly whole: Buffer;
  /** What follows it. */
  readonly rest: Buffer;
}

/** Lengths above 16 MiB are in nothing that a token holds. */
const lengthBytesAtMost = 3;

/** The first element of the bytes; undefined where they do not begin with a whole one. */
export function readDer(bytes: Buffer): DerElement | undefined {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) return undefined;
  let start = 2;
  let length = first;
  if (first >= 0x80) {
    const lengthBytes = first - 0x80;
    if (lengthBytes < 1 || lengthBytes > lengthBytesAtMost || bytes.length < 2 + lengthBytes) return undefined;
    start += lengthBytes;
    length = bytes.readUIntBE(2, lengthBytes);
  }
  const end = start + length;
  if (bytes.length < end) return undefined;
  return {
    tag,
    content: bytes.subarray(start, end),
    whole: bytes.subarray(0, end),
    rest: bytes.subarray(end),
  };
}

/** The elements of a constructed content, or undefined where it is not made of whole ones. */
export function readDerElements(content: Buffer): readonly DerElement[] | undefined {
  const elements: DerElement[] = [];
  for (let rest = content; rest.length > 0;) {
    const element = readDer(rest);
    if (element === undefined) return undefined;
    elements.push(element);
    rest = element.rest;
  }
  return elements;
}

export function writeDer(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const lengthBytes = content.length < 0x100 ? 1 : content.length < 0x10000 ? 2 : 3;
  const head = Buffer.alloc(2 + lengthBytes);
  head.writeUInt8(tag, 0);
  head.writeUInt8(0x80 + lengthBytes, 1);
  head.writeUIntBE(content.length, 2, lengthBytes);
  return Buffer.concat([head, content]);
}
