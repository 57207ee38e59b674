/** What a push would do, from the server's own dry run. Changes nothing, and shows no value of a Secret. */
import { success } from '../../electron/workflows/failures.ts';
import type {
  AccessAnswer,
  AccessNeed,
  DiffLine,
  Manifest,
  NodePatch,
  ObjectReference,
  PreviewObject,
  PushContent,
  PushPreview,
} from '../../electron/workflows/cluster-ports.ts';
import { askWhoIAm } from '../who-am-i.ts';
import { digestOf } from './digest.ts';
import { allYamlLines, cutLines, diffLines, yamlLines } from './diff-lines.ts';
import type { DryRun } from './dry-run.ts';
import { removeFields, without } from './edit-by-fields.ts';
import { clientSideManagers, findConflicts, isStillOurs, managersOf, uniteAll } from './field-sets.ts';
import type { LiveObjects } from './get-live.ts';
import type { ClusterCall, ClusterResult } from './kubectl-call.ts';
import { describeMissingKinds, isMissingKind } from './missing-kinds.ts';
import { nodeReference, patchNodes, patched, pendingPatch, touchedParts } from './node-patches.ts';
import {
  findReference,
  inOrder,
  isMap,
  isSecret,
  mapAt,
  referenceKey,
  referenceText,
  refuseBeforehand,
  textAt,
  withoutStringData,
} from './objects.ts';
import { needsOfPush, reviewRights, rightsManifest } from './rights.ts';
import { createSecretMask, hideValues, maskSecret, type SecretMask } from './secret-mask.ts';
import { slotText, slotsOf, withSlots } from './secret-slots.ts';
import { tryBesideLive } from './try-beside-live.ts';

/** An object of the content, ready for the server, or refused before it is asked. */
interface Prepared {
  readonly reference: ObjectReference;
  readonly manifest: Manifest;
  readonly refusal: string;
}

const nowhere: ObjectReference = { apiVersion: 'v1', kind: 'Unknown', namespace: '', name: 'unnamed' };

/** In the order of the push; what the server need not be asked about is refused here. */
export function prepareObjects(content: PushContent): readonly Prepared[] {
  const seen = new Set<string>();
  return inOrder(content.objects).map((given) => {
    const manifest = withoutStringData(given);
    const reference = findReference(manifest);
    if (reference === undefined) {
      return { reference: nowhere, manifest, refusal: 'An object lacks its apiVersion, kind or name.' };
    }
    const key = referenceKey(reference);
    const refusal = seen.has(key) ? 'The push holds this object twice.' : refuseBeforehand(manifest, reference);
    seen.add(key);
    return { reference, manifest, refusal };
  });
}

function shown(manifest: Manifest, content: PushContent, mask: SecretMask): readonly string[] {
  return yamlLines(withSlots(maskSecret(manifest, mask), content.secretSlots, () => slotText));
}

/**
 * The dry run's answer as it will be in truth: after a push over an object of the client-side `kubectl apply`,
 * kubectl makes that manager's fields ours, so that what the manifest does not name vanishes. A dry run leaves that out.
 */
export function withMigration(live: Manifest, taken: Manifest): Manifest {
  const earlier = clientSideManagers(live).map((entry) => entry.manager);
  if (earlier.length === 0) return taken;
  const isEarlier = (entry: { readonly manager: string; readonly operation: string }): boolean =>
    entry.operation === 'Update' && earlier.includes(entry.manager);
  const after = managersOf(taken);
  const vanishing = without(
    uniteAll(after.filter(isEarlier).map((entry) => entry.fields)),
    uniteAll(after.filter((entry) => !isEarlier(entry)).map((entry) => entry.fields)),
  );
  const left = vanishing === undefined ? taken : removeFields(taken, vanishing);
  return isMap(left) ? left : taken;
}

interface Shown {
  readonly object: PreviewObject;
  /** What the digest is made of: the lines before they are cut to fit a screen. */
  readonly whole: readonly DiffLine[];
}

