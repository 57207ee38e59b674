/**
 * A lock file that names its process by id and start time, so that a lock left by a process that was
 * killed is told from one in force even where the id has been given to another process since.
 */
import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { z } from 'zod';
import { systemErrorCode, writeFailure } from './durable-file.ts';
import type { CustodyFailureCode, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';

export interface ProcessLock {
  release(): Promise<void>;
}

export const processIdentitySchema = z.strictObject({ pid: z.number().int().positive(), started: z.string() });
export type ProcessIdentity = z.infer<typeof processIdentitySchema>;

/** Start time in clock ticks after boot (proc(5), /proc/PID/stat field 22); '' where there is no such process or no /proc. */
async function startTimeOf(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid.toString()}/stat`, 'utf8');
    // The program's name stands in parentheses and may hold blanks; fields are counted after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch (cause) {
    if (systemErrorCode(cause) === '') throw cause;
    return '';
  }
}

/** This process's id and start time. */
export async function identifyThisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, started: await startTimeOf(process.pid) };
}

/** Whether the process that is meant lives still, and not another with its id. */
export async function isProcessAlive(owner: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(owner.pid, 0);
  } catch (cause) {
    if (systemErrorCode(cause) === 'ESRCH') return false;
  }
  return owner.started === '' || (await startTimeOf(owner.pid)) === owner.started;
}

async function readOwner(path: string): Promise<ProcessIdentity | undefined> {
  try {
    const parsed = processIdentitySchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError || systemErrorCode(cause) !== '') return undefined;
    throw cause;
  }
}

/** Links a whole file into place, which fails where one is there: no lock is ever seen half written. */
async function tryLink(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    return true;
  } catch (cause) {
    if (systemErrorCode(cause) === 'EEXIST') return false;
    throw cause;
  }
}

/**
 * Takes a lock, or takes it over from a process that is no more.
 * @returns Custody_RunBusy where a living process holds it (its id in details)
 */
export async function acquireProcessLock(path: string): Promise<Result<ProcessLock, CustodyFailureCode>> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(temporary, JSON.stringify(await identifyThisProcess()), {
      mode: 0o600,
    });
    for (let attempt = 0; attempt < 5; attempt += 1) {
      if (await tryLink(temporary, path)) {
        return success({ release: () => rm(path, { force: true }) });
      }
      const owner = await readOwner(path);
      if (owner !== undefined && (await isProcessAlive(owner))) {
        return failure(
          'Custody_RunBusy',
          'Another copy of this program has this open.',
          'Use that copy, or close it and try again.',
          { pid: owner.pid },
        );
      }
      // Two that take over at once: each moves away what it finds, and puts back what was not stale.
      const moved = `${temporary}.stale`;
      try {
        await rename(path, moved);
      } catch (cause) {
        if (systemErrorCode(cause) === 'ENOENT') continue;
        throw cause;
      }
      const movedOwner = await readOwner(moved);
      if (movedOwner !== undefined && (await isProcessAlive(movedOwner))) await tryLink(moved, path);
      await rm(moved, { force: true });
    }
    return failure('Custody_RunBusy', 'Another copy of this program takes this at the same moment.', 'Try again.');
  } catch (cause) {
    return writeFailure('The lock file', cause);
  } finally {
    await rm(temporary, { force: true });
  }
}
