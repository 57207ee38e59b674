/** Commands and answers of the card (ISO/IEC 7816-4, section 5): encoding, status words, and what those mean to a person. */
import { failure } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';

export interface Command {
  readonly cla: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  /** At most 65,535 bytes; above 255 the command has extended lengths. */
  readonly data?: Uint8Array;
  /**
   * The most bytes that may come back: up to 256 in a short command, or 65,536 ("all there is") in an extended one.
   * Absent where none are awaited.
   */
  readonly expected?: number;
}

export interface Answer {
  readonly data: Buffer;
  /** SW1 and SW2. */
  readonly status: number;
}

export const longestShort = 256;
export const longestExtended = 65_536;

/** Status words of the SmartCard-HSM (ISO/IEC 7816-4, tables 5 and 6). */
export const statusWord = {
  ok: 0x9000,
  endOfFile: 0x6282,
  /** To 63cf: the tries that are left. */
  verificationFailed: 0x63c0,
  executionError: 0x6400,
  wrongLength: 0x6700,
  securityStatusNotSatisfied: 0x6982,
  authenticationBlocked: 0x6983,
  referenceDataNotUsable: 0x6984,
  conditionsNotSatisfied: 0x6985,
  wrongData: 0x6a80,
  fileNotFound: 0x6a82,
  notEnoughMemory: 0x6a84,
  wrongParameters: 0x6a86,
  referenceDataNotFound: 0x6a88,
  wrongOffset: 0x6b00,
  unknownInstruction: 0x6d00,
  unknownClass: 0x6e00,
} as const;

/** A command in bytes. It holds what `data` holds: the caller wipes both where that is a secret. */
export function encodeCommand({ cla, ins, p1, p2, data = new Uint8Array(), expected }: Command): Buffer {
  const header = Buffer.of(cla, ins, p1, p2);
  const isExtended = data.length > 255 || (expected !== undefined && expected > longestShort);
  const length = data.length === 0 ? [] : isExtended ? [0, data.length >> 8, data.length & 0xff] : [data.length];
  // The longest of each form is written as zero.
  const asked =
    expected === undefined
      ? []
      : isExtended
        ? [...(data.length === 0 ? [0] : []), (expected >> 8) & 0xff, expected & 0xff]
        : [expected & 0xff];
  const bytes = Buffer.alloc(header.length + length.length + data.length + asked.length);
  header.copy(bytes);
  bytes.set(length, header.length);
  bytes.set(data, header.length + length.length);
  bytes.set(asked, bytes.length - asked.length);
  return bytes;
}

export function decodeAnswer(bytes: Buffer): Answer {
  return { data: bytes.subarray(0, -2), status: bytes.readUInt16BE(bytes.length - 2) };
}

/** The tries left that a status word names; undefined for any other. */
export function triesLeftOf(status: number): number | undefined {
  if (status === statusWord.authenticationBlocked) return 0;
  return (status & 0xfff0) === statusWord.verificationFailed ? status & 0x0f : undefined;
}

/** A status word that should not come at this place. Some are known well enough to be said in words. */
export function failureOfStatus(status: number, act: string): Refused {
  const details = { status: status.toString(16).padStart(4, '0'), act };
  switch (status) {
    case statusWord.securityStatusNotSatisfied:
      return failure(
        'Token_NotLoggedIn',
        'The device asks for its PIN first.',
        'Log in to the device, then try again.',
        details,
      );
    case statusWord.notEnoughMemory:
      return failure(
        'Token_MemoryFull',
        'The device has no room left.',
        'Delete keys, certificates or data that are no longer needed, or use another device.',
        details,
      );
    default:
      return failure(
        'Device_CardFault',
        `The device answered ${details.status} to ${act}, which it should not.`,
        'Unplug the device, plug it in again and try again; nothing is repeated that took place.',
        details,
      );
  }
}