function previewOf(
  prepared: Prepared,
  result: DryRun | undefined,
  live: Manifest | undefined,
  content: PushContent,
  mask: SecretMask,
): Shown {
  const { reference, manifest } = prepared;
  const base = { reference, diff: [], conflicts: [], ownedByOthers: [], refusal: '' };
  if (prepared.refusal !== '' || result === undefined) {
    return { object: { ...base, change: 'refused', refusal: prepared.refusal }, whole: [] };
  }
  if (result.kind === 'refused') {
    const words = hideValues(result.words, live === undefined ? [manifest] : [manifest, live]).slice(0, 4000);
    return { object: { ...base, change: 'refused', refusal: words }, whole: [] };
  }
  if (result.kind === 'not-yet') {
    const whole = diffLines(undefined, shown(manifest, content, mask));
    return { object: { ...base, change: 'new', diff: cutLines(whole) }, whole };
  }
  if (live === undefined) {
    const whole = diffLines(undefined, shown(result.manifest, content, mask));
    return { object: { ...base, change: 'new', diff: cutLines(whole) }, whole };
  }
  const after = withMigration(live, result.manifest);
  // Before, a slot holds what it holds: masked like any other value.
  const whole = diffLines(yamlLines(maskSecret(live, mask)), shown(after, content, mask));
  const managers = managersOf(live).filter((entry) => entry.subresource !== 'status');
  const others = [...new Set(managers.map((entry) => entry.manager.slice(0, 512)))];
  return {
    object: {
      ...base,
      change: whole.length === 0 ? 'same' : 'changed',
      diff: cutLines(whole),
      conflicts: findConflicts(live, result.manifest)
        .slice(0, 200)
        .map((conflict) => ({
          manager: conflict.manager.slice(0, 512),
          operation: conflict.operation.slice(0, 40),
          field: conflict.field.slice(0, 1024),
        })),
      ownedByOthers: !isStillOurs(live, manifest)
        ? (others.length > 0 ? others : ['nobody who is named']).slice(0, 50)
        : [],
    },
    whole,
  };
}

async function previewPatches(
  call: ClusterCall,
  patches: readonly NodePatch[],
  live: LiveObjects,
): Promise<ClusterResult<readonly Shown[]>> {
  const pending = patches.map((patch) => pendingPatch(patch, live));
  const tried = await patchNodes(
    call,
    pending.filter((patch) => patch !== undefined),
    true,
  );
  if (!tried.ok) return tried;
  return success(
    patches.map((patch, index): Shown => {
      const reference = nodeReference(patch.node);
      const base = { reference, diff: [], conflicts: [], ownedByOthers: [] };
      const left = pending[index];
      const node = live.find(reference);
      const problem =
        left === undefined || node === undefined
          ? `There is no node ${patch.node}, or it may not be read.`
          : (tried.value.find((result) => result.patch === left)?.problem ?? '');
      if (left === undefined || node === undefined || problem !== '') {
        return { object: { ...base, change: 'refused', refusal: problem.slice(0, 4000) }, whole: [] };
      }
      const before = allYamlLines(touchedParts(node, patch.operations));
      const whole = diffLines(before, allYamlLines(touchedParts(patched(node, left.operations), patch.operations)));
      const change = whole.length === 0 ? 'same' : 'changed';
      return { object: { ...base, change, diff: cutLines(whole), refusal: '' }, whole };
    }),
  );
}

/** Tags of masked values are made anew for each preview. */
function withoutTags(lines: readonly DiffLine[]): readonly string[] {
  return lines.map(({ kind, text }) => `${kind} ${text.replace(/(\(hidden: \d+ bytes?), [0-9a-f]{8}\)/gu, '$1)')}`);
}

function warningsFor(
  objects: readonly Prepared[],
  results: readonly (DryRun | undefined)[],
  live: LiveObjects,
  said: readonly string[],
): string[] {
  const warnings = [...said];
  objects.forEach(({ reference }, index) => {
    const result = results[index];
    if (result?.kind === 'not-yet') warnings.push(`${referenceText(reference)}: ${result.because}`);
    const before = live.find(reference);
    if (before !== undefined && clientSideManagers(before).length > 0) {
      warnings.push(
        `${referenceText(reference)} was made with kubectl apply. A push takes that over: what was applied then and is not named now goes.`,
      );
    }
    if (textAt(mapAt(before, 'metadata'), 'deletionTimestamp') !== '') {
      warnings.push(`${referenceText(reference)} is being deleted.`);
    }
  });
  return [...new Set(warnings)].slice(0, 100).map((text) => text.slice(0, 2000));
}

