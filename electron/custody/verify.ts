/**
 * Checks a journal file by its bytes alone. Found: any change, any loss at the head or in the middle,
 * reordering, doubled or foreign records, bytes before, between or after, and, as the last event counts
 * the records, any loss at the tail of a run that had ended (then `complete` is false).
 */
import type { JournalVerification } from '../core/core.ts';
import { foldRun } from '../workflows/fold.ts';
import { pgpWordsOfHex } from '../workflows/pgp-words.ts';
import type { ChainRecord } from './chain.ts';
import { canonicalJson, chainRecordSchema, chainStart, hashOfRecord } from './chain.ts';

/** What a journal's bytes hold: the records up to the first that is wrong. */
export interface ParsedJournal {
  readonly records: readonly ChainRecord[];
  readonly problems: readonly string[];
  /** Length in bytes of the whole lines at the front that are right. */
  readonly intactLength: number;
  /** Bytes after the last newline: what a power failure may leave of a record that was never acknowledged. */
  readonly tornLength: number;
}

const newline = 0x0a;

function problemOf(line: string, number: number, previous: string): ChainRecord | string {
  const name = `Record ${number.toString()}`;
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    if (cause instanceof SyntaxError) return `${name} is not JSON.`;
    throw cause;
  }
  const parsed = chainRecordSchema.safeParse(json);
  if (!parsed.success) return `${name} has not the form of a record.`;
  const record = parsed.data;
  if (canonicalJson(record) !== line) return `${name} is not written as this program writes it: it has been changed.`;
  if (record.sequence !== number)
    return `${name} carries the number ${record.sequence.toString()}: records are missing, doubled or out of order.`;
  if (record.previous !== previous)
    return `${name} does not follow the record before it: something was changed, removed or put in between.`;
  if (hashOfRecord(record) !== record.hash)
    return `${name} has been changed: its hash does not agree with its content.`;
  return record;
}

/** Reads as many records as are right. Pure over the bytes. */
export function parseJournal(bytes: Uint8Array): ParsedJournal {
  const records: ChainRecord[] = [];
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let previous = chainStart;
  let start = 0;
  while (start < bytes.length) {
    const end = bytes.indexOf(newline, start);
    if (end === -1) break;
    const number = records.length + 1;
    let line: string;
    try {
      line = decoder.decode(bytes.subarray(start, end));
    } catch (cause) {
      if (!(cause instanceof TypeError)) throw cause;
      return {
        records,
        problems: [`Record ${number.toString()} is not UTF-8 text.`],
        intactLength: start,
        tornLength: 0,
      };
    }
    const record = problemOf(line, number, previous);
    if (typeof record === 'string') return { records, problems: [record], intactLength: start, tornLength: 0 };
    records.push(record);
    previous = record.hash;
    start = end + 1;
  }
  return { records, problems: [], intactLength: start, tornLength: bytes.length - start };
}

function isRunEnd(event: unknown): boolean {
  return typeof event === 'object' && event !== null && 'type' in event && event.type === 'run-finished';
}

/**
 * Verifies a journal.
 * @param bytes the file, whole
 * @returns `intact`: every byte is accounted for; `complete`: the run's end is there too, so that nothing
 * is missing at the tail. A journal whose run has ended is right only if both are true
 */
export function verifyJournal(bytes: Uint8Array): JournalVerification {
  const parsed = parseJournal(bytes);
  const problems = [...parsed.problems];
  if (parsed.tornLength > 0) {
    problems.push(
      `After record ${parsed.records.length.toString()} stand ${parsed.tornLength.toString()} bytes that are no whole record.`,
    );
  }
  if (parsed.records.length === 0 && problems.length === 0) problems.push('The file is empty.');
  if (parsed.records.length > 0) {
    const folded = foldRun('in this file', parsed.records);
    if (!folded.ok) problems.push(folded.error.message);
  }
  const last = parsed.records.at(-1);
  const head = last?.hash ?? '';
  return {
    intact: problems.length === 0,
    records: parsed.records.length,
    complete: problems.length === 0 && isRunEnd(last?.event),
    head,
    headWords: pgpWordsOfHex(head),
    problems,
  };
}
