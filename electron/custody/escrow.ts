/**
 * The escrow of one initialisation: every value of Vault's reply as ciphertext (under the token's public
 * key, and for PGP custodians as their message). The share host writes it before it answers
 * (`electron/shares/escrow-file.ts`); it goes away once everything is in its place. It holds no secret in the clear.
 */
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import type { CustodyFailureCode, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Escrow, EscrowPort } from '../workflows/ports.ts';
import type { Directories } from './directories.ts';
import { readIfPresent, syncDirectory, writeFailure } from './durable-file.ts';

const escrowSchema = z.strictObject({
  runId: z.string().min(1).max(80),
  vaultAddress: z.string().max(2048),
  publicKeySha256: z.string().regex(/^[0-9a-f]{64}$/u),
  entries: z
    .array(
      z.strictObject({
        label: z.string().min(1).max(255),
        tokenCiphertext: z.base64().min(4).max(4096),
        pgpMessage: z.base64().max(100_000),
      }),
    )
    .min(2)
    .max(256),
});

/** Name of the file while it is being written; a whole one left behind by a kill is as good as the escrow itself. */
const temporaryPathOf = (path: string): string => `${path}.tmp`;

function parse(bytes: Uint8Array, runId: string): Escrow | undefined {
  try {
    const parsed = escrowSchema.safeParse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    return parsed.success && parsed.data.runId === runId ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** Puts a whole temporary file in place of the escrow that its writer could not rename any more. */
async function adoptTemporary(path: string, runId: string): Promise<Result<Escrow | undefined, CustodyFailureCode>> {
  const temporary = temporaryPathOf(path);
  const content = await readIfPresent(temporary, 'The encrypted copy of the key shares');
  if (!content.ok) return content;
  const escrow = content.value === undefined ? undefined : parse(content.value, runId);
  if (escrow === undefined) return success(undefined);
  try {
    const handle = await open(temporary, 'r+');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncDirectory(dirname(path));
    return success(escrow);
  } catch (cause) {
    return writeFailure('The encrypted copy of the key shares', cause);
  }
}

/** The escrow files of runs, beside their journals. */
export function createEscrow(directories: Directories): EscrowPort {
  const path = (runId: string): string => join(directories.run(runId), 'escrow.json');
  return {
    path,
    async read(runId) {
      const content = await readIfPresent(path(runId), 'The encrypted copy of the key shares');
      if (!content.ok) return content;
      if (content.value === undefined) return adoptTemporary(path(runId), runId);
      const escrow = parse(content.value, runId);
      return escrow === undefined
        ? failure(
            'Custody_EscrowDamaged',
            'The encrypted copy of the key shares on disk is damaged.',
            `Keep the file ${path(runId)} as it is, restore it from a backup if there is one, and do not abandon this run.`,
          )
        : success(escrow);
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
