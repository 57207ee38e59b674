/**
 * The escrow of an initialisation: ciphertexts only. Its room on the disk is taken before Vault is asked, so
 * that a full disk is met while nothing can be lost, and the file is in place, fsynced and read back before
 * anything else is tried.
 *
 * Beside it lies a reservation (`.tmp`): blanks behind a note of which run it is for. It becomes the escrow by
 * being overwritten and renamed. One left by a process that was ended says how far that one came.
 */
import { constants } from 'node:fs';
import { open, readFile, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { syncDirectory, writeFailure } from '../custody/durable-file.ts';
import { escrowFileName, putInPlace, readEscrowFile, temporaryPathOf } from '../custody/escrow-file.ts';
import { identifyThisProcess, isProcessAlive, processIdentitySchema } from '../custody/process-lock.ts';
import { failure, success, type CustodyFailureCode, type Result } from '../workflows/failures.ts';
import type { Escrow } from '../workflows/ports.ts';

const reservationSchema = z.strictObject({ reservedFor: z.string(), by: processIdentitySchema });

/** As long as that host waits for Vault and a little more, in milliseconds. */
const earlierHostDeadline = 70_000;

export type EscrowFound =
  | { readonly kind: 'none' }
  /** An earlier process of this run asked Vault, or was about to. */
  | { readonly kind: 'reserved' }
  | { readonly kind: 'complete'; readonly escrow: Escrow };

export interface EscrowReservation {
  /** Overwrites, fsyncs, renames into place, fsyncs the directory and reads back. May be tried again. */
  fill(escrow: Escrow): Promise<Result<Record<string, never>, CustodyFailureCode>>;
  /** Gives the room back: Vault was not initialised. */
  release(): Promise<void>;
}

function readReservation(content: Buffer | undefined): z.infer<typeof reservationSchema> | undefined {
  if (content === undefined) return undefined;
  try {
    return reservationSchema.safeParse(JSON.parse(content.toString('utf8'))).data;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** What an earlier process of this run left. A complete file that was not renamed yet is put into place. */
export async function findEscrow(
  path: string,
  runId: string,
  giveUpAt: number = performance.now() + earlierHostDeadline,
): Promise<Result<EscrowFound, CustodyFailureCode>> {
  const found = await readEscrowFile(path, runId);
  if (!found.ok) return found;
  if (found.value.kind === 'complete') return success(found.value);
  const reservation = readReservation(found.value.beside);
  if (reservation?.reservedFor !== runId) return success({ kind: 'none' });
  // A share host outlives a parent that was killed for as long as Vault's reply is on its way to the disk.
  if (reservation.by.pid !== process.pid && performance.now() < giveUpAt && (await isProcessAlive(reservation.by))) {
    await delay(100);
    return findEscrow(path, runId, giveUpAt);
  }
  return success({ kind: 'reserved' });
}

async function writeWhole(file: FileHandle, content: Buffer): Promise<void> {
  let written = 0;
  while (written < content.length)
    written += (await file.write(content, written, content.length - written, written)).bytesWritten;
}

async function createReservation(temporary: string, content: Buffer): Promise<void> {
  await rm(temporary, { force: true });
  const file = await open(temporary, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
  try {
    await writeWhole(file, content);
    await file.sync();
  } finally {
    await file.close();
  }
  await syncDirectory(dirname(temporary));
}

/** Takes `size` bytes of room for the escrow of a run. Failures: Custody_DiskFull, Custody_WriteFailed. */
export async function reserveEscrow(
  path: string,
  runId: string,
  size: number,
): Promise<Result<EscrowReservation, CustodyFailureCode>> {
  const temporary = temporaryPathOf(path);
  const note = Buffer.alloc(size, ' ');
  note.write(JSON.stringify({ reservedFor: runId, by: await identifyThisProcess() }));
  try {
    await createReservation(temporary, note);
  } catch (cause) {
    const described = writeFailure(escrowFileName, cause);
    await rm(temporary, { force: true });
    return described;
  }
  return success({
    async fill(escrow) {
      // Blanks up to the reserved size: overwriting needs no new room, and JSON allows them.
      const content = Buffer.from(JSON.stringify(escrow).padEnd(size, ' '));
      try {
        const file = await open(temporary, constants.O_RDWR | constants.O_CREAT, 0o600);
        try {
          await writeWhole(file, content);
          await file.sync();
        } finally {
          await file.close();
        }
        // Where it is gone, the process that takes the run up again has put it in place; it is read back either way.
        await putInPlace(path);
        if (!(await readFile(path)).equals(content))
          return failure(
            'Custody_WriteFailed',
            'The escrow file reads back other than it was written.',
            'Use another disk for the data folder; the shares are still held, continue when it is right.',
            { path },
          );
      } catch (cause) {
        return writeFailure(escrowFileName, cause);
      }
      return success({});
    },
    async release() {
      await rm(temporary, { force: true });
    },
  });
}
