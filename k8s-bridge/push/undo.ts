/**
 * Takes a push back. What was new is deleted if it is still ours; what was changed gets back the fields that we hold,
 * and what others have set meanwhile stays. In the end every field belongs to whom it belonged before.
 */
import { isDeepStrictEqual } from 'node:util';
import { success } from '../../electron/workflows/failures.ts';
import type {
  Json,
  Manifest,
  NodePatch,
  ObjectOutcome,
  ObjectReference,
  PushRecord,
} from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { withoutBookkeeping } from './diff-lines.ts';
import { existing, restoreFields, without } from './edit-by-fields.ts';
import { clientSideManagers, findOurFields, managersOf, unite, uniteAll } from './field-sets.ts';
import { getLive, type LiveObjects } from './get-live.ts';
import { inverseAsOfNow } from './json-patch.ts';
import { keptReferences } from './kept-secrets.ts';
import { type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { isMissingKind } from './missing-kinds.ts';
import { nodeReference, patchNodes } from './node-patches.ts';
import { prepareObjects } from './preview.ts';
import { replaceObjects, send, writeArguments } from './replace.ts';
import { isList, isMap, isSecret, mapAt, referenceKey, textAt } from './objects.ts';
import { deleteNew } from './undo-new.ts';

type Before = PushRecord['before'][number];

function metadataText(manifest: Manifest | undefined, name: string): string {
  return textAt(mapAt(manifest, 'metadata'), name);
}

/** The object as it should be again, upon what is live. */
function restoredFrom(live: Manifest, before: Manifest): Manifest {
  const others = uniteAll(
    managersOf(live)
      .filter((entry) => entry.manager !== fieldManager)
      .map((entry) => entry.fields),
  );
  const held = uniteAll([
    ...managersOf(live)
      .filter((entry) => entry.manager === fieldManager && entry.subresource === '')
      .map((entry) => entry.fields),
    findOurFields(before) ?? {},
    // Made ours, and dropped, by kubectl's change from the client-side apply.
    ...clientSideManagers(before).map((entry) => entry.fields),
  ]);
  const fields = without(held, others);
  const restored = fields === undefined ? live : restoreFields(live, before, fields);
  return isMap(restored) ? restored : live;
}

function rawEntries(manifest: Manifest): readonly Json[] {
  const entries = mapAt(manifest, 'metadata')['managedFields'];
  return isList(entries) ? entries : [];
}

function entryKey(entry: Json): string {
  return [textAt(entry, 'manager'), textAt(entry, 'operation'), textAt(entry, 'subresource')].join(' ');
}

/** Whose the fields are when all is as before: others' as they are now and as they were, ours as they were. */
function entriesAfter(live: Manifest, before: Manifest): readonly Json[] {
  const earlier = new Map(rawEntries(before).map((entry) => [entryKey(entry), entry]));
  const wanted: Json[] = [];
  for (const entry of rawEntries(live)) {
    if (textAt(entry, 'manager') === fieldManager) continue;
    const was = earlier.get(entryKey(entry));
    earlier.delete(entryKey(entry));
    const fields =
      was === undefined ? mapAt(entry, 'fieldsV1') : unite(mapAt(entry, 'fieldsV1'), mapAt(was, 'fieldsV1'));
    if (isMap(entry)) wanted.push({ ...entry, fieldsV1: existing(fields, live) });
  }
  for (const entry of earlier.values()) {
    if (!isMap(entry) || textAt(entry, 'subresource') !== '') continue;
    const fieldsV1 = existing(mapAt(entry, 'fieldsV1'), live);
    if (Object.keys(fieldsV1).length > 0) wanted.push({ ...entry, fieldsV1 });
  }
  return wanted;
}

function withEntries(live: Manifest, managedFields: readonly Json[]): Manifest {
  // An empty list is taken for none given; one empty entry clears it (Kubernetes, "Clearing managedFields").
  return {
    ...live,
    metadata: { ...mapAt(live, 'metadata'), managedFields: managedFields.length > 0 ? managedFields : [{}] },
  };
}

/** What is created anew: nothing in it that only the server gives. */
function asNew(before: Manifest): Manifest {
  const { ownerReferences: _, ...metadata } = mapAt(withoutBookkeeping(before), 'metadata');
  return { ...withoutBookkeeping(before), metadata };
}

/** Somebody wrote in between: looked at anew, so many times. */
const restoreAttempts = 3;

type Outcomes = Map<string, ObjectOutcome>;

interface Restoring {
  readonly entry: Before;
  readonly before: Manifest;
}

/** Puts the values of kept Secrets into what was there. Undefined where they are gone. */
function withKeptValues(entry: Before, live: LiveObjects): Manifest | undefined {
  const before = entry.manifest;
  if (before === null || !isSecret(before) || entry.keptIn === '') return before ?? undefined;
  const kept = live.find({ ...entry.reference, name: entry.keptIn });
  return kept === undefined ? undefined : { ...before, data: mapAt(kept, 'data') };
}

async function restore(
  call: ClusterCall,
  entries: readonly Restoring[],
  outcomes: Outcomes,
): Promise<ClusterResult<undefined>> {
  let open = entries;
  const record = (entry: Before, outcome: ObjectOutcome['outcome'], live: Manifest | undefined, problem = ''): void => {
    const { reference } = entry;
    const earlier = outcomes.get(referenceKey(reference));
    // Once restored, a second round that finds nothing to do says nothing new.
    if (outcome === 'unchanged' && earlier?.outcome === 'restored') return;
    outcomes.set(referenceKey(reference), {
      reference,
      outcome,
      uid: metadataText(live, 'uid'),
      problem: problem.slice(0, 4000),
    });
  };
  for (let attempt = 0; attempt < restoreAttempts && open.length > 0; attempt += 1) {
    const live = await getLive(
      call,
      open.map(({ entry }) => entry.reference),
    );
    if (!live.ok) return live;
    const replacing: { readonly restoring: Restoring; readonly manifest: Manifest }[] = [];
    const creating: { readonly restoring: Restoring; readonly manifest: Manifest }[] = [];
    for (const restoring of open) {
      const { entry, before } = restoring;
      const now = live.value.find(entry.reference);
      if (now === undefined) creating.push({ restoring, manifest: asNew(before) });
      else if (
        metadataText(now, 'uid') !== metadataText(before, 'uid') &&
        outcomes.get(referenceKey(entry.reference))?.outcome !== 'restored'
      ) {
        record(entry, 'failed', now, 'It was deleted and made anew by somebody else since. It was left as it is.');
      } else {
        const manifest = restoredFrom(now, before);
        if (isDeepStrictEqual(withoutBookkeeping(manifest), withoutBookkeeping(now))) record(entry, 'unchanged', now);
        else replacing.push({ restoring, manifest });
      }
    }
    const references = (list: typeof replacing): ObjectReference[] =>
      list.map(({ restoring }) => restoring.entry.reference);
    const replaced = await replaceObjects(
      call,
      replacing.map(({ manifest }) => manifest),
      references(replacing),
    );
    if (!replaced.ok) return replaced;
    const created = await send(
      call,
      ['create', ...writeArguments],
      creating.map(({ manifest }) => manifest),
      references(creating),
    );
    if (!created.ok) return created;
    const again: Restoring[] = [];
    for (const { restoring, manifest } of [...replacing, ...creating]) {
      const problem =
        replaced.value.get(referenceKey(restoring.entry.reference)) ??
        created.value.get(referenceKey(restoring.entry.reference));
      if (problem === undefined) record(restoring.entry, 'restored', manifest);
      else {
        record(restoring.entry, 'failed', manifest, problem);
        if (/\(Conflict\)|has been modified/u.test(problem)) again.push(restoring);
      }
    }
    open = again;
  }
  return giveBackFields(
    call,
    entries.filter(({ entry }) => outcomes.get(referenceKey(entry.reference))?.outcome !== 'failed'),
    outcomes,
  );
}

/** A second write that changes nothing but to whom the fields belong; what it writes belongs to nobody new. */
async function giveBackFields(
  call: ClusterCall,
  entries: readonly Restoring[],
  outcomes: Outcomes,
): Promise<ClusterResult<undefined>> {
  const live = await getLive(
    call,
    entries.map(({ entry }) => entry.reference),
  );
  if (!live.ok) return live;
  const writes = entries.flatMap(({ entry, before }) => {
    const now = live.value.find(entry.reference);
    if (now === undefined || metadataText(now, 'uid') !== metadataText(before, 'uid')) return [];
    const wanted = entriesAfter(now, before);
    const sets = (list: readonly Json[]): ReadonlyMap<string, Json> =>
      new Map(list.map((one) => [entryKey(one), mapAt(one, 'fieldsV1')]));
    return isDeepStrictEqual(sets(wanted), sets(rawEntries(now)))
      ? []
      : [{ entry, manifest: withEntries(now, wanted) }];
  });
  const written = await replaceObjects(
    call,
    writes.map(({ manifest }) => manifest),
    writes.map(({ entry }) => entry.reference),
  );
  if (!written.ok) return written;
  for (const { entry, manifest } of writes) {
    const key = referenceKey(entry.reference);
    if (written.value.has(key)) continue;
    const outcome = outcomes.get(key);
    if (outcome?.outcome === 'unchanged')
      outcomes.set(key, { ...outcome, outcome: 'restored', uid: metadataText(manifest, 'uid') });
  }
  return success(undefined);
}

async function undoPatches(
  call: ClusterCall,
  record: PushRecord,
  live: LiveObjects,
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const names = [...new Set(record.content.patches.map((patch) => patch.node))];
  const problems = new Map<string, string[]>();
  const patches: NodePatch[] = [];
  for (const patch of record.patchesBefore) {
    const node = live.find(nodeReference(patch.node));
    if (node === undefined) continue;
    const pushed = new Map<string, Json>();
    for (const given of record.content.patches.filter(
      (one) => one.node === patch.node && one.subresource === patch.subresource,
    )) {
      for (const { path, value } of given.operations) if (value !== undefined) pushed.set(path, value);
    }
    const { operations, changedByOthers } = inverseAsOfNow(node, patch.operations, pushed);
    if (changedByOthers.length > 0) {
      const said = `Somebody else has changed ${changedByOthers.join(', ')} since. It was left as it is.`;
      problems.set(patch.node, [...(problems.get(patch.node) ?? []), said]);
    }
    patches.push({ ...patch, operations: [...operations] });
  }
  const done = await patchNodes(call, patches, false);
  if (!done.ok) return done;
  return success(
    names.map((name): ObjectOutcome => {
      const reference = nodeReference(name);
      const uid = metadataText(live.find(reference), 'uid');
      const own = done.value.filter(({ patch }) => patch.node === name);
      const problem = [...(problems.get(name) ?? []), ...own.map((one) => one.problem)]
        .filter((words) => words !== '')
        .join('\n')
        .slice(0, 4000);
      if (problem !== '') return { reference, uid, outcome: 'failed', problem };
      const changed = own.some(({ patch }) => patch.operations.length > 0);
      return { reference, uid, outcome: changed ? 'restored' : 'unchanged', problem: '' };
    }),
  );
}

/**
 * May be repeated: what is back already is found so.
 * @returns an outcome per object: 'deleted', 'restored', 'unchanged' (nothing to do), or 'failed' with why; failures
 * are those of the whole call, and then nothing is told of objects: look again
 */
export async function undoPush(
  call: ClusterCall,
  record: PushRecord,
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const nodes = [...new Set(record.content.patches.map((patch) => patch.node))].map(nodeReference);
  const references = [...record.before.map(({ reference }) => reference), ...nodes, ...keptReferences(record)];
  const live = await getLive(call, references);
  if (!live.ok) return live;
  const unreadable = live.value.problems.filter((words) => !isMissingKind(words));
  const outcomes: Outcomes = new Map();
  const restoring: Restoring[] = [];
  const added: Before[] = [];
  for (const entry of record.before) {
    const { reference } = entry;
    if (unreadable.length > 0 && live.value.find(reference) === undefined) {
      const problem = `It could not be read: ${unreadable.join(' ')}`.slice(0, 4000);
      outcomes.set(referenceKey(reference), { reference, outcome: 'failed', uid: '', problem });
    } else if (entry.manifest === null) added.push(entry);
    else {
      const before = withKeptValues(entry, live.value);
      if (before !== undefined) restoring.push({ entry, before });
      else {
        const problem = `The earlier values are gone: there is no Secret ${entry.keptIn} beside it.`;
        outcomes.set(referenceKey(reference), { reference, outcome: 'failed', uid: '', problem });
      }
    }
  }
  const pushed = new Map(
    prepareObjects(record.content).map(({ reference, manifest }) => [referenceKey(reference), manifest] as const),
  );
  const deleted = await deleteNew(call, added, pushed, live.value, outcomes);
  if (!deleted.ok) return deleted;
  const restored = await restore(call, restoring, outcomes);
  if (!restored.ok) return restored;
  const patches = await undoPatches(call, record, live.value);
  if (!patches.ok) return patches;
  const ofObjects = record.before.map(
    ({ reference }): ObjectOutcome =>
      outcomes.get(referenceKey(reference)) ?? { reference, outcome: 'not-reached', uid: '', problem: '' },
  );
  return success([...ofObjects, ...patches.value]);
}
