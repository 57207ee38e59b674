/**
 * The escrow of an initialisation: ciphertexts only. Its room on the disk is taken before Vault is asked, so
 * that a full disk is met while nothing can be lost, and the file is in place, fsynced and read back before
 * anything else is tried.
 *
 * Beside it lies a reservation (`.tmp`): blanks behind a note of which run it is for. It becomes the escrow by
 * being overwritten and renamed. One left by a process that was ended says how far that one came.
 */
import { constants } from 'node:fs';
import { open, readFile, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { identifyThisProcess, isProcessAlive, processIdentitySchema } from '../custody/process-lock.ts';
import { failure, success, type CustodyFailureCode, type Result } from '../workflows/failures.ts';
import type { Escrow } from '../workflows/ports.ts';

export const escrowSchema = z.strictObject({
  runId: z.string(),
  vaultAddress: z.string(),
  publicKeySha256: z.string(),
  entries: z.array(z.strictObject({ label: z.string(), tokenCiphertext: z.base64(), pgpMessage: z.base64() })),
});

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

function errorCode(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : '';
}

function describeWriteError(cause: unknown, path: string): Result<never, CustodyFailureCode> {
  const reason = errorCode(cause);
  if (reason === '') throw cause;
  if (reason === 'ENOSPC' || reason === 'EDQUOT' || reason === 'EFBIG')
    return failure('Custody_DiskFull', 'The disk is full.', 'Free space and continue; nothing has been lost.', {
      path,
      reason,
    });
  return failure(
    'Custody_WriteFailed',
    'The escrow file could not be written.',
    'Check that its folder is there and may be written, then continue; nothing has been lost.',
    { path, reason },
  );
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(dirname(path), constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** What an earlier process of this run left. A complete file that was not renamed yet is put into place. */
export async function findEscrow(
  path: string,
  runId: string,
  giveUpAt: number = performance.now() + earlierHostDeadline,
): Promise<Result<EscrowFound, CustodyFailureCode>> {
  const inPlace = await readJson(path);
  if (inPlace !== undefined) {
    const escrow = escrowSchema.safeParse(inPlace);
    if (escrow.success && escrow.data.runId === runId) return success({ kind: 'complete', escrow: escrow.data });
    return failure(
      'Custody_EscrowDamaged',
      'The escrow file is not the one of this run.',
      'Keep the file and set it aside before continuing; it may hold the only copy of shares.',
      { path },
    );
  }
  const beside = await readJson(`${path}.tmp`);
  const escrow = escrowSchema.safeParse(beside);
  if (escrow.success && escrow.data.runId === runId) {
    try {
      const file = await open(`${path}.tmp`, 'r+');
      await file.sync().finally(() => file.close());
      await rename(`${path}.tmp`, path);
      await syncDirectory(path);
    } catch (cause) {
      return describeWriteError(cause, path);
    }
    return success({ kind: 'complete', escrow: escrow.data });
  }
  const reservation = reservationSchema.safeParse(beside);
  if (!reservation.success || reservation.data.reservedFor !== runId) return success({ kind: 'none' });
  const { by } = reservation.data;
  // A share host outlives a parent that was killed for as long as Vault's reply is on its way to the disk.
  if (by.pid !== process.pid && performance.now() < giveUpAt && (await isProcessAlive(by))) {
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
  await syncDirectory(temporary);
}

/** Takes `size` bytes of room for the escrow of a run. Failures: Custody_DiskFull, Custody_WriteFailed. */
export async function reserveEscrow(
  path: string,
  runId: string,
  size: number,
): Promise<Result<EscrowReservation, CustodyFailureCode>> {
  const temporary = `${path}.tmp`;
  const note = Buffer.alloc(size, ' ');
  note.write(JSON.stringify({ reservedFor: runId, by: await identifyThisProcess() }));
  try {
    await createReservation(temporary, note);
  } catch (cause) {
    const described = describeWriteError(cause, path);
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
        await rename(temporary, path);
        await syncDirectory(path);
        if (!(await readFile(path)).equals(content))
          return failure(
            'Custody_WriteFailed',
            'The escrow file reads back other than it was written.',
            'Use another disk for the data folder; the shares are still held, continue when it is right.',
            { path },
          );
      } catch (cause) {
        return describeWriteError(cause, path);
      }
      return success({});
    },
    async release() {
      await rm(temporary, { force: true });
    },
  });
}
