/** Writing whole objects: many in one call, and what kubectl said of each that was not taken. */
import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { matchNames, shareOutErrors } from './dry-run.ts';
import { runOn, splitWords, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { mapAt, pathOf, referenceKey } from './objects.ts';

export const writeArguments = ['--validate=ignore', `--field-manager=${fieldManager}`];

/** @returns problems by reference, for those that the server did not take */
export async function send(
  call: ClusterCall,
  argumentList: readonly string[],
  objects: readonly Manifest[],
  references: readonly ObjectReference[],
): Promise<ClusterResult<ReadonlyMap<string, string>>> {
  if (objects.length === 0) return success(new Map());
  const ran = await runOn(call, [...argumentList, '-f', '-', '-o', 'name'], toStream(objects));
  if (!ran.ok) return ran;
  if (ran.value.exitCode === 0) return success(new Map());
  const named = matchNames(objects, ran.value.output.toString('utf8'));
  const failed = objects.filter((_, index) => named[index] !== true);
  const words = shareOutErrors(failed, splitWords(ran.value.errors).errors);
  const problems = new Map<string, string>();
  references.forEach((reference, index) => {
    const manifest = objects[index];
    if (manifest === undefined || named[index] === true) return;
    problems.set(referenceKey(reference), words[failed.indexOf(manifest)] || 'The server did not take it back.');
  });
  return success(problems);
}

/** kubectl's `replace` writes this annotation anew wherever it finds it. */
function hasLastApplied(manifest: Manifest): boolean {
  const annotations = mapAt(mapAt(manifest, 'metadata'), 'annotations');
  return annotations['kubectl.kubernetes.io/last-applied-configuration'] !== undefined;
}

/**
 * Puts objects in place of those that are there, byte for byte. Those of the client-side `kubectl apply` go by their
 * path, one by one, since kubectl would change their annotation.
 * @returns problems by reference
 */
export async function replaceObjects(
  call: ClusterCall,
  objects: readonly Manifest[],
  references: readonly ObjectReference[],
): Promise<ClusterResult<ReadonlyMap<string, string>>> {
  const together = objects.map((manifest) => !hasLastApplied(manifest));
  const sent = await send(
    call,
    ['replace', ...writeArguments],
    objects.filter((_, index) => together[index] === true),
    references.filter((_, index) => together[index] === true),
  );
  if (!sent.ok) return sent;
  const problems = new Map(sent.value);
  for (const [index, reference] of references.entries()) {
    const manifest = objects[index];
    if (manifest === undefined || together[index] === true) continue;
    const ran = await runOn(
      call,
      ['replace', `--raw=${pathOf(reference)}?fieldManager=${fieldManager}`, '-f', '-'],
      toStream([manifest]),
    );
    if (!ran.ok) return ran;
    ran.value.output.fill(0);
    if (ran.value.exitCode !== 0) problems.set(referenceKey(reference), ran.value.errors.trim());
  }
  return success(problems);
}
