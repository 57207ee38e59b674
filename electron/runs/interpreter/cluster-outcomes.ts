import type { ObjectOutcome, PushRecord } from '../../workflows/cluster-ports.ts';
import { pushRecordSchema } from '../../workflows/cluster-ports.ts';
import { objectInWords } from '../../workflows/cluster-push.ts';
import type { Failure, Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { StepContext } from './context.ts';

/** The file in a push run's outbox that its undo is read from. */
export const recordFileName = 'push-record.json';

/** The record that a push run left; undefined where there is none. Custody_ReadFailed where it is damaged. */
export async function readRecord(context: StepContext, runId: string): Promise<Result<PushRecord | undefined>> {
  const read = await context.ports.outbox.read(runId, recordFileName);
  if (!read.ok) return read;
  if (read.value === undefined) return success(undefined);
  const parsed = pushRecordSchema.safeParse(jsonOf(read.value));
  return parsed.success && parsed.data.pushId === runId
    ? success(parsed.data)
    : failure(
        'Custody_ReadFailed',
        'The record of what was in the cluster before the push is damaged.',
        'Put the file back from a backup of the data directory. Nothing was changed.',
        { file: recordFileName, runId },
      );
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

/** The record without which nothing goes on. */
export async function requireRecord(context: StepContext, runId: string): Promise<Result<PushRecord>> {
  const record = await readRecord(context, runId);
  if (!record.ok) return record;
  return record.value === undefined
    ? failure(
        'Custody_ReadFailed',
        `Run ${runId} left no record of what was in the cluster before it.`,
        'A push that was stopped before it kept its record has changed nothing. Otherwise put the file back from a backup of the data directory.',
        { file: recordFileName, runId },
      )
    : success(record.value);
}

const namesOf = (outcomes: readonly ObjectOutcome[], ...kinds: readonly ObjectOutcome['outcome'][]): string =>
  outcomes
    .filter(({ outcome }) => kinds.includes(outcome))
    .map(({ reference }) => objectInWords(reference))
    .join(', ');

/** What became of each object, by outcome: rows of a transcript. */
export function evidenceOfOutcomes(outcomes: readonly ObjectOutcome[]): Evidence {
  const rows = {
    created: namesOf(outcomes, 'created'),
    changed: namesOf(outcomes, 'changed'),
    unchanged: namesOf(outcomes, 'unchanged'),
    removed: namesOf(outcomes, 'deleted'),
    restored: namesOf(outcomes, 'restored'),
    failed: outcomes
      .filter(({ outcome }) => outcome === 'failed')
      .map(({ reference, problem }) => `${objectInWords(reference)}: ${problem}`)
      .join('; '),
    notReached: namesOf(outcomes, 'not-reached'),
  };
  // Every row, also an empty one: what an earlier attempt left of it must not stand.
  return rows;
}

const isIn = ({ outcome }: ObjectOutcome): boolean => outcome !== 'failed' && outcome !== 'not-reached';

export function allIn(outcomes: readonly ObjectOutcome[]): boolean {
  return outcomes.every(isIn);
}

/** 'In: ConfigMap a/b. Not in: Secret a/c.' */
export function inAndOut(outcomes: readonly ObjectOutcome[]): string {
  const inside = outcomes.filter(isIn).map(({ reference }) => objectInWords(reference));
  const outside = outcomes.filter((one) => !isIn(one)).map(({ reference }) => objectInWords(reference));
  return [
    `In: ${inside.length === 0 ? 'none' : inside.join(', ')}.`,
    ...(outside.length === 0 ? [] : [`Not in: ${outside.join(', ')}.`]),
  ].join(' ');
}

/** A push, or an undo, that did not get through with every object. */
export function incomplete(
  outcomes: readonly ObjectOutcome[],
  what: 'push' | 'undo',
): { readonly ok: false; readonly error: Failure } {
  const refused = outcomes.find((one) => !isIn(one) && one.problem !== '');
  const reason = refused === undefined ? '' : ` ${objectInWords(refused.reference)}: ${refused.problem}`;
  const done = outcomes.filter(isIn);
  return failure(
    'Cluster_PushIncomplete',
    what === 'push'
      ? `The push is not complete. ${inAndOut(outcomes)}${reason}`
      : `The undo is not complete: ${(outcomes.length - done.length).toString()} of ${outcomes.length.toString()} objects are not as they were.${reason}`,
    what === 'push'
      ? 'See what keeps the rest out, then press the button again: what is in is found. Undo the push to take it back.'
      : 'See what keeps the rest from being put back, then press the button again.',
    {
      in: done.map(({ reference }) => objectInWords(reference)).join(', '),
      notIn: namesOf(outcomes, 'failed', 'not-reached'),
    },
  );
}
