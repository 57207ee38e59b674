/** Server-side apply of a whole push, with the values that were typed for it; repeatable, and honest when it is cut off. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Opener } from '../../electron/hosts/opener.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import type {
  Manifest,
  ObjectOutcome,
  ObjectReference,
  PushRecord,
  SealedSlotValue,
  SecretValueSlot,
} from '../../electron/workflows/cluster-ports.ts';
import { fieldManager, secretSlotPurpose } from '../protocol.ts';
import { matchNames, shareOutErrors } from './dry-run.ts';
import { isStillOurs, managersOf } from './field-sets.ts';
import { fillSlots, newMarker, toBase64Bytes, type Filling } from './fill-slots.ts';
import { getLive, type LiveObjects } from './get-live.ts';
import {
  readObjects,
  readOn,
  runOn,
  splitWords,
  toStream,
  type ClusterCall,
  type ClusterResult,
} from './kubectl-call.ts';
import { lookAtPush } from './look.ts';
import { nodeReference, patchNodes, pendingPatch } from './node-patches.ts';
import { mapAt, referenceKey, stubOf, textAt, isList } from './objects.ts';
import { prepareObjects } from './preview.ts';
import { slotsOf, withSlots } from './secret-slots.ts';

interface ToApply {
  readonly reference: ObjectReference;
  readonly manifest: Manifest;
}

function slotKey(slot: Pick<SecretValueSlot, 'reference' | 'key'>): string {
  return `${referenceKey(slot.reference)} ${slot.key}`;
}

/** The values in base64, by slot. Wiped by `wipe`. */
class OpenedValues {
  readonly #values = new Map<string, { readonly plain: Buffer; readonly encoded: Buffer }>();

  /** @returns false for an envelope that is not for this slot */
  open(opener: Opener, value: SealedSlotValue): boolean {
    const plain = opener.open(value.sealed, secretSlotPurpose(value.reference, value.key));
    if (plain === undefined) return false;
    this.#values.set(slotKey(value), { plain, encoded: toBase64Bytes(plain) });
    return true;
  }

  find(slot: SecretValueSlot): Buffer | undefined {
    return this.#values.get(slotKey(slot))?.encoded;
  }

  /** What the server says is not passed on where it repeats a value. */
  hide(words: string): string {
    const said = Buffer.from(words, 'utf8');
    for (const { plain, encoded } of this.#values.values()) {
      if (said.includes(encoded) || (plain.length >= 3 && said.includes(plain))) {
        return 'The server refused it. What it said repeats a secret value and is not shown.';
      }
    }
    return words;
  }

  wipe(): void {
    for (const { plain, encoded } of this.#values.values()) {
      plain.fill(0);
      encoded.fill(0);
    }
    this.#values.clear();
  }
}

/** One call with all objects. */
async function applyAll(
  call: ClusterCall,
  objects: readonly ToApply[],
  slots: readonly SecretValueSlot[],
  values: OpenedValues,
  takeOverConflicts: boolean,
): Promise<ClusterResult<ReadonlyMap<string, string>>> {
  if (objects.length === 0) return success(new Map());
  const fillings: Filling[] = [];
  const manifests = objects.map(({ manifest }) =>
    withSlots(manifest, slots, (slot) => {
      const marker = newMarker();
      fillings.push({ marker, bytes: values.find(slot) ?? Buffer.alloc(0) });
      return marker;
    }),
  );
  const text = manifests.map((manifest) => JSON.stringify(manifest)).join('\n');
  const ran = await runOn(
    call,
    [
      'apply',
      '--server-side',
      '--validate=strict',
      `--field-manager=${fieldManager}`,
      ...(takeOverConflicts ? ['--force-conflicts'] : []),
      '-f',
      '-',
      '-o',
      'name',
    ],
    fillSlots(text, fillings),
  );
  if (!ran.ok) return ran;
  const problems = new Map<string, string>();
  if (ran.value.exitCode === 0) return success(problems);
  const named = matchNames(
    objects.map(({ manifest }) => manifest),
    ran.value.output.toString('utf8'),
  );
  const failed = objects.filter((_, index) => named[index] !== true);
  const words = shareOutErrors(
    failed.map(({ manifest }) => manifest),
    splitWords(ran.value.errors).errors,
  );
  failed.forEach(({ reference }, index) => {
    const own = words[index] ?? '';
    const said = own === '' ? 'The server did not take it, and said nothing about it.' : own;
    problems.set(referenceKey(reference), values.hide(said).slice(0, 4000));
  });
  return success(problems);
}

