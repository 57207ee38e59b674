/** What of a push is in the cluster, and what has become of it since: a dry run of its content beside what is live. */
import { isDeepStrictEqual } from 'node:util';
import { success } from '../../electron/workflows/failures.ts';
import type {
  Drift,
  Json,
  Manifest,
  ObjectOutcome,
  ObjectReference,
  PushRecord,
} from '../../electron/workflows/cluster-ports.ts';
import { allYamlLines, cutLines, diffLines, withoutBookkeeping, yamlLines } from './diff-lines.ts';
import type { DryRun } from './dry-run.ts';
import { findConflicts, isOurs, isStillOurs, managersOf } from './field-sets.ts';
import type { LiveObjects } from './get-live.ts';
import { keptReferences } from './kept-secrets.ts';
import type { ClusterCall, ClusterResult } from './kubectl-call.ts';
import { nodeReference, patched, pendingPatch, touchedParts } from './node-patches.ts';
import { mapAt, referenceKey, textAt } from './objects.ts';
import { prepareObjects } from './preview.ts';
import { createSecretMask, hideValues, maskSecret } from './secret-mask.ts';
import { slotsOf } from './secret-slots.ts';
import { tryBesideLive } from './try-beside-live.ts';

interface Looked {
  readonly objects: readonly {
    readonly reference: ObjectReference;
    readonly manifest: Manifest;
    readonly live: Manifest | undefined;
    readonly dryRun: DryRun | undefined;
    /** As it would be if it were pushed again, with the values that are in its slots now. */
    readonly pushed: Manifest | undefined;
    readonly emptySlots: readonly string[];
  }[];
  readonly live: LiveObjects;
}

/** With the values that are live in the slots: what was typed is not known, only whether something is there. */
function withLiveSlots(pushed: Manifest, live: Manifest, keys: readonly string[]): Manifest {
  if (keys.length === 0) return pushed;
  const data: Record<string, Json> = { ...mapAt(pushed, 'data') };
  const now = mapAt(live, 'data');
  for (const key of keys) {
    const value = now[key];
    if (value !== undefined) data[key] = value;
  }
  return { ...pushed, data };
}

async function lookAt(call: ClusterCall, record: PushRecord): Promise<ClusterResult<Looked>> {
  const { content } = record;
  const objects = prepareObjects(content).filter(({ refusal }) => refusal === '');
  const nodes = [...new Set(content.patches.map((patch) => patch.node))].map(nodeReference);
  const references = [...objects.map(({ reference }) => reference), ...nodes, ...keptReferences(record)];
  const seen = await tryBesideLive(
    call,
    references,
    objects.map(({ manifest }) => manifest),
    content.secretSlots,
  );
  if (!seen.ok) return seen;
  const { live, tried } = seen.value;
  return success({
    live: live,
    objects: objects.map(({ reference, manifest }, index) => {
      const now = live.find(reference);
      const result = tried.results[index];
      const keys = slotsOf(manifest, content.secretSlots).map(({ key }) => key);
      return {
        reference,
        manifest,
        live: now,
        dryRun: result,
        pushed: result?.kind === 'taken' && now !== undefined ? withLiveSlots(result.manifest, now, keys) : undefined,
        emptySlots: keys.filter((key) => mapAt(now, 'data')[key] === undefined),
      };
    }),
  });
}

/** Whether a slot still holds the value from before the push. */
function holdsKept(live: Manifest, kept: Manifest | undefined, keys: readonly string[]): boolean {
  const [now, earlier] = [mapAt(live, 'data'), mapAt(kept, 'data')];
  return kept !== undefined && keys.some((key) => now[key] !== undefined && now[key] === earlier[key]);
}

function uidOf(manifest: Manifest | undefined): string {
  return textAt(mapAt(manifest, 'metadata'), 'uid');
}

function versionOf(manifest: Manifest | null | undefined): string {
  return textAt(mapAt(manifest ?? undefined, 'metadata'), 'resourceVersion');
}

