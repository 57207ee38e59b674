/**
 * The password of a DKEK share, split among custodians as sc-hsm-tool splits it (--pwd-shares-threshold,
 * --pwd-shares-total; src/tools/sc-hsm-tool.c): 63 random bits, shared by Shamir's polynomial modulo a 64-bit
 * safe prime that every piece names. Pieces made here are taken by sc-hsm-tool and the other way round.
 *
 * The arithmetic is on BigInt, which is neither constant in time nor can be wiped: whoever can time this
 * process can read its memory anyway, and these numbers live for the length of one call in the token host,
 * which is ended at the lock or after the run. What is kept any longer is kept in bytes.
 */
import { checkPrime, generatePrime, randomFillSync } from 'node:crypto';
import { promisify } from 'node:util';
import { failure, success, type Result } from '../../../electron/workflows/failures.ts';

const generatePrimeBytes: (bits: number, options: { safe: boolean }) => Promise<ArrayBuffer> = promisify(generatePrime);
const isPrime: (candidate: ArrayBuffer) => Promise<boolean> = promisify(checkPrime);

/** Bytes of the password, of the prime and of each piece's value. */
const numberLength = 8;
const primeBits = 64;
const hexDigitsOfNumber = 2 * numberLength;

/** What one custodian keeps. */
export interface PasswordPiece {
  /** 1 to 255. sc-hsm-tool shows it in decimal but reads it in hexadecimal, so from 10 on they differ. */
  readonly number: number;
  /** 8 bytes, big-endian; the same in every piece, and public. */
  readonly prime: Uint8Array;
  /** 8 bytes, big-endian. The secret part. */
  readonly value: Uint8Array;
}

export interface SplitPassword {
  /** 8 bytes, used as they are. */
  readonly password: Uint8Array;
  readonly pieces: readonly PasswordPiece[];
}

const toNumber = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);

function toBytes(number: bigint): Uint8Array {
  const bytes = new Uint8Array(numberLength);
  new DataView(bytes.buffer).setBigUint64(0, number);
  return bytes;
}

/**
 * 63 random bits, the first byte not zero: sc-hsm-tool puts the password together without leading zeros, so
 * it would not open its own share file with one that begins with a zero byte (one in 128).
 */
function drawPassword(): Uint8Array {
  for (;;) {
    const password = randomFillSync(new Uint8Array(numberLength));
    password[0] = (password[0] ?? 0) & 0x7f;
    if (password[0] !== 0) return password;
  }
}

/** Evenly from 0 to prime - 1: what is not below the prime is drawn again, which is seldom. */
function drawBelow(prime: bigint): bigint {
  for (;;) {
    const bytes = randomFillSync(new Uint8Array(numberLength));
    const drawn = toNumber(bytes);
    bytes.fill(0);
    if (drawn < prime) return drawn;
  }
}

/** The polynomial at a point (Horner). */
function evaluate(coefficients: readonly bigint[], at: bigint, prime: bigint): bigint {
  return coefficients.reduceRight((sum, coefficient) => (sum * at + coefficient) % prime, 0n);
}

/**
 * Draws a password and splits it.
 * @param threshold pieces that give it back, 2 to total
 * @param total pieces, 3 to 255 as sc-hsm-tool has it
 * @returns secrets in bytes, which the caller wipes
 */
export async function splitNewPassword(threshold: number, total: number): Promise<SplitPassword> {
  if (!Number.isInteger(threshold) || !Number.isInteger(total) || threshold < 2 || threshold > total) {
    throw new RangeError('A password is split with a threshold from 2 up to the number of pieces.');
  }
  if (total < 3 || total > 255) throw new RangeError('A password is split into 3 to 255 pieces.');
  const primeBytes = new Uint8Array(await generatePrimeBytes(primeBits, { safe: true }));
  const prime = toNumber(primeBytes);
  const password = drawPassword();
  const coefficients = [toNumber(password)];
  while (coefficients.length < threshold) coefficients.push(drawBelow(prime));
  const pieces = Array.from({ length: total }, (_, index) => ({
    number: index + 1,
    prime: Uint8Array.from(primeBytes),
    value: toBytes(evaluate(coefficients, BigInt(index + 1), prime)),
  }));
  coefficients.fill(0n);
  return { password, pieces };
}

