/**
 * Where things lie under the data directory (all 0700):
 *
 *     settings.json
 *     runs/RUN/journal.jsonl, escrow.json, outbox/
 *     rehearsal/runs/RUN/…      thrown away with the rehearsal
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { makePrivateDirectory, writeFailure } from './durable-file.ts';
import type { CustodyFailureCode, Result } from '../workflows/failures.ts';
import { success } from '../workflows/failures.ts';

const runIdPattern = /^(?:rehearsal-)?[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$/u;

/** Whether this can be a run's id: anything else never becomes part of a path. */
export function isRunId(text: string): boolean {
  return runIdPattern.test(text);
}

/**
 * A new run's id: UTC time to the second and 24 random bits, with 'rehearsal-' before it in a rehearsal,
 * so that a rehearsal is told by its name alone.
 */
export function newRunId(rehearsal: boolean, now: Date): string {
  const time = now
    .toISOString()
    .replace(/\.[0-9]+/u, '')
    .replaceAll(/[-:]/gu, '');
  return `${rehearsal ? 'rehearsal-' : ''}${time}-${randomBytes(3).toString('hex')}`;
}

export interface Directories {
  readonly data: string;
  readonly settingsFile: string;
  readonly lockFile: string;
  /** The directories that hold runs: real ones and rehearsals. */
  readonly runRoots: readonly string[];
  /** Of one run. Throws for a text that is no run id: callers check with `isRunId` first. */
  run(runId: string): string;
}

/** Names the places; makes nothing. */
export function directoriesUnder(dataDirectory: string): Directories {
  const runs = join(dataDirectory, 'runs');
  const rehearsalRuns = join(dataDirectory, 'rehearsal', 'runs');
  return {
    data: dataDirectory,
    settingsFile: join(dataDirectory, 'settings.json'),
    lockFile: join(dataDirectory, 'lock'),
    runRoots: [runs, rehearsalRuns],
    run(runId) {
      if (!isRunId(runId)) throw new TypeError('not a run id');
      return join(runId.startsWith('rehearsal-') ? rehearsalRuns : runs, runId);
    },
  };
}

/** Makes the data directory and the one for runs with mode 0700. */
export async function makeDirectories(
  directories: Directories,
): Promise<Result<Record<string, never>, CustodyFailureCode>> {
  try {
    await makePrivateDirectory(directories.data);
    for (const root of directories.runRoots.slice(0, 1)) await makePrivateDirectory(root);
    return success({});
  } catch (cause) {
    return writeFailure('The data directory', cause);
  }
}
