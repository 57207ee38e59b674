import type { Manifest, ObjectReference, SecretValueSlot } from '../../electron/workflows/cluster-ports.ts';
import { success } from '../../electron/workflows/failures.ts';
import { dryRun, type DryRuns } from './dry-run.ts';
import { getLive, type LiveObjects } from './get-live.ts';
import type { ClusterCall, ClusterResult } from './kubectl-call.ts';
import { trialValue, withSlots } from './secret-slots.ts';

/**
 * What is there now, and at the same time what the server would make of the objects, a trial value in the place of
 * each that is still to be typed.
 * @param references what is read: the objects, and whatever else is compared
 */
export async function tryBesideLive(
  call: ClusterCall,
  references: readonly ObjectReference[],
  manifests: readonly Manifest[],
  slots: readonly SecretValueSlot[],
): Promise<ClusterResult<{ readonly live: LiveObjects; readonly tried: DryRuns }>> {
  const reading = getLive(call, references);
  const isThere = reading.then(
    (live) => (reference: ObjectReference) => live.ok && live.value.find(reference) !== undefined,
  );
  const [live, tried] = await Promise.all([
    reading,
    dryRun(
      call,
      manifests.map((manifest) => withSlots(manifest, slots, trialValue)),
      isThere,
    ),
  ]);
  if (!live.ok) return live;
  return tried.ok ? success({ live: live.value, tried: tried.value }) : tried;
}
