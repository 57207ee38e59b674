/**
 * Where PGP messages for custodians, DKEK shares and wrapped keys are left, beside the run's journal: ciphertext only.
 */
import { join } from 'node:path';
import { failure, success } from '../workflows/failures.ts';
import type { OutboxPort } from '../workflows/ports.ts';
import { isRunId, type Directories } from './directories.ts';
import { readIfPresent, writeDurably } from './durable-file.ts';

const isFileName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/u.test(text);

/** Files of a run's outbox. A name has no path in it. */
export function createOutbox(directories: Directories): OutboxPort {
  const pathOf = (runId: string, fileName: string): string => join(directories.run(runId), 'outbox', fileName);
  return {
    async write(runId, fileName, content) {
      if (!isFileName(fileName)) {
        return failure(
          'Custody_WriteFailed',
          'The message’s file name is not one this program uses.',
          'Report this: it is a fault of the program.',
        );
      }
      const path = pathOf(runId, fileName);
      const written = await writeDurably(path, 'The file for the run’s outbox', content);
      return written.ok ? success({ path }) : written;
    },
    read: async (runId, fileName) =>
      isRunId(runId) && isFileName(fileName)
        ? readIfPresent(pathOf(runId, fileName), 'The file in the run’s outbox')
        : success(undefined),
  };
}
