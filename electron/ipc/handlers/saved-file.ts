import { mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { failure, success, type Result } from '../../workflows/failures.ts';

/**
 * Writes where the person said, readable for this person alone.
 * @param what how the failure calls it, such as 'The file'
 * @param chosenFolder where the person chose a folder: below it, and nowhere else, folders are made
 * @returns Custody_DiskFull, Custody_WriteFailed
 */
export async function saveFile(
  path: string,
  content: string,
  what: string,
  chosenFolder?: string,
): Promise<Result<{ readonly path: string }>> {
  try {
    if (chosenFolder !== undefined && dirname(path) !== chosenFolder) {
      await stat(chosenFolder);
      await mkdir(dirname(path), { recursive: true });
    }
    await writeFile(path, content, { mode: 0o600 });
    return success({ path });
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown';
    return failure(
      reason === 'ENOSPC' ? 'Custody_DiskFull' : 'Custody_WriteFailed',
      `${what} could not be saved there (${reason}).`,
      'Choose another place and save it again.',
    );
  }
}