const establishAttempts = 40;
const establishPause = 250;

/** A kind is served a moment after its definition went in. */
async function waitForKinds(call: ClusterCall, definitions: readonly ObjectReference[]): Promise<void> {
  for (let attempt = 0; attempt < establishAttempts; attempt += 1) {
    const read = await readOn(
      call,
      ['get', '-f', '-', '-o', 'json', '--ignore-not-found'],
      toStream(definitions.map(stubOf)),
    );
    if (!read.ok) return;
    const objects = readObjects(read.value.output);
    const established =
      objects.ok &&
      objects.value.filter((definition) => {
        const conditions = mapAt(definition, 'status')['conditions'];
        return (
          isList(conditions) &&
          conditions.some((one) => textAt(one, 'type') === 'Established' && textAt(one, 'status') === 'True')
        );
      }).length;
    if (established === definitions.length) return;
    await wait(establishPause);
  }
}

function metadataText(manifest: Manifest | undefined, name: string): string {
  return textAt(mapAt(manifest, 'metadata'), name);
}

/** Made by somebody since the push was prepared, when there was none. */
function isForeign(record: PushRecord, { reference, manifest }: ToApply, live: Manifest | undefined): boolean {
  const before = record.before.find((entry) => referenceKey(entry.reference) === referenceKey(reference));
  return before !== undefined && before.manifest === null && live !== undefined && !isStillOurs(live, manifest);
}

async function applyPatches(
  call: ClusterCall,
  record: PushRecord,
  live: LiveObjects,
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const pending = record.content.patches.map((patch) => pendingPatch(patch, live));
  const done = await patchNodes(
    call,
    pending.filter((patch) => patch !== undefined),
    false,
  );
  if (!done.ok) return done;
  const nodes = [...new Set(record.content.patches.map((patch) => patch.node))];
  return success(
    nodes.map((name): ObjectOutcome => {
      const reference = nodeReference(name);
      const uid = metadataText(live.find(reference), 'uid');
      if (uid === '')
        return { reference, uid, outcome: 'failed', problem: `There is no node ${name}, or it may not be read.` };
      const own = done.value.filter(({ patch }) => patch.node === name);
      const problem = own
        .map((result) => result.problem)
        .filter((words) => words !== '')
        .join('\n')
        .slice(0, 4000);
      if (problem !== '') return { reference, uid, outcome: 'failed', problem };
      const changed = own.some(({ patch }) => patch.operations.length > 0);
      return { reference, uid, outcome: changed ? 'changed' : 'unchanged', problem: '' };
    }),
  );
}

/**
 * Applies what a record holds.
 * @param secrets sealed for `secretSlotPurpose`. A Secret whose slots were not all given is left as it is where it
 * has them, so that a push can go on without typing again what is in already.
 * @returns an outcome per object, also where some failed or kubectl was ended; Cluster_ValueInvalid for an envelope
 * that was made for something else; failures of the cluster where not even a look is possible
 */
export async function applyPush(
  call: ClusterCall,
  opener: Opener,
  record: PushRecord,
  options: { readonly takeOverConflicts: boolean; readonly secrets: readonly SealedSlotValue[] },
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const values = new OpenedValues();
  try {
    for (const secret of options.secrets) {
      if (values.open(opener, secret)) continue;
      return failure(
        'Cluster_ValueInvalid',
        `A value was not sealed for key ${secret.key} of Secret ${secret.reference.namespace}/${secret.reference.name}.`,
        'Nothing was pushed. Type it again.',
      );
    }
    return await applyRecord(call, record, values, options.takeOverConflicts);
  } finally {
    values.wipe();
  }
}

