/**
 * The journal of each run: JSON Lines, hash-chained, each record on disk (fdatasync) before `append`
 * answers. What waits while one sync is under way goes out together with the next, so a step's end and
 * the next one's start cost one sync.
 */
import type { FileHandle } from 'node:fs/promises';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { CustodyFailureCode, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import type { JournalPort } from '../workflows/ports.ts';
import type { ChainRecord } from './chain.ts';
import { chainedRecord, chainStart, lineOf } from './chain.ts';
import type { Directories } from './directories.ts';
import { isRunId } from './directories.ts';
import {
  makePrivateDirectory,
  readFailure,
  readIfPresent,
  syncDirectory,
  systemErrorCode,
  writeDurably,
  writeFailure,
} from './durable-file.ts';
import type { ProcessLock } from './process-lock.ts';
import { acquireProcessLock } from './process-lock.ts';
import { parseJournal } from './verify.ts';

type CustodyResult<Value> = Result<Value, CustodyFailureCode>;
type Appended = CustodyResult<{ readonly sequence: number; readonly hash: string; readonly at: string }>;

export interface JournalStore extends JournalPort {
  /** The file as it is on disk. Custody_RunNotFound where there is none. */
  bytes(runId: string): Promise<CustodyResult<Buffer>>;
  /** Closes every file and gives up every lock. Appending opens them again. */
  close(): Promise<void>;
  /** Closes the runs whose directories are about to be removed or are gone. */
  forget(runIds: (runId: string) => boolean): Promise<void>;
}

interface OpenJournal {
  readonly handle: FileHandle;
  readonly lock: ProcessLock;
  readonly records: ChainRecord[];
  /** Bytes that are known to be on disk. */
  length: number;
  readonly waiting: { readonly record: ChainRecord; readonly answer: (result: Appended) => void }[];
  /** Last record given out, on disk or waiting. */
  sequence: number;
  head: string;
  draining: Promise<void> | undefined;
  /** Set where a failed write could not be taken back: nothing more may follow it. */
  broken: CustodyResult<never> | undefined;
}

const fileName = 'journal.jsonl';

function damaged(runId: string, problem: string): CustodyResult<never> {
  return failure(
    'Custody_JournalDamaged',
    `The journal of run ${runId} is damaged. ${problem}`,
    'Keep the file as it is for the auditor. This run cannot go on; what is stored on the token and in its escrow is untouched.',
  );
}

const notFound = (runId: string): CustodyResult<never> =>
  failure('Custody_RunNotFound', `There is no run ${runId}.`, 'Choose a run from the list.');

/** Writes what waits, syncs, answers; until nothing waits. */
async function drain(journal: OpenJournal): Promise<void> {
  // What is appended in the same turn goes out together.
  await Promise.resolve();
  while (journal.waiting.length > 0) {
    const batch = journal.waiting.splice(0);
    const bytes = Buffer.from(batch.map(({ record }) => lineOf(record)).join(''), 'utf8');
    try {
      await journal.handle.appendFile(bytes);
      await journal.handle.datasync();
      journal.length += bytes.length;
      for (const { record, answer } of batch) {
        journal.records.push(record);
        answer(success({ sequence: record.sequence, hash: record.hash, at: record.at }));
      }
    } catch (cause) {
      const failed = writeFailure('The journal', cause);
      batch.push(...journal.waiting.splice(0));
      journal.sequence = journal.records.length;
      journal.head = journal.records.at(-1)?.hash ?? chainStart;
      try {
        await journal.handle.truncate(journal.length);
      } catch (truncateCause) {
        journal.broken = writeFailure('The journal', truncateCause);
      }
      for (const { answer } of batch) answer(failed);
    }
  }
  journal.draining = undefined;
}

/**
 * What a power failure or a kill left after the last whole record is set aside and cut off, and the
 * journal says so itself. That record was never acknowledged, so nothing followed from it.
 */
async function cutTornEnd(
  directory: string,
  handle: FileHandle,
  bytes: Buffer,
  intactLength: number,
): Promise<CustodyResult<string>> {
  const name = `journal.torn-${new Date().toISOString().replaceAll(':', '')}`;
  const kept = await writeDurably(
    join(directory, name),
    'What is set aside of the journal',
    bytes.subarray(intactLength),
  );
  if (!kept.ok) return kept;
  try {
    await handle.truncate(intactLength);
    await handle.datasync();
    return success(name);
  } catch (cause) {
    return writeFailure('The journal', cause);
  }
}

async function openJournal(directories: Directories, runId: string): Promise<CustodyResult<OpenJournal>> {
  const directory = directories.run(runId);
  let lock: CustodyResult<ProcessLock> | undefined;
  let handle: FileHandle | undefined;
  const giveUp = async <Value>(result: Value): Promise<Value> => {
    await handle?.close();
    if (lock?.ok === true) await lock.value.release();
    return result;
  };
  try {
    await makePrivateDirectory(directory);
    lock = await acquireProcessLock(join(directory, 'journal.lock'));
    if (!lock.ok) return lock;
    handle = await open(join(directory, fileName), 'a+', 0o600);
    await syncDirectory(directory);
    const bytes = await handle.readFile();
    const parsed = parseJournal(bytes);
    const [problem] = parsed.problems;
    if (problem !== undefined) return await giveUp(damaged(runId, problem));
    const last = parsed.records.at(-1);
    const journal: OpenJournal = {
      handle,
      lock: lock.value,
      records: [...parsed.records],
      length: parsed.intactLength,
      waiting: [],
      sequence: parsed.records.length,
      head: last?.hash ?? chainStart,
      draining: undefined,
      broken: undefined,
    };
    if (parsed.tornLength > 0) {
      const name = await cutTornEnd(directory, handle, bytes, parsed.intactLength);
      if (!name.ok) return await giveUp(name);
      if (journal.records.length > 0) {
        const noted = await enqueue(journal, {
          type: 'deviation',
          step: '',
          text: `The last record was cut short when the program or the power ended (${parsed.tornLength.toString()} bytes). It was set aside as ${name.value}; nothing had followed from it.`,
        });
        if (!noted.ok) return await giveUp(noted);
      }
    }
    return success(journal);
  } catch (cause) {
    return giveUp(writeFailure('The journal', cause));
  }
}

function enqueue(journal: OpenJournal, event: unknown): Promise<Appended> {
  if (journal.broken !== undefined) return Promise.resolve(journal.broken);
  const record = chainedRecord(journal.sequence + 1, new Date().toISOString(), journal.head, event);
  journal.sequence = record.sequence;
  journal.head = record.hash;
  return new Promise((answer) => {
    journal.waiting.push({ record, answer });
    journal.draining ??= drain(journal);
  });
}

/** The journals under a data directory. */
export function createJournal(directories: Directories): JournalStore {
  const opened = new Map<string, Promise<CustodyResult<OpenJournal>>>();

  const openFor = async (runId: string): Promise<CustodyResult<OpenJournal>> => {
    const present = opened.get(runId);
    if (present !== undefined) return present;
    const opening = openJournal(directories, runId);
    opened.set(runId, opening);
    const result = await opening;
    if (!result.ok) opened.delete(runId);
    return result;
  };

  const closeOne = async (runId: string): Promise<void> => {
    const opening = opened.get(runId);
    opened.delete(runId);
    const result = await opening;
    if (result?.ok !== true) return;
    await result.value.draining;
    await result.value.handle.close();
    await result.value.lock.release();
  };

  const bytes = async (runId: string): Promise<CustodyResult<Buffer>> => {
    if (!isRunId(runId)) return notFound(runId.slice(0, 80));
    const content = await readIfPresent(join(directories.run(runId), fileName), 'The journal');
    if (!content.ok) return content;
    return content.value === undefined ? notFound(runId) : success(content.value);
  };

  return {
    async append(runId, event) {
      if (!isRunId(runId)) return notFound(runId.slice(0, 80));
      const journal = await openFor(runId);
      return journal.ok ? enqueue(journal.value, event) : journal;
    },

    async read(runId) {
      const present = await opened.get(runId);
      if (present?.ok === true) return success(present.value.records);
      const content = await bytes(runId);
      if (!content.ok) return content;
      const parsed = parseJournal(content.value);
      const [problem] = parsed.problems;
      // A torn end belongs to a record that was never acknowledged: it is cut off at the next append.
      return problem === undefined ? success(parsed.records) : damaged(runId, problem);
    },

    async listRunIds() {
      const found: string[] = [];
      for (const root of directories.runRoots) {
        try {
          found.push(...(await readdir(root)).filter(isRunId));
        } catch (cause) {
          if (systemErrorCode(cause) !== 'ENOENT') return readFailure('The directory of runs', cause);
        }
      }
      return success(found);
    },

    bytes,
    async close() {
      await Promise.all([...opened.keys()].map(closeOne));
    },
    async forget(runIds) {
      await Promise.all([...opened.keys()].filter(runIds).map(closeOne));
    },
  };
}
