/**
 * Deletes just the objects that were looked at. kubectl's `delete` takes a name and nothing else, so each goes by its
 * path with preconditions (Kubernetes, DeleteOptions): one that somebody deleted and made anew, or changed, in between
 * is not touched.
 */
import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { runOn, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { mapAt, pathOf, referenceKey, textAt } from './objects.ts';

export interface Seen {
  readonly reference: ObjectReference;
  /** As it was when it was decided to delete it. */
  readonly live: Manifest;
}

export interface Deletions {
  /** Not the one any more that was seen, by reference: to be looked at again. */
  readonly changed: ReadonlySet<string>;
  /** What the server said of those that it did not delete, by reference. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Side by side within one kind, so that what other objects stand on goes after them. */
function inWaves(objects: readonly Seen[]): readonly (readonly Seen[])[] {
  const waves: Seen[][] = [];
  for (const seen of objects) {
    const last = waves.at(-1);
    if (last?.[0]?.reference.kind === seen.reference.kind) last.push(seen);
    else waves.push([seen]);
  }
  return waves;
}

/** In the order given. What is gone already counts as deleted. */
export async function deleteSeen(call: ClusterCall, objects: readonly Seen[]): Promise<ClusterResult<Deletions>> {
  const changed = new Set<string>();
  const problems = new Map<string, string>();
  for (const wave of inWaves(objects)) {
    const ran = await Promise.all(
      wave.map(({ reference, live }) => {
        const metadata = mapAt(live, 'metadata');
        const options = {
          apiVersion: 'v1',
          kind: 'DeleteOptions',
          propagationPolicy: 'Background',
          preconditions: { uid: textAt(metadata, 'uid'), resourceVersion: textAt(metadata, 'resourceVersion') },
        };
        return runOn(call, ['delete', `--raw=${pathOf(reference)}`, '-f', '-'], toStream([options]));
      }),
    );
    for (const [index, outcome] of ran.entries()) {
      if (!outcome.ok) return outcome;
      // The object as it was comes back, a Secret's values among it.
      outcome.value.output.fill(0);
      const seen = wave[index];
      if (seen === undefined || outcome.value.exitCode === 0) continue;
      const { errors } = outcome.value;
      if (/\(NotFound\)/u.test(errors)) continue;
      const key = referenceKey(seen.reference);
      if (/\(Conflict\)/u.test(errors)) changed.add(key);
      else problems.set(key, errors.trim());
    }
  }
  return success({ changed, problems });
}
