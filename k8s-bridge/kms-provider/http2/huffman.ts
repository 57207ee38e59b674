/**
 * HPACK's Huffman code (RFC 7541, appendix B). It is canonical: codes of one length follow each other in the order of
 * their symbols, so that the lengths say all of it.
 */

/** Code length in bits → its symbols. 256 is the end of a string, which no string may hold. */
const symbolsOfLength: readonly (readonly [number, string])[] = [
  [5, '48-50 97 99 101 105 111 115-116'],
  [6, '32 37 45-47 51-57 61 65 95 98 100 102-104 108-110 112 114 117'],
  [7, '58 66-87 89 106-107 113 118-122'],
  [8, '38 42 44 59 88 90'],
  [10, '33-34 40-41 63'],
  [11, '39 43 124'],
  [12, '35 62'],
  [13, '0 36 64 91 93 126'],
  [14, '94 125'],
  [15, '60 96 123'],
  [19, '92 195 208'],
  [20, '128 130-131 162 184 194 224 226'],
  [21, '153 161 167 172 176-177 179 209 216-217 227 229-230'],
  [22, '129 132-134 136 146 154 156 160 163-164 169-170 173 178 181 185-187 189-190 196 198 228 232-233'],
  [23, '1 135 137-141 143 147 149-152 155 157-158 165-166 168 174-175 180 182-183 188 191 197 231 239'],
  [24, '9 142 144-145 148 159 171 206 215 225 236-237'],
  [25, '199 207 234-235'],
  [26, '192-193 200-202 205 210 213 218-219 238 240 242-243 255'],
  [27, '203-204 211-212 214 221-223 241 244-248 250-254'],
  [28, '2-8 11-12 14-21 23-31 127 220 249'],
  [30, '10 13 22 256'],
];
const longestCode = 30;
const endOfString = 256;

interface CodesOfLength {
  readonly first: number;
  readonly symbols: readonly number[];
}

function numbersOf(ranges: string): readonly number[] {
  return ranges.split(' ').flatMap((range) => {
    const [from = 0, to = from] = range.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

function makeCodes(): readonly CodesOfLength[] {
  const symbols = new Map(symbolsOfLength.map(([length, ranges]) => [length, numbersOf(ranges)]));
  const codes: CodesOfLength[] = [];
  let first = 0;
  for (let length = 0; length <= longestCode; length += 1) {
    const here = symbols.get(length) ?? [];
    codes.push({ first, symbols: here });
    first = (first + here.length) * 2;
  }
  return codes;
}

const codes = makeCodes();

/** Undefined where the bytes are no string of that code, or are padded with anything but the first of its end. */
export function decodeHuffman(bytes: Buffer): string | undefined {
  const decoded: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of bytes) {
    for (let bit = 7; bit >= 0; bit -= 1) {
      code = code * 2 + ((byte >>> bit) & 1);
      length += 1;
      const candidates = codes[length];
      if (candidates === undefined) return undefined;
      const symbol = candidates.symbols[code - candidates.first];
      if (symbol === endOfString) return undefined;
      if (symbol !== undefined) {
        decoded.push(symbol);
        code = 0;
        length = 0;
      }
    }
  }
  // What is left is padding: fewer bits than a byte, all ones.
  return length < 8 && code === 2 ** length - 1 ? Buffer.from(decoded).toString('latin1') : undefined;
}
