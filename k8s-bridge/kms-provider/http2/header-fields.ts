/** Header fields in HPACK's form (RFC 7541): read with a table of their own for each connection, written without one. */
import { decodeHuffman } from './huffman.ts';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
}

/** RFC 7541, appendix A; `name value` where an entry has one. */
const staticTable: readonly HeaderField[] = [
  ':authority',
  ':method GET',
  ':method POST',
  ':path /',
  ':path /index.html',
  ':scheme http',
  ':scheme https',
  ':status 200',
  ':status 204',
  ':status 206',
  ':status 304',
  ':status 400',
  ':status 404',
  ':status 500',
  'accept-charset',
  'accept-encoding gzip, deflate',
  'accept-language',
  'accept-ranges',
  'accept',
  'access-control-allow-origin',
  'age',
  'allow',
  'authorization',
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'etag',
  'expect',
  'expires',
  'from',
  'host',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-modified',
  'link',
  'location',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'range',
  'referer',
  'refresh',
  'retry-after',
  'server',
  'set-cookie',
  'strict-transport-security',
  'transfer-encoding',
  'user-agent',
  'vary',
  'via',
  'www-authenticate',
].map((entry) => {
  const [name = '', ...value] = entry.split(' ');
  return { name, value: value.join(' ') };
});

/** SETTINGS_HEADER_TABLE_SIZE is left at what it is without being said (RFC 9113, 6.5.2). */
const largestTable = 4096;
/** What one request's fields may come to, counted as SETTINGS_MAX_HEADER_LIST_SIZE does. */
export const largestHeaderList = 16 * 1024;
/** What an entry costs besides its bytes (RFC 7541, 4.1). */
const entryOverhead = 32;
const largestInteger = 2 ** 24;

const sizeOf = ({ name, value }: HeaderField): number => name.length + value.length + entryOverhead;

export interface HeaderDecoder {
  /** Undefined where a block cannot be read or is too large: its connection cannot go on, for its table is lost. */
  decode(block: Buffer): readonly HeaderField[] | undefined;
}

/** The entries of one connection's own, newest first. */
function createTable() {
  const entries: HeaderField[] = [];
  let size = 0;
  let limit = largestTable;
  const evict = (): void => {
    while (size > limit) {
      const oldest = entries.pop();
      if (oldest === undefined) return;
      size -= sizeOf(oldest);
    }
  };
  return {
    find: (index: number): HeaderField | undefined =>
      index <= staticTable.length ? staticTable[index - 1] : entries[index - staticTable.length - 1],
    add: (field: HeaderField): void => {
      entries.unshift(field);
      size += sizeOf(field);
      evict();
    },
    resize: (bytes: number): boolean => {
      if (bytes > largestTable) return false;
      limit = bytes;
      evict();
      return true;
    },
  };
}

/** Reads one block from its beginning; each `read` answers undefined where the block ends too early. */
function createReader(block: Buffer) {
  let position = 0;
  const readInteger = (prefixBits: number): number | undefined => {
    const mask = 2 ** prefixBits - 1;
    let value = (block[position] ?? 0) & mask;
    position += 1;
    if (value < mask) return value;
    for (let factor = 1; value < largestInteger; factor *= 128) {
      const byte = block[position];
      position += 1;
      if (byte === undefined) return undefined;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  const readText = (): string | undefined => {
    const isHuffman = ((block[position] ?? 0) & 0x80) !== 0;
    const length = readInteger(7);
    if (length === undefined || position + length > block.length) return undefined;
    const bytes = block.subarray(position, position + length);
    position += length;
    return isHuffman ? decodeHuffman(bytes) : bytes.toString('latin1');
  };
  return { readInteger, readText, peek: () => block[position] };
}

export function createHeaderDecoder(): HeaderDecoder {
  const table = createTable();
  const readLiteral = (
    { readInteger, readText }: ReturnType<typeof createReader>,
    prefixBits: number,
  ): HeaderField | undefined => {
    const index = readInteger(prefixBits);
    if (index === undefined) return undefined;
    const name = index === 0 ? readText() : table.find(index)?.name;
    const value = readText();
    return name === undefined || value === undefined ? undefined : { name, value };
  };
  return {
    decode: (block) => {
      const fields: HeaderField[] = [];
      const reader = createReader(block);
      let size = 0;
      for (let first = reader.peek(); first !== undefined; first = reader.peek()) {
        if (first >= 0x20 && first < 0x40) {
          // A size comes before all fields (RFC 7541, 4.2).
          const limit = reader.readInteger(5);
          if (limit === undefined || fields.length > 0 || !table.resize(limit)) return undefined;
          continue;
        }
        let field: HeaderField | undefined;
        if (first >= 0x80) {
          const index = reader.readInteger(7);
          field = index === undefined ? undefined : table.find(index);
        } else if (first >= 0x40) {
          field = readLiteral(reader, 6);
          if (field !== undefined) table.add(field);
        } else {
          field = readLiteral(reader, 4);
        }
        if (field === undefined) return undefined;
        size += sizeOf(field);
        if (size > largestHeaderList) return undefined;
        fields.push(field);
      }
      return fields;
    },
  };
}

function integer(value: number, prefixBits: number, firstByte: number): readonly number[] {
  const mask = 2 ** prefixBits - 1;
  if (value < mask) return [firstByte | value];
  const bytes = [firstByte | mask];
  let rest = value - mask;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return [...bytes, rest];
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([Buffer.from(integer(bytes.length, 7, 0)), bytes]);
}

/** A block that leaves the reader's table as it is. @param fields names in small letters, values in printable ASCII */
export function encodeHeaders(fields: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([name, value]) => {
      const whole = staticTable.findIndex((entry) => entry.name === name && entry.value === value);
      if (whole >= 0) return Buffer.from(integer(whole + 1, 7, 0x80));
      const known = staticTable.findIndex((entry) => entry.name === name);
      return Buffer.concat([Buffer.from(integer(known + 1, 4, 0)), ...(known < 0 ? [text(name)] : []), text(value)]);
    }),
  );
}

/** Says that no table is used, as has to be said to a reader that made its own smaller (RFC 7541, 4.2). */
export const emptyTable: Buffer = Buffer.from([0x20]);
