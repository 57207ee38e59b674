/**
 * The written forms of a Vault key share, checked and changed as bytes. Vault gives hex (`keys`): 66
 * characters when split, 64 with a single share; or base64 (`keys_base64`): 44. The share host is given
 * lower-case hex.
 */
export const shareGroupLength = 4;

/** What the bytes typed so far are. */
export type ShareForm = 'empty' | 'hex' | 'base64' | 'incomplete' | 'too-long' | 'wrong-character';

function isHex(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x46) || (byte >= 0x61 && byte <= 0x66);
}

/** The value of one base64 digit (RFC 4648, section 4), -1 for anything else. */
function base64Value(byte: number): number {
  if (byte >= 0x41 && byte <= 0x5a) return byte - 0x41;
  if (byte >= 0x61 && byte <= 0x7a) return byte - 0x61 + 26;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30 + 52;
  if (byte === 0x2b) return 62;
  if (byte === 0x2f) return 63;
  return -1;
}

function isBase64(bytes: Uint8Array): boolean {
  const padded = bytes.at(-1) === 0x3d;
  const digits = padded ? bytes.subarray(0, -1) : bytes;
  return digits.every((byte) => base64Value(byte) >= 0);
}

export function recogniseShare(bytes: Uint8Array): ShareForm {
  if (bytes.length === 0) return 'empty';
  if (bytes.length > 66) return 'too-long';
  const hex = bytes.every(isHex);
  if (hex) return bytes.length === 64 || bytes.length === 66 ? 'hex' : bytes.length === 44 ? 'base64' : 'incomplete';
  if (!isBase64(bytes) || bytes.length > 44) return 'wrong-character';
  return bytes.length === 44 ? 'base64' : 'incomplete';
}

/** Lower-case hex of a share in either form, in a new buffer. The caller wipes both. */
export function toLowerHex(bytes: Uint8Array, form: 'hex' | 'base64'): Uint8Array<ArrayBuffer> {
  if (form === 'hex') {
    const lower = new Uint8Array(bytes.length);
    bytes.forEach((byte, index) => {
      lower[index] = byte >= 0x41 && byte <= 0x46 ? byte + 0x20 : byte;
    });
    return lower;
  }
  const padding = bytes.at(-1) === 0x3d ? 1 : 0;
  const hex = new Uint8Array((33 - padding) * 2);
  for (let group = 0; group < 11; group += 1) {
    let bits = 0;
    for (let digit = 0; digit < 4; digit += 1)
      bits = (bits << 6) | Math.max(0, base64Value(bytes[group * 4 + digit] ?? 0));
    for (let octet = 0; octet < 3; octet += 1) {
      const at = (group * 3 + octet) * 2;
      if (at >= hex.length) break;
      const value = (bits >> (16 - octet * 8)) & 0xff;
      hex[at] = hexDigit(value >> 4);
      hex[at + 1] = hexDigit(value & 15);
    }
  }
  return hex;
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/**
 * What was typed back in the form of what was shown, in a new buffer that the caller wipes: hexadecimal digits
 * in small letters, or in base64 where that is the same share; anything else as it is.
 */
export function toFormOf(shown: Uint8Array, typed: Uint8Array): Uint8Array<ArrayBuffer> {
  if (!shown.every(isHex)) return typed.slice();
  const form = recogniseShare(typed);
  return toLowerHex(typed, form === 'base64' && typed.length !== shown.length ? 'base64' : 'hex');
}

/** The number (from 1) of the first group of four in which two shares differ; 0 where they are the same. */
export function firstDifferentGroup(shown: Uint8Array, typed: Uint8Array): number {
  let found = 0;
  const groups = Math.ceil(Math.max(shown.length, typed.length) / shareGroupLength);
  for (let group = groups - 1; group >= 0; group -= 1) {
    let difference = 0;
    for (let index = group * shareGroupLength; index < (group + 1) * shareGroupLength; index += 1) {
      difference |= (shown[index] ?? 0) ^ (typed[index] ?? 0);
    }
    if (difference !== 0) found = group + 1;
  }
  return found;
}
