/**
 * The form of a Vault key share, judged on bytes: a string could not be wiped afterwards.
 * Vault takes hex or standard base64 of 33 bytes (split) or 32 bytes (one share).
 */

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}

function hexDigit(byte: number): number | undefined {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : undefined;
}

function base64Digit(byte: number): number | undefined {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x47;
  if (byte >= 0x30 && byte <= 0x39) return byte + 4;
  if (byte === 0x2b) return 62;
  return byte === 0x2f ? 63 : undefined;
}

function decodeBase64(text: Uint8Array): Buffer | undefined {
  let digits = text.length;
  while (digits > 0 && text.length - digits < 2 && text[digits - 1] === 0x3d) digits -= 1;
  const decoded = Buffer.alloc(Math.floor((digits * 6) / 8));
  let bits = 0;
  let held = 0;
  let written = 0;
  for (let index = 0; index < digits; index += 1) {
    const digit = base64Digit(text[index] ?? 0);
    if (digit === undefined) {
      decoded.fill(0);
      return undefined;
    }
    held = ((held << 6) | digit) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      decoded[written] = (held >> bits) & 0xff;
      written += 1;
    }
  }
  return decoded;
}

function encodeHex(bytes: Uint8Array): Buffer {
  const digits = '0123456789abcdef';
  const hex = Buffer.alloc(bytes.length * 2);
  bytes.forEach((byte, index) => {
    hex[index * 2] = digits.charCodeAt(byte >> 4);
    hex[index * 2 + 1] = digits.charCodeAt(byte & 15);
  });
  return hex;
}

/**
 * @param typed hex or base64 in ASCII, blanks around it allowed; not wiped here
 * @returns 64 or 66 lower-case hex characters (the caller wipes them), or undefined where it is no share
 */
export function normalizeShare(typed: Uint8Array): Buffer | undefined {
  let start = 0;
  let end = typed.length;
  while (start < end && isBlank(typed[start] ?? 0)) start += 1;
  while (end > start && isBlank(typed[end - 1] ?? 0)) end -= 1;
  const text = typed.subarray(start, end);
  if (text.length === 64 || text.length === 66) {
    if (!text.every((byte) => hexDigit(byte) !== undefined)) return undefined;
    const hex = Buffer.from(text);
    // Letters get the bit that makes them lower case; digits have it already.
    for (let index = 0; index < hex.length; index += 1) hex[index] = (hex[index] ?? 0) | 0x20;
    return hex;
  }
  if (text.length !== 44 && text.length !== 43) return undefined;
  const decoded = decodeBase64(text);
  if (decoded === undefined) return undefined;
  const hex = decoded.length === 32 || decoded.length === 33 ? encodeHex(decoded) : undefined;
  decoded.fill(0);
  return hex;
}
