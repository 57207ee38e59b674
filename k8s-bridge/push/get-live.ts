import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { readObjects, readOn, splitWords, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { findReference, referenceKey, stubOf } from './objects.ts';

export interface LiveObjects {
  /** Undefined where there is none, or where it may not be read. */
  find(reference: ObjectReference): Manifest | undefined;
  /** What the server said where it did not answer: kinds that are not known, rights that are missing. */
  readonly problems: readonly string[];
}

/** Reads objects as they are now, in one call. What is not there is not an error. */
export async function getLive(
  call: ClusterCall,
  references: readonly ObjectReference[],
): Promise<ClusterResult<LiveObjects>> {
  if (references.length === 0) return success({ find: () => undefined, problems: [] });
  const ran = await readOn(
    call,
    ['get', '-f', '-', '-o', 'json', '--show-managed-fields', '--ignore-not-found'],
    toStream(references.map(stubOf)),
  );
  if (!ran.ok) return ran;
  const read = readObjects(ran.value.output);
  if (!read.ok) return read;
  const byKey = new Map<string, Manifest>();
  for (const manifest of read.value) {
    const reference = findReference(manifest);
    if (reference !== undefined) byKey.set(referenceKey(reference), manifest);
  }
  return success({
    find: (reference) => byKey.get(referenceKey(reference)),
    problems: ran.value.exitCode === 0 ? [] : splitWords(ran.value.errors).errors,
  });
}
