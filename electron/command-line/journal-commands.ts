import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import type { JournalVerification } from '../core/core.ts';
import { directoriesUnder, isRunId } from '../custody/directories.ts';
import { parseJournal, verifyJournal } from '../custody/verify.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { bytesOfPgpWords } from '../workflows/pgp-words.ts';
import { defaultDataDirectory } from '../core/default-directories.ts';
import { addCommonOptions, commonShape, readOptions } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome, Read } from './outcome.ts';
import type { Registry } from './registry.ts';
import { createStyle, takesColour } from './style.ts';
import type { Style } from './style.ts';
import { verificationLines } from './transcript-text.ts';

/** The largest file that is read whole, in bytes; a run's journal has some kilobytes. */
const largestJournal = 256 * 1024 * 1024;

/** A head as it was noted: 32 PGP words or 64 hex digits. Answers hex. */
export function readHead(text: string): Read<string> {
  const words = text.trim().split(/[\s,;.-]+/u);
  const [only] = words;
  if (words.length === 1 && only !== undefined && /^[0-9a-f]{64}$/iu.test(only)) return success(only.toLowerCase());
  const bytes = words.length === 32 ? bytesOfPgpWords(words) : undefined;
  if (bytes !== undefined) return success(Buffer.from(bytes).toString('hex'));
  return failure(
    'App_BadRequest',
    '--head is not 32 words of the PGP word list in their order, nor 64 hex digits.',
    'Compare what was noted with the list word by word: even and odd positions have lists of their own, so a swapped or left-out word shows.',
  );
}

async function readJournal(path: string): Promise<Result<Buffer>> {
  try {
    const status = await stat(path);
    if (!status.isFile())
      return failure(
        'Custody_ReadFailed',
        `${path} is not a file.`,
        'Name a journal file (journal.jsonl) or the id of a run.',
      );
    if (status.size > largestJournal)
      return failure(
        'Custody_ReadFailed',
        `${path} is far too large to be a journal.`,
        'Name a journal file (journal.jsonl).',
      );
    return success(await readFile(path));
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    return failure(
      'Custody_ReadFailed',
      `${path} cannot be read (${code}).`,
      'Name a journal file (journal.jsonl) that you may read, or the id of a run.',
      { code },
    );
  }
}

export type HeadMatch = 'not-asked' | 'last' | 'earlier' | 'absent';

function matchHead(bytes: Uint8Array, head: string | undefined): HeadMatch {
  if (head === undefined) return 'not-asked';
  const { records } = parseJournal(bytes);
  const index = records.findIndex((record) => record.hash === head);
  if (index === -1) return 'absent';
  return index === records.length - 1 ? 'last' : 'earlier';
}

/** The outcome of a verification: only a journal that is whole, and is the one noted, ends with exit code 0. */
export function judge(
  verification: JournalVerification,
  headMatch: HeadMatch,
  options: { readonly unfinished: boolean; readonly path: string; readonly style: Style },
): CommandOutcome {
  const value = { file: options.path, ...verification, headMatch };
  const lines = [...verificationLines(verification, options.style)];
  if (headMatch === 'last') lines.push('  The head is the one that was noted.');
  if (headMatch === 'earlier')
    lines.push('  The head that was noted is in the chain; the records after it were written later.');
  const text = lines.join('\n');
  if (!verification.intact) {
    return failed(
      failure(
        'Custody_JournalDamaged',
        `The journal does not hold: ${verification.problems.join(' ')}`,
        'Keep the file as it is and look for a copy of before: its records up to the first problem are right.',
      ).error,
      { value, text },
    );
  }
  if (headMatch === 'absent') {
    return failed(
      failure(
        'Custody_JournalDamaged',
        'The chain holds in itself, but the head that was noted is not in it: this is another journal, it was written anew, or its end was cut off.',
        'Look for a copy whose last record has the noted words.',
      ).error,
      { value, text },
    );
  }
  if (!verification.complete && !options.unfinished && headMatch === 'not-asked') {
    return failed(
      failure(
        'Custody_JournalDamaged',
        'The chain holds as far as it goes, but the end of the run is not in the file: the run is still open, or records were cut off.',
        'If the run is known to be open, say so with --unfinished; otherwise compare the head with the words noted on paper (--head).',
      ).error,
      { value, text },
    );
  }
  return done(value, text);
}

/** `custodian journal verify FILE`. Needs nothing but the file: no settings, no token, no server. */
export function addJournalCommands(program: Command, registry: Registry): void {
  const journal = program.command('journal').description('check journals');
  const verify = journal
    .command('verify')
    .description('find any change, loss or reordering in a run’s journal')
    .argument('<file>', 'a journal (journal.jsonl), or the id of a run of this machine')
    .option('--head <words>', 'the words (or hex) of the journal’s head as they were noted on paper')
    .option('--unfinished', 'the run is known to be open: its end need not be there');
  addCommonOptions(verify).action(async (file: string) => {
    const options = readOptions(
      { ...commonShape, head: z.string().optional(), unfinished: z.boolean().default(false) },
      verify,
    );
    if (!options.ok) {
      registry.settle(misused(options.error));
      return;
    }
    const head = options.value.head === undefined ? undefined : readHead(options.value.head);
    if (head?.ok === false) {
      registry.settle(misused(head.error));
      return;
    }
    const data =
      options.value.dataDir === undefined ? defaultDataDirectory(process.env) : resolve(options.value.dataDir);
    const path = isRunId(file) ? join(directoriesUnder(data).run(file), 'journal.jsonl') : file;
    const bytes = await readJournal(path);
    registry.settle(
      bytes.ok
        ? judge(verifyJournal(bytes.value), matchHead(bytes.value, head?.value), {
            unfinished: options.value.unfinished,
            path,
            style: createStyle(takesColour(process.stdout, process.env)),
          })
        : failed(bytes.error),
    );
  });
}
