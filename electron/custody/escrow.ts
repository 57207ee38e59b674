/**
 * The escrow of one initialisation: every value of Vault's reply as ciphertext (under the token's public
 * key, and for PGP custodians as their message). The share host writes it before it answers
 * (`electron/shares/escrow-file.ts`); it goes away once everything is in its place. It holds no secret in the clear.
 */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { success } from '../workflows/failures.ts';
import type { EscrowPort } from '../workflows/ports.ts';
import type { Directories } from './directories.ts';
import { syncDirectory, writeDurably, writeFailure } from './durable-file.ts';
import { escrowFileName, readEscrowFile, temporaryPathOf } from './escrow-file.ts';

/** The escrow files of runs, beside their journals. */
export function createEscrow(directories: Directories): EscrowPort {
  const path = (runId: string): string => join(directories.run(runId), 'escrow.json');
  return {
    path,
    async read(runId) {
      const found = await readEscrowFile(path(runId), runId);
      if (!found.ok) return found;
      return success(found.value.kind === 'complete' ? found.value.escrow : undefined);
    },
    async write(escrow) {
      const written = await writeDurably(path(escrow.runId), escrowFileName, Buffer.from(JSON.stringify(escrow)));
      return written.ok ? success({}) : written;
    },
    async remove(runId) {
      try {
        await rm(temporaryPathOf(path(runId)), { force: true });
        await rm(path(runId), { force: true });
        await syncDirectory(dirname(path(runId)));
        return success({});
      } catch (cause) {
        return writeFailure('The directory of the run', cause);
      }
    },
  };
}