/** Changes nothing. 'created', 'changed' and 'unchanged' are in, 'not-reached' is not. */
export async function lookAtPush(
  call: ClusterCall,
  record: PushRecord,
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const looked = await lookAt(call, record);
  if (!looked.ok) return looked;
  const outcomes = looked.value.objects.map(
    ({ reference, manifest, live, dryRun: result, pushed, emptySlots }): ObjectOutcome => {
      const before = record.before.find((entry) => referenceKey(entry.reference) === referenceKey(reference));
      const base = { reference, uid: uidOf(live), problem: '' };
      if (result?.kind === 'refused') {
        const problem = hideValues(result.words, live === undefined ? [] : [live]).slice(0, 4000);
        return { ...base, outcome: 'failed', problem };
      }
      if (live === undefined || pushed === undefined || emptySlots.length > 0)
        return { ...base, outcome: 'not-reached' };
      const keys = record.content.secretSlots
        .filter((slot) => referenceKey(slot.reference) === referenceKey(reference))
        .map(({ key }) => key);
      const keptIn = before?.keptIn ?? '';
      const kept = keptIn === '' ? undefined : looked.value.live.find({ ...reference, name: keptIn });
      const isIn =
        isStillOurs(live, manifest) &&
        isDeepStrictEqual(withoutBookkeeping(live), withoutBookkeeping(pushed)) &&
        !holdsKept(live, kept, keys);
      if (!isIn) return { ...base, outcome: 'not-reached' };
      if (before === undefined || before.manifest === null) return { ...base, outcome: 'created' };
      return { ...base, outcome: versionOf(live) === versionOf(before.manifest) ? 'unchanged' : 'changed' };
    },
  );
  return success([...outcomes, ...lookAtPatches(record, looked.value.live)]);
}

function lookAtPatches(record: PushRecord, live: LiveObjects): readonly ObjectOutcome[] {
  return [...new Set(record.content.patches.map((patch) => patch.node))].map((name) => {
    const reference = nodeReference(name);
    const pending = record.content.patches
      .filter((patch) => patch.node === name)
      .flatMap((patch) => pendingPatch(patch, live)?.operations ?? patch.operations);
    const changed = record.patchesBefore.some((patch) => patch.node === name);
    const outcome = pending.length > 0 ? 'not-reached' : changed ? 'changed' : 'unchanged';
    return { reference, outcome, uid: uidOf(live.find(reference)), problem: '' };
  });
}

/** Who else wrote the object since we did. */
function changedSince(live: Manifest): readonly string[] {
  const managers = managersOf(live).filter((entry) => entry.subresource === '');
  const ours = managers.find(isOurs)?.time ?? '';
  return managers.filter((entry) => !isOurs(entry) && entry.time >= ours).map((entry) => entry.manager);
}

/** What was pushed beside what is live: removed lines were pushed, added ones are there now. */
export async function checkDrift(call: ClusterCall, record: PushRecord): Promise<ClusterResult<readonly Drift[]>> {
  const looked = await lookAt(call, record);
  if (!looked.ok) return looked;
  const mask = createSecretMask();
  const drift = looked.value.objects.map(({ reference, live, dryRun: result, pushed }): Drift => {
    const base = { reference, diff: [], changedBy: [] };
    if (live === undefined) return { ...base, state: looked.value.live.problems.length > 0 ? 'unknown' : 'missing' };
    if (pushed === undefined || result?.kind !== 'taken') return { ...base, state: 'unknown' };
    const diff = diffLines(yamlLines(maskSecret(pushed, mask)), yamlLines(maskSecret(live, mask)));
    if (diff.length === 0) return { ...base, state: 'same' };
    const named = findConflicts(live, result.manifest).map(({ manager }) => manager);
    const managers = named.length > 0 ? named : changedSince(live);
    const changedBy = [...new Set(managers)].slice(0, 50).map((manager) => manager.slice(0, 512));
    return { reference, state: 'changed', diff: cutLines(diff), changedBy };
  });
  return success([...drift, ...driftOfPatches(record, looked.value.live)]);
}

function driftOfPatches(record: PushRecord, live: LiveObjects): readonly Drift[] {
  return [...new Set(record.content.patches.map((patch) => patch.node))].map((name) => {
    const reference = nodeReference(name);
    const node = live.find(reference);
    const base = { reference, diff: [], changedBy: [] };
    if (node === undefined) return { ...base, state: live.problems.length > 0 ? 'unknown' : 'missing' };
    const patches = record.content.patches.filter((patch) => patch.node === name);
    const operations = patches.flatMap((patch) => patch.operations);
    const pending = patches.flatMap((patch) => pendingPatch(patch, live)?.operations ?? []);
    const diff = diffLines(
      allYamlLines(touchedParts(patched(node, pending), operations)),
      allYamlLines(touchedParts(node, operations)),
    );
    return diff.length === 0 ? { ...base, state: 'same' } : { ...base, state: 'changed', diff: cutLines(diff) };
  });
}
