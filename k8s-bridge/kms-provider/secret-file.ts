/** A file with one secret on one line. It is read anew at each use, so that one that was put right counts. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { failure, success, type Result } from '../../electron/workflows/failures.ts';

export interface SecretFileRules {
  /** Bytes, without the line's end. */
  readonly longest: number;
  /** Who but its owner may read it: `nobody`, or `anyone` where the mode is somebody else's to choose. */
  readonly otherReaders: 'nobody' | 'anyone';
  /** Whose it may be beside this process's own: root's alone, or anybody's. */
  readonly otherOwners: 'root' | 'anyone';
}

type SecretResult = Result<Buffer, 'Kms_SecretUnreadable'>;

const newline = 10;
const carriageReturn = 13;
const othersBits = 0o077;
const rootId = 0;

function unreadable(message: string, next: string): SecretResult {
  return failure('Kms_SecretUnreadable', message, next);
}

/**
 * The secret's bytes, without the line's end, in memory of their own; the caller wipes them. A pipe is not waited for.
 * Failures: Kms_SecretUnreadable.
 */
export function readSecretFile(path: string, rules: SecretFileRules): SecretResult {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    return unreadable(`${path} cannot be read (${codeOf(cause)}).`, 'Check its path and who may read it.');
  }
  try {
    const { mode, uid } = fstatSync(descriptor);
    if (rules.otherReaders === 'nobody' && (mode & othersBits) !== 0)
      return unreadable(
        `${path} is open to others than its owner.`,
        'Give it mode 0400, and change the secret if others may have read it.',
      );
    if (rules.otherOwners === 'root' && uid !== process.getuid?.() && uid !== rootId)
      return unreadable(`${path} belongs to somebody else.`, 'Make it this process’s own, or root’s.');
    return readSecretDescriptor(descriptor, path, rules.longest);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * As `readSecretFile`, of what is open already and stays so.
 * @param name for the failure's words
 */
export function readSecretDescriptor(descriptor: number, name: string, longest: number): SecretResult {
  // Room for the line's end, and for one byte that is too many.
  const bytes = Buffer.alloc(longest + 3);
  try {
    let length = 0;
    for (;;) {
      const got = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += got;
      if (got === 0 || length === bytes.length) break;
    }
    while (length > 0 && (bytes[length - 1] === newline || bytes[length - 1] === carriageReturn)) length -= 1;
    if (length === 0) return unreadable(`${name} is empty.`, 'Write the secret alone into it, on one line.');
    if (length > longest)
      return unreadable(`${name} holds more than ${longest} bytes.`, 'Write the secret alone into it, on one line.');
    return success(Buffer.from(bytes.subarray(0, length)));
  } catch (cause) {
    return unreadable(
      `${name} cannot be read (${codeOf(cause)}).`,
      'It has to be a file, or a pipe whose end is closed.',
    );
  } finally {
    bytes.fill(0);
  }
}

/** The system's word, such as ENOENT. Anything else is a bug and goes on. */
function codeOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  throw cause;
}
