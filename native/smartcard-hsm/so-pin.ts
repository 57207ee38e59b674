/** The SO-PIN of a SmartCard-HSM: 8 bytes, which people write as 16 hexadecimal digits. */
import { timingSafeEqual } from 'node:crypto';
import { failure } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';

const soPinBytes = 8;

/** What every device is delivered with and every manual prints; public, so no secret. */
export function factorySoPin(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from('3537363231383830', 'hex'));
}

export function isFactorySoPin(soPin: Uint8Array): boolean {
  return soPin.length === soPinBytes && timingSafeEqual(soPin, factorySoPin());
}

function valueOfDigit(character: number): number {
  if (character >= 0x30 && character <= 0x39) return character - 0x30;
  const lower = character | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/**
 * @param digits 16 hexadecimal digits in ASCII; the caller wipes them
 * @returns 8 bytes, which the caller wipes; undefined for anything else
 */
export function parseSoPin(digits: Uint8Array): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(soPinBytes);
  let wrong = digits.length === 2 * soPinBytes ? 0 : 1;
  for (let index = 0; index < soPinBytes; index++) {
    const high = valueOfDigit(digits[2 * index] ?? 0);
    const low = valueOfDigit(digits[2 * index + 1] ?? 0);
    if (high < 0 || low < 0) wrong = 1;
    bytes[index] = ((high & 0x0f) << 4) | (low & 0x0f);
  }
  if (wrong === 0) return bytes;
  bytes.fill(0);
  return undefined;
}

/** Lends the bytes of an SO-PIN to one piece of work and wipes them. Failure: Device_SoPinFormInvalid. */
export async function withSoPinBytes<Value>(
  digits: Uint8Array,
  work: (soPin: Uint8Array<ArrayBuffer>) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  const soPin = parseSoPin(digits);
  if (soPin === undefined) {
    return failure(
      'Device_SoPinFormInvalid',
      'An SO-PIN is exactly 16 hexadecimal digits (0 to 9, a to f). It was not sent.',
      'Type it in that form, or let the app make one.',
    );
  }
  try {
    return await work(soPin);
  } finally {
    soPin.fill(0);
  }
}

/** The refusal of the public SO-PIN where a new one is to be set. */
export function refuseFactorySoPin(): ReturnType<typeof failure<'Device_SoPinIsFactory'>> {
  return failure(
    'Device_SoPinIsFactory',
    'This SO-PIN is the public one that every device is sold with: whoever knows it can erase the device.',
    'Choose another one, or let the app make one.',
  );
}
