import type { Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { Escrow, EscrowEntry } from '../../workflows/ports.ts';
import type { StepContext } from './context.ts';

/** The run's escrow. Custody_EscrowMissing where there is none. */
export async function getEscrow(context: StepContext): Promise<Result<Escrow>> {
  const read = await context.ports.escrow.read(context.runId);
  if (!read.ok) return read;
  return read.value === undefined
    ? failure(
        'Custody_EscrowMissing',
        'The encrypted copy of the key shares is not on disk any more.',
        'Put the run’s escrow.json back from a backup. Without it, values not yet delivered are lost: set Vault up anew in that case.',
      )
    : success(read.value);
}

/** One value of it. Custody_EscrowDamaged where it holds none of that name. */
export async function getEntry(context: StepContext, label: string): Promise<Result<EscrowEntry>> {
  const escrow = await getEscrow(context);
  if (!escrow.ok) return escrow;
  const entry = escrow.value.entries.find((candidate) => candidate.label === label);
  return entry === undefined
    ? failure(
        'Custody_EscrowDamaged',
        `The encrypted copy on disk holds no ${label}.`,
        'Keep the file and do not abandon this run.',
        { label },
      )
    : success(entry);
}
