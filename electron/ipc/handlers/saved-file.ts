import { writeFile } from 'node:fs/promises';
import { failure, success, type Result } from '../../workflows/failures.ts';

/**
 * Writes where the person said. Mode 0600: the umask of a desktop is none of this app's business.
 * @param what how the failure calls it, such as 'The file'
 * @returns Custody_DiskFull, Custody_WriteFailed
 */
export async function saveFile(
  path: string,
  content: string,
  what: string,
): Promise<Result<{ readonly path: string }>> {
  try {
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
