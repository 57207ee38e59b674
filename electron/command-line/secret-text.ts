/** Secrets as bytes: what is done with them before they are sealed. Everything is in memory that the caller wipes. */
import { randomBytes, timingSafeEqual } from 'node:crypto';

const space = 0x20;
const tab = 0x09;
const colon = 0x3a;

/** Removes blanks, in place; answers how many bytes are left. */
export function squeeze(bytes: Uint8Array): number {
  let length = 0;
  for (const byte of bytes) {
    if (byte === space || byte === tab) continue;
    bytes[length] = byte;
    length += 1;
  }
  bytes.fill(0, length);
  return length;
}

/** In a time that does not depend on where they differ. */
export function equalBytes(first: Uint8Array, second: Uint8Array): boolean {
  return first.length === second.length && timingSafeEqual(first, second);
}

/** A long value in groups of four for the eye, eight groups a line. */
export function grouped(value: Uint8Array): Uint8Array {
  const groups = Math.ceil(value.length / 4);
  const bytes = new Uint8Array(value.length + groups);
  let length = 0;
  for (const [index, byte] of value.entries()) {
    if (index > 0 && index % 4 === 0) {
      bytes[length] = index % 32 === 0 ? 0x0a : space;
      length += 1;
    }
    bytes[length] = byte;
    length += 1;
  }
  const text = bytes.slice(0, length);
  bytes.fill(0);
  return text;
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;
const isLetterToF = (byte: number): boolean => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66;

/** A piece of a password, as it was handed out or as sc-hsm-tool prints one: hexadecimal digits, spaces and colons. */
export function isPieceText(bytes: Uint8Array): boolean {
  return bytes.every((byte) => isDigit(byte) || isLetterToF(byte) || byte === space || byte === tab || byte === colon);
}

/** Digits of a SmartCard-HSM's SO-PIN: 8 bytes in hexadecimal. */
export const soPinDigits = 16;

/** What a SmartCard-HSM leaves the factory with (the vendor's documents, sc-hsm-tool's examples): public, so no secret. */
const factorySoPin = Buffer.from('3537363231383830', 'ascii');

/**
 * Reads an SO-PIN as it was typed: blanks are dropped and letters made small, in place.
 * @returns the 16 digits in memory of their own; undefined, and nothing kept, where they are anything else
 */
export function readSoPinDigits(typed: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | undefined {
  const length = squeeze(typed);
  const digits = typed.slice(0, length);
  typed.fill(0);
  if (length !== soPinDigits || !digits.every((byte) => isDigit(byte) || isLetterToF(byte))) {
    digits.fill(0);
    return undefined;
  }
  for (const [index, byte] of digits.entries()) if (!isDigit(byte)) digits[index] = byte | 0x20;
  return digits;
}

/** Whether these are the digits that everybody knows. */
export function isFactorySoPin(digits: Uint8Array): boolean {
  return equalBytes(digits, factorySoPin);
}

/** A new SO-PIN of 64 random bits, in small hexadecimal digits. */
export function randomSoPinDigits(): Uint8Array<ArrayBuffer> {
  const random = randomBytes(soPinDigits / 2);
  const digits = new Uint8Array(soPinDigits);
  const digitOf = (value: number): number => (value < 10 ? 0x30 + value : 0x57 + value);
  for (const [index, byte] of random.entries()) {
    digits[index * 2] = digitOf(byte >> 4);
    digits[index * 2 + 1] = digitOf(byte & 0x0f);
  }
  random.fill(0);
  return digits;
}
