/** Where the PIN comes from: a file, a descriptor or a systemd credential; never an argument or the environment. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';
import type { TokenConfiguration } from './configuration.ts';

type PinResult = Result<Buffer, 'Kms_PinUnreadable'>;

/** A PIN has at most 255 bytes on any token; a newline may follow. */
const most = 257;

/** Reads it anew at each call, so that a file that was put right counts. The caller wipes it. */
export type PinSource = () => PinResult;

function unreadable(message: string, next: string): PinResult {
  return failure('Kms_PinUnreadable', message, next);
}

/** Without the line's end, in memory of its own. */
function trimmed(bytes: Buffer, length: number): PinResult {
  let end = length;
  while (end > 0 && (bytes[end - 1] === 10 || bytes[end - 1] === 13)) end -= 1;
  const pin = Buffer.from(bytes.subarray(0, end));
  bytes.fill(0);
  if (end > 0 && end < most) return success(pin);
  pin.fill(0);
  return unreadable('The PIN is empty, or longer than any token takes.', 'Write the PIN alone, on one line.');
}

function readAll(descriptor: number): PinResult {
  const bytes = Buffer.alloc(most + 2);
  let length = 0;
  for (;;) {
    const got = readSync(descriptor, bytes, length, bytes.length - length, null);
    length += got;
    if (got === 0 || length === bytes.length) return trimmed(bytes, length);
  }
}

/** @param mayOthersRead systemd gives a unit's user its credentials by an access list, which shows in the group's bits */
function readFile(path: string, mayOthersRead: boolean): PinResult {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return unreadable(`The PIN's file ${path} cannot be read (${code}).`, 'Check its path and who may read it.');
  }
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile()) return unreadable(`${path} is no file.`, 'Name a file that holds the PIN alone.');
    const owner = process.getuid?.();
    if (!mayOthersRead && ((found.mode & 0o077) !== 0 || (found.uid !== owner && found.uid !== 0)))
      return unreadable(
        `${path} is open to others than its owner, or belongs to somebody else.`,
        'Make it this process’s own (or root’s) with mode 0400. Change the PIN if others may have read it.',
      );
    return readAll(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** A descriptor can be read once: its PIN is kept for the next log-in. */
function fromDescriptor(descriptor: number): PinSource {
  let kept: PinResult | undefined;
  return () => {
    if (kept === undefined) {
      try {
        kept = readAll(descriptor);
        closeSync(descriptor);
      } catch (cause) {
        if (!(cause instanceof Error && 'code' in cause)) throw cause;
        kept = unreadable(`Descriptor ${descriptor} cannot be read.`, 'Open it for reading, as in 3< FILE.');
      }
    }
    return kept.ok ? success(Buffer.from(kept.value)) : kept;
  };
}

/** @param credentialsDirectory systemd's $CREDENTIALS_DIRECTORY */
export function createPinSource(
  configuration: TokenConfiguration,
  credentialsDirectory: string | undefined,
): PinSource {
  const { pin, pinFile, pinFd, pinCredential } = configuration;
  if (pinFile !== undefined) return () => readFile(pinFile, false);
  if (pinFd !== undefined) return fromDescriptor(pinFd);
  if (pinCredential !== undefined) {
    return credentialsDirectory === undefined
      ? () => unreadable('There are no credentials of systemd here.', 'Set LoadCredential= in the unit.')
      : () => readFile(join(credentialsDirectory, pinCredential), true);
  }
  return () => success(Buffer.from(pin ?? '', 'utf8'));
}
