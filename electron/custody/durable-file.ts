/**
 * Files that survive a power failure: written beside their place, fsynced, renamed, and the directory
 * fsynced after them (POSIX rename(2); the entry itself is only safe once its directory is on disk).
 */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { CustodyFailureCode, Failure, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';

type CustodyResult<Value> = Result<Value, CustodyFailureCode>;

/** The `code` of a Node system error, '' for anything else. */
export function systemErrorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
}

/** No room: a full disk, a used-up quota, a file size limit (setrlimit(2)). */
const noRoom: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** What a failed write means for the person. Custody_DiskFull where there is no room, Custody_WriteFailed otherwise. */
export function writeFailure(
  what: string,
  cause: unknown,
): {
  readonly ok: false;
  readonly error: Failure<CustodyFailureCode>;
} {
  const code = systemErrorCode(cause);
  if (code === '') throw cause;
  if (noRoom.has(code)) {
    return failure(
      'Custody_DiskFull',
      `The disk is full, so ${what} could not be written. Nothing was lost.`,
      'Free some space on the disk, then press the button again.',
      {
        systemError: code,
      },
    );
  }
  return failure(
    'Custody_WriteFailed',
    `${what} could not be written (${code}).`,
    'See that the disk is there and that this user may write to it, then try again.',
    {
      systemError: code,
    },
  );
}

/** What a failed read means for the person. */
export function readFailure(
  what: string,
  cause: unknown,
): {
  readonly ok: false;
  readonly error: Failure<CustodyFailureCode>;
} {
  const code = systemErrorCode(cause);
  if (code === '') throw cause;
  return failure(
    'Custody_ReadFailed',
    `${what} could not be read (${code}).`,
    'See that the disk is there and that this user may read it, then try again.',
    { systemError: code },
  );
}

/** fsync of a directory, so that its entries are on disk. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a directory with mode 0700, its parents too, and fsyncs the one above it. */
export async function makePrivateDirectory(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made !== undefined) await syncDirectory(dirname(path));
}

/**
 * Writes a whole file durably with mode 0600 and reads it back.
 * @returns Custody_DiskFull or Custody_WriteFailed; the earlier content is untouched then
 */
export async function writeDurably(
  path: string,
  what: string,
  content: Uint8Array,
): Promise<CustodyResult<Record<string, never>>> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await makePrivateDirectory(dirname(path));
    const handle = await open(temporary, 'wx', 0o600);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    const readBack = await readFile(temporary);
    if (!readBack.equals(content)) {
      await rm(temporary, { force: true });
      return failure(
        'Custody_WriteFailed',
        `${what} was written but came back different.`,
        'The disk is not to be trusted: use another one.',
      );
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return success({});
  } catch (cause) {
    await rm(temporary, { force: true });
    return writeFailure(what, cause);
  }
}

/** A file's content; undefined where there is no such file. */
export async function readIfPresent(path: string, what: string): Promise<CustodyResult<Buffer | undefined>> {
  try {
    return success(await readFile(path));
  } catch (cause) {
    return systemErrorCode(cause) === 'ENOENT' ? success(undefined) : readFailure(what, cause);
  }
}
