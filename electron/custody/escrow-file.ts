/**
 * The form of an escrow on disk, and how what a process left of one is taken up. Two processes may look at the
 * same time: the share host that outlived its parent is about to rename what it wrote, and the process that
 * takes the run up again finds it whole before that. Either may put it in place.
 */
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { failure, success, type CustodyFailureCode, type Result } from '../workflows/failures.ts';
import type { Escrow } from '../workflows/ports.ts';
import { readIfPresent, syncDirectory, systemErrorCode, writeFailure } from './durable-file.ts';

export const escrowSchema = z.strictObject({
  runId: z.string().min(1).max(80),
  vaultAddress: z.string().max(2048),
  publicKeySha256: z.string().regex(/^[0-9a-f]{64}$/u),
  entries: z
    .array(
      z.strictObject({
        label: z.string().min(1).max(255),
        tokenCiphertext: z.base64().min(4).max(4096),
        pgpMessage: z.base64().max(100_000),
        previousCiphertext: z.base64().min(4).max(4096).exactOptional(),
      }),
    )
    .min(1)
    .max(300),
});

/** What failures call the file. */
export const escrowFileName = 'The encrypted copy of the key shares';

/** Where the file lies while it is being written; a whole one left there is as good as the escrow itself. */
export const temporaryPathOf = (path: string): string => `${path}.tmp`;

export type EscrowOnDisk =
  | { readonly kind: 'complete'; readonly escrow: Escrow }
  /** No escrow in place; what lies beside it, if anything, is none of this run that is whole. */
  | { readonly kind: 'incomplete'; readonly beside: Buffer | undefined };

function parse(bytes: Buffer, runId: string): Escrow | undefined {
  try {
    const parsed = escrowSchema.safeParse(JSON.parse(bytes.toString('utf8')));
    return parsed.success && parsed.data.runId === runId ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/**
 * Puts what was written beside its place into it, durably.
 * @returns false where it is not there any more: another process has put it in place, or taken it away
 */
export async function putInPlace(path: string): Promise<boolean> {
  try {
    const handle = await open(temporaryPathOf(path), 'r+');
    await handle.sync().finally(() => handle.close());
    await rename(temporaryPathOf(path), path);
  } catch (cause) {
    if (systemErrorCode(cause) === 'ENOENT') return false;
    throw cause;
  }
  await syncDirectory(dirname(path));
  return true;
}

/** How often the place is looked at again after another process was quicker; once is what is needed. */
const looks = 5;

/**
 * The escrow of a run. A whole one that its writer could not rename any more is put in place.
 * @returns Custody_EscrowDamaged for a file that is not this run's escrow; Custody_ReadFailed,
 *   Custody_DiskFull, Custody_WriteFailed
 */
export async function readEscrowFile(path: string, runId: string): Promise<Result<EscrowOnDisk, CustodyFailureCode>> {
  for (let look = 0; ; look += 1) {
    const content = await readIfPresent(path, escrowFileName);
    if (!content.ok) return content;
    if (content.value !== undefined) {
      const escrow = parse(content.value, runId);
      if (escrow !== undefined) return success({ kind: 'complete', escrow });
      return failure(
        'Custody_EscrowDamaged',
        'The encrypted copy of the key shares on disk is damaged.',
        `Keep the file ${path} as it is, restore it from a backup if there is one, and do not abandon this run.`,
        { path },
      );
    }
    const beside = await readIfPresent(temporaryPathOf(path), escrowFileName);
    if (!beside.ok) return beside;
    const escrow = beside.value === undefined ? undefined : parse(beside.value, runId);
    // Nothing beside it can also mean that it was renamed between the two looks.
    if (escrow === undefined) {
      if (beside.value === undefined && look === 0) continue;
      return success({ kind: 'incomplete', beside: beside.value });
    }
    try {
      if (await putInPlace(path)) return success({ kind: 'complete', escrow });
    } catch (cause) {
      return writeFailure(escrowFileName, cause);
    }
    if (look >= looks) return success({ kind: 'incomplete', beside: undefined });
  }
}
