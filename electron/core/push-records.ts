/** What a push left on disk for its undo, and whether a person still follows it. */
import type { Core } from './core.ts';
import { forgottenFile } from '../workflows/cluster-plans.ts';
import { pushRecordSchema, type PushRecord } from '../workflows/cluster-ports.ts';
import { failure, success, type Result } from '../workflows/failures.ts';

/** Written by the run before it changes anything. */
const recordFile = 'push-record.json';

type Parts = Pick<Core, 'outbox'>;

/** @returns the record of a push; Cluster_NotFound where it left none, Custody_ReadFailed where it cannot be read */
export async function readPushRecord({ outbox }: Parts, runId: string): Promise<Result<PushRecord>> {
  const file = await outbox.read(runId, recordFile);
  if (!file.ok) return file;
  if (file.value === undefined) {
    return failure(
      'Cluster_NotFound',
      'This run changed nothing in a cluster: it left no record of what was there.',
      'There is nothing to compare or to undo.',
    );
  }
  const damaged = failure(
    'Custody_ReadFailed',
    'The record of what was in the cluster before the push cannot be read.',
    'Keep the file; undo by hand from the transcript, or from what is kept in git.',
  );
  try {
    const parsed = pushRecordSchema.safeParse(JSON.parse(new TextDecoder().decode(file.value)));
    return parsed.success ? success(parsed.data) : damaged;
  } catch (cause) {
    if (cause instanceof SyntaxError) return damaged;
    throw cause;
  }
}

export async function isForgotten({ outbox }: Parts, runId: string): Promise<boolean> {
  const mark = await outbox.read(runId, forgottenFile);
  return mark.ok && mark.value !== undefined;
}

export async function markForgotten({ outbox }: Parts, runId: string): Promise<Result<Record<string, never>>> {
  const written = await outbox.write(runId, forgottenFile, new TextEncoder().encode('forgotten\n'));
  return written.ok ? success({}) : written;
}