async function applyRecord(
  call: ClusterCall,
  record: PushRecord,
  values: OpenedValues,
  takeOverConflicts: boolean,
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const { content } = record;
  const objects = prepareObjects(content);
  const nodes = [...new Set(content.patches.map((patch) => patch.node))].map(nodeReference);
  const references = [...objects.map(({ reference }) => reference), ...nodes];
  const before = await getLive(call, references);
  if (!before.ok) return before;
  const problems = new Map<string, string>();
  const leftAlone = new Set<string>();
  const toApply: ToApply[] = [];
  for (const { reference, manifest, refusal } of objects) {
    const key = referenceKey(reference);
    const live = before.value.find(reference);
    const missing = slotsOf(manifest, content.secretSlots).filter((slot) => values.find(slot) === undefined);
    if (refusal !== '') problems.set(key, refusal);
    else if (isForeign(record, { reference, manifest }, live)) {
      const makers = [...new Set(managersOf(live ?? {}).map(({ manager }) => manager))].join(', ');
      problems.set(key, `It was made since the preview, by ${makers || 'somebody else'}. It was left as it is.`);
    } else if (missing.length > 0) {
      const has = missing.every((slot) => mapAt(live, 'data')[slot.key] !== undefined);
      if (has) leftAlone.add(key);
      else problems.set(key, `No value was given for ${missing.map((slot) => slot.key).join(', ')}.`);
    } else toApply.push({ reference, manifest });
  }
  const definitions = toApply.filter(
    ({ reference }) => reference.kind === 'CustomResourceDefinition' && before.value.find(reference) === undefined,
  );
  const first = definitions.length === 0 ? toApply : toApply.filter(({ reference }) => isGround(reference));
  const second = toApply.filter((object) => !first.includes(object));
  for (const wave of [first, second]) {
    if (wave.length === 0) continue;
    const applied = await applyAll(call, wave, content.secretSlots, values, takeOverConflicts);
    if (!applied.ok) return lookAfter(call, record, applied);
    for (const [key, words] of applied.value) problems.set(key, words);
    if (second.length > 0 && wave === first) {
      await waitForKinds(
        call,
        definitions.map(({ reference }) => reference),
      );
    }
  }
  const patched = await applyPatches(call, record, before.value);
  if (!patched.ok) return lookAfter(call, record, patched);
  const after = await getLive(call, references);
  if (!after.ok) return after;
  return success([
    ...objects.map(({ reference }): ObjectOutcome => {
      const key = referenceKey(reference);
      const [was, is] = [before.value.find(reference), after.value.find(reference)];
      const problem = problems.get(key) ?? '';
      const base = { reference, uid: metadataText(is, 'uid'), problem };
      if (problem !== '') return { ...base, outcome: 'failed' };
      if (leftAlone.has(key)) return { ...base, outcome: 'unchanged' };
      if (is === undefined)
        return { ...base, outcome: 'failed', problem: 'It is not there after it was applied, or may not be read.' };
      if (was === undefined) return { ...base, outcome: 'created' };
      const same = metadataText(was, 'resourceVersion') === metadataText(is, 'resourceVersion');
      return { ...base, outcome: same ? 'unchanged' : 'changed' };
    }),
    ...patched.value,
  ]);
}

/** What other objects stand on. */
function isGround(reference: ObjectReference): boolean {
  return reference.kind === 'CustomResourceDefinition' || reference.kind === 'Namespace';
}

/** kubectl was ended or the cluster went away half way: what is in is seen by looking; if that fails too, why it ended. */
async function lookAfter(
  call: ClusterCall,
  record: PushRecord,
  ended: ClusterResult<unknown> & { readonly ok: false },
): Promise<ClusterResult<readonly ObjectOutcome[]>> {
  const looked = await lookAtPush(call, record);
  if (!looked.ok) return ended;
  const isWhole = looked.value.every(({ outcome }) => outcome !== 'not-reached' && outcome !== 'failed');
  if (isWhole) return looked;
  return success(
    looked.value.map((outcome) =>
      outcome.outcome === 'not-reached' ? { ...outcome, problem: ended.error.message.slice(0, 4000) } : outcome,
    ),
  );
}
