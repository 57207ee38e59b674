import type { CustodyFailureCode, Result } from '../workflows/failures.ts';
import { success } from '../workflows/failures.ts';
import type { EscrowPort, OutboxPort } from '../workflows/ports.ts';
import type { Directories } from './directories.ts';
import { directoriesUnder, makeDirectories, newRunId } from './directories.ts';
import { createEscrow } from './escrow.ts';
import type { JournalStore } from './journal.ts';
import { createJournal } from './journal.ts';
import { createOutbox } from './outbox.ts';

export interface Custody {
  readonly directories: Directories;
  readonly journal: JournalStore;
  readonly escrow: EscrowPort;
  readonly outbox: OutboxPort;
  newRunId(rehearsal: boolean): string;
}

/**
 * Makes the data directory (0700) and what keeps runs in it.
 * @returns Custody_WriteFailed or Custody_DiskFull where it cannot be made
 */
export async function createCustody(dataDirectory: string): Promise<Result<Custody, CustodyFailureCode>> {
  const directories = directoriesUnder(dataDirectory);
  const made = await makeDirectories(directories);
  if (!made.ok) return made;
  return success({
    directories,
    journal: createJournal(directories),
    escrow: createEscrow(directories),
    outbox: createOutbox(directories),
    newRunId: (rehearsal) => newRunId(rehearsal, new Date()),
  });
}
