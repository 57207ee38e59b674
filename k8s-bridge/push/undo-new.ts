/** The half of an undo that deletes what a push made. */
import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectOutcome, ObjectReference, PushRecord } from '../../electron/workflows/cluster-ports.ts';
import { deleteSeen, type Seen } from './delete.ts';
import { isStillOurs, managersOf } from './field-sets.ts';
import { getLive, type LiveObjects } from './get-live.ts';
import { type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { findForeignContents } from './namespace-contents.ts';
import { mapAt, referenceKey, textAt } from './objects.ts';

type Before = PushRecord['before'][number];

/** Controllers write status all the time: looked at anew, so many times. */
const attempts = 5;

/**
 * What the push made, last first, if it is still ours. Each is deleted as the one that was looked at, so that one which
 * somebody makes anew meanwhile stays; one that somebody changes meanwhile is looked at again.
 */
export async function deleteNew(
  call: ClusterCall,
  entries: readonly Before[],
  pushed: ReadonlyMap<string, Manifest>,
  first: LiveObjects,
  outcomes: Map<string, ObjectOutcome>,
): Promise<ClusterResult<undefined>> {
  const inUse = await namespacesInUse(call, entries, first);
  if (!inUse.ok) return inUse;
  let live = first;
  const say = (reference: ObjectReference, outcome: ObjectOutcome['outcome'], problem = ''): void => {
    const uid = textAt(mapAt(live.find(reference), 'metadata'), 'uid');
    outcomes.set(referenceKey(reference), { reference, outcome, uid, problem: problem.slice(0, 4000) });
  };
  let open = [...entries].reverse().map(({ reference }) => reference);
  for (let attempt = 0; open.length > 0; attempt += 1) {
    const deleting: Seen[] = [];
    for (const reference of open) {
      const now = live.find(reference);
      const held = inUse.value.get(referenceKey(reference));
      if (now === undefined) say(reference, attempt === 0 ? 'unchanged' : 'deleted');
      else if (textAt(mapAt(now, 'metadata'), 'deletionTimestamp') !== '') say(reference, 'deleted');
      else if (!isStillOurs(now, pushed.get(referenceKey(reference)))) {
        const makers = [...new Set(managersOf(now).map(({ manager }) => manager))].join(', ');
        say(
          reference,
          'failed',
          `It is no longer ours: it was made anew by ${makers || 'somebody else'}. It was left as it is.`,
        );
      } else if (held !== undefined) say(reference, 'failed', held);
      else deleting.push({ reference, live: now });
    }
    const deleted = await deleteSeen(call, deleting);
    if (!deleted.ok) return deleted;
    const { changed, problems } = deleted.value;
    for (const { reference } of deleting) {
      const key = referenceKey(reference);
      const problem = problems.get(key) ?? (changed.has(key) ? 'It keeps changing while it is to be deleted.' : '');
      say(reference, problem === '' ? 'deleted' : 'failed', problem);
    }
    open = deleting.map(({ reference }) => reference).filter((reference) => changed.has(referenceKey(reference)));
    if (open.length === 0 || attempt + 1 === attempts) break;
    const again = await getLive(call, open);
    if (!again.ok) return again;
    live = again.value;
  }
  return success(undefined);
}

/** Namespaces of the push that hold something else, and what, in words. */
async function namespacesInUse(
  call: ClusterCall,
  entries: readonly Before[],
  live: LiveObjects,
): Promise<ClusterResult<ReadonlyMap<string, string>>> {
  const inUse = new Map<string, string>();
  for (const { reference } of entries) {
    if (reference.kind !== 'Namespace' || live.find(reference) === undefined) continue;
    const contents = await findForeignContents(
      call,
      reference.name,
      entries.map((entry) => entry.reference),
    );
    if (!contents.ok) return contents;
    if (contents.value !== '') inUse.set(referenceKey(reference), contents.value);
  }
  return success(inUse);
}
