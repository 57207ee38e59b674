import { readFile, stat } from 'node:fs/promises';
import type { Transcripts } from '../core/core.ts';
import type { Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import { foldRun, runEventSchema } from '../workflows/fold.ts';
import type { RunEvent } from '../workflows/run.ts';
import { readFailure, systemErrorCode } from './durable-file.ts';
import type { JournalStore } from './journal.ts';
import { drawTranscript } from './transcript.ts';
import { verifyJournal } from './verify.ts';

/** A run of 255 shares makes a journal far below this. */
const fileLimit = 64 * 1024 * 1024;

async function readJournalFile(path: string): Promise<Result<Buffer>> {
  try {
    const { size } = await stat(path);
    if (size > fileLimit)
      return failure(
        'Custody_ReadFailed',
        'This file is too large to be a journal.',
        'Choose the file journal.jsonl of a run.',
        { size },
      );
    return success(await readFile(path));
  } catch (cause) {
    return systemErrorCode(cause) === 'ENOENT'
      ? failure('App_NotFound', 'There is no such file.', 'Check the path.', { path })
      : readFailure('The file', cause);
  }
}

/** What a run leaves for people and programs to check. */
export function createTranscripts(journal: JournalStore): Transcripts {
  return {
    async html(runId) {
      const read = await journal.read(runId);
      if (!read.ok) return read;
      const state = foldRun(runId, read.value);
      if (!state.ok) return state;
      const events = read.value.map(({ event, at }): { readonly event: RunEvent; readonly at: string } => ({
        event: runEventSchema.parse(event),
        at,
      }));
      return success(drawTranscript({ state: state.value, events, head: read.value.at(-1)?.hash ?? '' }));
    },
    jsonLines: (runId) => journal.bytes(runId),
    async verifyRun(runId) {
      const bytes = await journal.bytes(runId);
      return bytes.ok ? success(verifyJournal(bytes.value)) : bytes;
    },
    async verifyFile(path) {
      const bytes = await readJournalFile(path);
      return bytes.ok ? success(verifyJournal(bytes.value)) : bytes;
    },
  };
}