/**
 * Rights that the server has not shown by itself: a dry run that went through was allowed like the push. Where
 * something was forbidden all are asked for, so that one look tells all that is missing.
 */
function needsToAsk(
  sent: readonly Prepared[],
  results: readonly DryRun[],
  live: LiveObjects,
  patches: readonly Shown[],
  content: PushContent,
): readonly AccessNeed[] {
  const said = [
    ...live.problems,
    ...results.map((result) => (result.kind === 'refused' ? result.words : '')),
    ...patches.map(({ object }) => object.refusal),
  ];
  if (said.some((words) => words.includes('(Forbidden)'))) {
    return needsOfPush(
      sent.map(({ reference }) => reference),
      content.patches,
    );
  }
  const untried = sent.filter((_, index) => results[index]?.kind === 'not-yet');
  return needsOfPush(
    untried.map(({ reference }) => reference),
    [],
  );
}

/**
 * @returns failures of the whole: the cluster was not reached, or not as who we are. What is wrong with one object
 * stands in its preview.
 */
export async function previewPush(call: ClusterCall, content: PushContent): Promise<ClusterResult<PushPreview>> {
  const mask = createSecretMask();
  const objects = prepareObjects(content);
  const sent = objects.filter(({ refusal }) => refusal === '');
  const nodes = [...new Set(content.patches.map((patch) => patch.node))].map(nodeReference);
  const seen = await tryBesideLive(
    call,
    [...sent.map(({ reference }) => reference), ...nodes],
    sent.map(({ manifest }) => manifest),
    content.secretSlots,
  );
  if (!seen.ok) return seen;
  const { live, tried } = seen.value;
  const patches = await previewPatches(call, content.patches, live);
  if (!patches.ok) return patches;
  const rights = await reviewRights(call, needsToAsk(sent, tried.results, live, patches.value, content));
  if (!rights.ok) return rights;
  const results = objects.map((prepared) => tried.results[sent.indexOf(prepared)]);
  const shownObjects = objects.map((prepared, index) =>
    previewOf(prepared, results[index], live.find(prepared.reference), content, mask),
  );
  const all = [...shownObjects, ...patches.value];
  const missingRights = rights.value.filter((answer) => !answer.allowed);
  const unknownKinds = objects.filter((_, index) => {
    const result = results[index];
    return result?.kind === 'refused' && isMissingKind(result.words);
  });
  const digest = digestOf({
    objects: all.map(({ object, whole }, index) => ({
      reference: object.reference,
      change: object.change,
      lines: withoutTags(whole),
      conflicts: object.conflicts,
      ownedByOthers: object.ownedByOthers,
      refusal: object.refusal,
      // Whether a hidden value is still the one that was compared.
      version: index < objects.length ? versionOfSecret(live.find(object.reference)) : '',
    })),
    slots: objects.flatMap(({ manifest }) => slotsOf(manifest, content.secretSlots)),
    patches: content.patches,
  });
  return success({
    objects: all.map(({ object }) => object),
    sha256: digest,
    missingRights,
    rightsManifest: await grantingRules(call, missingRights),
    missingKinds: [...describeMissingKinds(unknownKinds.map(({ reference }) => reference))],
    warnings: warningsFor(objects, results, live, tried.warnings),
  });
}

/** The rules that grant what is missing, to whom the server sees; one who may not even ask that binds them by hand. */
async function grantingRules(call: ClusterCall, missing: readonly AccessAnswer[]): Promise<string> {
  if (missing.length === 0) return '';
  const seenAs = await askWhoIAm(call.kubectl, call.pin, call.allowed);
  const needs = missing.map(({ need }) => need);
  return rightsManifest(needs, seenAs.ok ? seenAs.value : '');
}

/** Changes with every write, for Secrets only: nothing else of them is written by itself. */
function versionOfSecret(live: Manifest | undefined): string {
  return live !== undefined && isSecret(live) ? textAt(mapAt(live, 'metadata'), 'resourceVersion') : '';
}
