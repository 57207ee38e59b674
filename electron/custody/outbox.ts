/**
 * Where PGP messages for custodians are left, beside the run's journal: ciphertext only.
 */
import { join } from 'node:path';
import { failure, success } from '../workflows/failures.ts';
import type { OutboxPort } from '../workflows/ports.ts';
import type { Directories } from './directories.ts';
import { writeDurably } from './durable-file.ts';

/** Files of a run's outbox. A name has no path in it. */
export function createOutbox(directories: Directories): OutboxPort {
  return {
    async write(runId, fileName, content) {
      if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/u.test(fileName)) {
        return failure(
          'Custody_WriteFailed',
          'The message’s file name is not one this program uses.',
          'Report this: it is a fault of the program.',
        );
      }
      const path = join(directories.run(runId), 'outbox', fileName);
      const written = await writeDurably(path, 'The message for the custodian', content);
      return written.ok ? success({ path }) : written;
    },
  };
}