const invalid = (message: string, next = 'Type each custodian’s piece as it was handed out.') =>
  failure('Device_SharePieceInvalid', message, next);

/** value^-1 modulo a prime (Fermat): value^(prime - 2). */
function invert(value: bigint, prime: bigint): bigint {
  let result = 1n;
  let square = ((value % prime) + prime) % prime;
  for (let exponent = prime - 2n; exponent > 0n; exponent >>= 1n) {
    if ((exponent & 1n) === 1n) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

/** The polynomial through all points, at 0 (Lagrange). More points than its degree asks for do no harm. */
function interpolateAtZero(points: readonly (readonly [bigint, bigint])[], prime: bigint): bigint {
  let sum = 0n;
  for (const [at, value] of points) {
    let numerator = 1n;
    let denominator = 1n;
    for (const [other] of points) {
      if (other === at) continue;
      numerator = (numerator * other) % prime;
      denominator = (denominator * (other - at)) % prime;
    }
    sum = (sum + value * numerator * invert(denominator, prime)) % prime;
  }
  return sum;
}

function findFault(pieces: readonly PasswordPiece[]): string | undefined {
  const [first] = pieces;
  if (first === undefined || pieces.length < 2) return 'A split password takes two pieces at least.';
  const prime = Buffer.from(first.prime);
  const numbers = new Set(pieces.map((piece) => piece.number));
  if (numbers.size < pieces.length) return 'The same piece is there twice.';
  for (const piece of pieces) {
    if (!Number.isInteger(piece.number) || piece.number < 1 || piece.number > 255) {
      return 'A piece has a number from 1 to 255.';
    }
    if (piece.prime.length !== numberLength || piece.value.length !== numberLength) return 'A piece is not whole.';
    if (!prime.equals(piece.prime)) return 'The pieces name different primes, so they are of different passwords.';
    if (toNumber(piece.value) >= toNumber(prime)) return `Piece ${piece.number} is larger than its prime.`;
  }
  return undefined;
}

/**
 * Puts the password together from at least as many pieces as the threshold was. Fewer, or pieces of another
 * password under the same prime, give some other password, which then does not open the share file: the
 * pieces cannot tell. A mistyped prime is noticed where it is no 64-bit prime any more.
 * @returns 8 bytes, which the caller wipes; Device_SharePieceInvalid
 */
export async function combinePieces(
  pieces: readonly PasswordPiece[],
): Promise<Result<Uint8Array, 'Device_SharePieceInvalid'>> {
  const fault = findFault(pieces);
  const [first] = pieces;
  if (fault !== undefined || first === undefined) return invalid(fault ?? 'There are no pieces.');
  const candidate = Uint8Array.from(first.prime);
  if ((candidate[0] ?? 0) < 0x80 || !(await isPrime(candidate.buffer))) {
    return invalid('What the pieces name as their prime is no 64-bit prime.');
  }
  const prime = toNumber(candidate);
  const secret = interpolateAtZero(
    pieces.map((piece) => [BigInt(piece.number), toNumber(piece.value)] as const),
    prime,
  );
  if (secret >= 1n << 63n) {
    return invalid(
      'The pieces do not give a password.',
      'See that there are as many as the threshold, all of this share, and none mistyped.',
    );
  }
  return success(toBytes(secret));
}

/** Overwrites a piece. */
export function wipePiece(piece: PasswordPiece): void {
  piece.prime.fill(0);
  piece.value.fill(0);
}

const hexDigits = Buffer.from('0123456789abcdef', 'latin1');

function writeHex(bytes: Uint8Array, target: Uint8Array, offset: number): void {
  bytes.forEach((byte, index) => {
    target[offset + 2 * index] = hexDigits[byte >> 4] ?? 0;
    target[offset + 2 * index + 1] = hexDigits[byte & 0x0f] ?? 0;
  });
}

/** Digits of a piece in one line: 2 of the number, 16 of the prime, 16 of the value. */
export const pieceTextLength = 2 + 2 * hexDigitsOfNumber;

/** A piece as one line of 34 hexadecimal digits in ASCII, for a custodian's paper. A secret: the caller wipes it. */
export function encodePiece(piece: PasswordPiece): Uint8Array {
  const text = new Uint8Array(pieceTextLength);
  writeHex(Uint8Array.of(piece.number), text, 0);
  writeHex(piece.prime, text, 2);
  writeHex(piece.value, text, 2 + hexDigitsOfNumber);
  return text;
}

function hexValue(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

const colon = 0x3a;

/** The groups of hexadecimal digits in a text, as digits; colons within a group are dropped. Undefined for other signs. */
function digitGroups(text: Uint8Array): number[][] | undefined {
  const groups: number[][] = [];
  let group: number[] | undefined;
  for (const character of text) {
    const digit = hexValue(character);
    if (digit >= 0) {
      if (group === undefined) groups.push((group = []));
      group.push(digit);
    } else if (character === 0x20 || character === 0x09 || character === 0x0a || character === 0x0d) {
      group = undefined;
    } else if (character !== colon && character !== 0x2d) {
      return undefined;
    }
  }
  return groups;
}

/** Digits right-aligned in so many bytes: sc-hsm-tool prints no leading zero bytes. Undefined where there are too many. */
function toFixedBytes(digits: readonly number[], length: number): Uint8Array | undefined {
  if (digits.length === 0 || digits.length > 2 * length) return undefined;
  const bytes = new Uint8Array(length);
  digits.toReversed().forEach((digit, index) => {
    const at = length - 1 - (index >> 1);
    bytes[at] = (bytes[at] ?? 0) | (index % 2 === 0 ? digit : digit << 4);
  });
  return bytes;
}

/**
 * Reads a piece as a custodian types it: the 34 digits of `encodePiece`, grouped in any way, or its number,
 * prime and value with spaces between, as sc-hsm-tool prints the two ("c3:0a:…"). The number is hexadecimal
 * in both: a piece that sc-hsm-tool numbered 10 is typed as a. Small or capital letters.
 * @param text ASCII; the caller wipes it
 * @returns the piece, which the caller wipes; Device_SharePieceInvalid
 */
export function decodePiece(text: Uint8Array): Result<PasswordPiece, 'Device_SharePieceInvalid'> {
  const groups = digitGroups(text);
  if (groups === undefined) return invalid('A piece is made of the digits 0 to 9 and a to f.');
  const all = groups.flat();
  const [first = [], ...rest] = groups;
  const isThreefold = first.length <= 2 && rest.length === 2;
  const fields =
    !isThreefold && all.length === pieceTextLength
      ? [all.slice(0, 2), all.slice(2, 2 + hexDigitsOfNumber), all.slice(2 + hexDigitsOfNumber)]
      : groups;
  const [numberDigits = [], primeDigits = [], valueDigits = []] = fields;
  const number = toFixedBytes(numberDigits, 1)?.[0];
  const prime = toFixedBytes(primeDigits, numberLength);
  const value = toFixedBytes(valueDigits, numberLength);
  for (const digits of [...groups, ...fields, all]) digits.fill(0);
  if (fields.length !== 3 || number === undefined || number === 0 || prime === undefined || value === undefined) {
    value?.fill(0);
    return invalid(
      `A piece has ${pieceTextLength} digits: two of its number, then ${hexDigitsOfNumber} of the prime and ${hexDigitsOfNumber} of its value.`,
    );
  }
  return success({ number, prime, value });
}
