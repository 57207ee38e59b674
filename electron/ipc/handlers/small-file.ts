import { open } from 'node:fs/promises';
import { basename } from 'node:path';
import { failure, success, type CustodyFailureCode, type Result } from '../../workflows/failures.ts';

/**
 * A file that the person chose, whole. Bounded, since a wrong click may name a disk image.
 * @param maximumBytes more than this is refused
 * @returns its bytes; Custody_ReadFailed
 */
export async function readSmallFile(
  path: string,
  maximumBytes: number,
): Promise<Result<Uint8Array, CustodyFailureCode>> {
  const refuse = (message: string): Result<never, CustodyFailureCode> =>
    failure('Custody_ReadFailed', `${basename(path)} ${message}.`, 'Choose another file, or check its permissions.');
  try {
    const file = await open(path, 'r');
    try {
      const facts = await file.stat();
      if (!facts.isFile()) return refuse('is not a file');
      if (facts.size > maximumBytes) return refuse(`is larger than ${Math.floor(maximumBytes / 1024)} KiB`);
      return success(await file.readFile());
    } finally {
      await file.close();
    }
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return refuse(`could not be read (${code})`);
  }
}
