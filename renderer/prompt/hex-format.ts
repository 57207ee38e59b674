/**
 * The hexadecimal secrets of a SmartCard-HSM, checked and made as bytes: its SO-PIN (16 digits), and the
 * pieces of a DKEK share's password (34 digits, or number, prime and value as sc-hsm-tool prints them).
 */
import { equalInConstantTime } from './secret-buffer.ts';

export const soPinDigits = 16;
/** 2 digits of the number, 16 of the prime, 16 of the value. */
export const pieceDigits = 34;

/** What every SmartCard-HSM leaves the factory with (the vendor's documents): public, so it is no secret. */
const factorySoPin = new TextEncoder().encode('3537363231383830');

export function isHexDigit(byte: number): boolean {
  const lower = byte | 0x20;
  return (byte >= 0x30 && byte <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

export type SoPinForm = 'empty' | 'incomplete' | 'complete' | 'too-long' | 'wrong-character' | 'factory';

/** What the bytes typed so far are. */
export function recogniseSoPin(bytes: Uint8Array): SoPinForm {
  if (bytes.length === 0) return 'empty';
  if (!bytes.every(isHexDigit)) return 'wrong-character';
  if (bytes.length > soPinDigits) return 'too-long';
  if (bytes.length < soPinDigits) return 'incomplete';
  return equalInConstantTime(bytes, factorySoPin) ? 'factory' : 'complete';
}

function hexDigit(value: number): number {
  return value < 10 ? 0x30 + value : 0x57 + value;
}

/** 64 random bits as 16 small digits; never the public one. The caller wipes it. */
export function makeSoPin(): Uint8Array<ArrayBuffer> {
  const random = new Uint8Array(soPinDigits / 2);
  const digits = new Uint8Array(soPinDigits);
  do {
    crypto.getRandomValues(random);
    random.forEach((byte, index) => {
      digits[index * 2] = hexDigit(byte >> 4);
      digits[index * 2 + 1] = hexDigit(byte & 0x0f);
    });
  } while (recogniseSoPin(digits) !== 'complete');
  random.fill(0);
  return digits;
}

export type PieceForm = 'empty' | 'incomplete' | 'complete' | 'too-long' | 'wrong-character';

const isBlank = (byte: number): boolean => byte === 0x20 || byte === 0x09;
const isSeparator = (byte: number): boolean => byte === 0x3a || byte === 0x2d;

/**
 * What the bytes typed so far are: 34 digits grouped in any way; or three groups with blanks between, of which
 * sc-hsm-tool prints the last two with colons and without leading zeroes.
 */
export function recognisePiece(bytes: Uint8Array): PieceForm {
  const groups: number[] = [];
  let inGroup = false;
  let total = 0;
  for (const byte of bytes) {
    if (isHexDigit(byte)) {
      if (!inGroup) groups.push(0);
      inGroup = true;
      groups[groups.length - 1] = (groups.at(-1) ?? 0) + 1;
      total += 1;
    } else if (isBlank(byte)) inGroup = false;
    else if (!isSeparator(byte)) return 'wrong-character';
  }
  if (total === 0) return 'empty';
  const [number = 0, prime = 0, value = 0] = groups;
  const isThreefold = groups.length === 3 && number <= 2 && prime >= 15 && prime <= 16 && value >= 1 && value <= 16;
  if (total === pieceDigits || isThreefold) return 'complete';
  return total > pieceDigits ? 'too-long' : 'incomplete';
}

/** How many hexadecimal digits are among the bytes. */
export function countHexDigits(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (isHexDigit(byte)) count += 1;
  return count;
}
