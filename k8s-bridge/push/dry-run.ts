/**
 * What the server would make of objects, without making it. Everything in one call where all goes well; where
 * something is refused, kubectl answers no object at all, so it is asked again: without what can not be there yet,
 * then by name alone to learn which ones are refused, then for the rest.
 */
import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { readObjects, readOn, splitWords, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { findReference, groupOf } from './objects.ts';

export type DryRun =
  /** As it would be, with its managedFields. */
  | { readonly kind: 'taken'; readonly manifest: Manifest }
  /** What it stands in or is made of comes with this very push. */
  | { readonly kind: 'not-yet'; readonly because: string }
  | { readonly kind: 'refused'; readonly words: string };

export interface DryRuns {
  /** In the order of the objects asked for. */
  readonly results: readonly DryRun[];
  readonly warnings: readonly string[];
}

/**
 * Fields of others are taken over in the dry run, so that a conflict hides nothing else; `findConflicts` tells them.
 * `--validate=ignore`: server-side apply refuses every field that the schema does not declare by itself, and doubled
 * ones do not occur in what is written here; with strict validation kubectl reads the schemas of all kinds first, which
 * takes longer than all the rest. The push itself is validated strictly.
 */
const dryRunArguments = [
  'apply',
  '--server-side',
  '--dry-run=server',
  '--validate=ignore',
  '--force-conflicts',
  `--field-manager=${fieldManager}`,
  '-f',
  '-',
];

/** Objects as JSON, all of them or none. */
async function tryAll(call: ClusterCall, objects: readonly Manifest[]): Promise<ClusterResult<DryRuns | undefined>> {
  if (objects.length === 0) return success({ results: [], warnings: [] });
  const ran = await readOn(call, [...dryRunArguments, '-o', 'json', '--show-managed-fields'], toStream(objects));
  if (!ran.ok) return ran;
  if (ran.value.exitCode !== 0) return success(undefined);
  const read = readObjects(ran.value.output);
  if (!read.ok) return read;
  if (read.value.length !== objects.length) return success(undefined);
  return success({
    results: read.value.map((manifest) => ({ kind: 'taken', manifest })),
    warnings: splitWords(ran.value.errors).warnings,
  });
}

/**
 * Which objects kubectl named on its output, in order: deployment.apps/vault. Two of one kind and name in two
 * namespaces come in the order in which they were asked for.
 * @returns for every object whether it was named
 */
export function matchNames(objects: readonly Manifest[], output: string): readonly boolean[] {
  const lines = output
    .split('\n')
    .map((line) => line.trim().split(' ')[0] ?? '')
    .filter((line) => line !== '');
  let next = 0;
  return objects.map((manifest) => {
    const reference = findReference(manifest);
    if (reference === undefined) return false;
    const group = groupOf(reference.apiVersion);
    const name = `${reference.kind.toLowerCase()}${group === '' ? '' : `.${group}`}/${reference.name}`;
    if (lines[next] !== name) return false;
    next += 1;
    return true;
  });
}

const noMatches = /no matches for kind "([^"]+)" in version "([^"]+)"/u;

/** kubectl tells a kind that it does not know for each object, before all other errors. */
function isUnknownKind(words: string): boolean {
  return noMatches.test(words);
}

/**
 * Gives every failed object its own words. Errors come in the order of the objects, kinds that are not known first;
 * where their numbers differ (a server that went away half way), whoever is named in one gets it, else all.
 */
export function shareOutErrors(failed: readonly Manifest[], errors: readonly string[]): readonly string[] {
  const unknown = errors.filter(isUnknownKind);
  const others = errors.filter((words) => !isUnknownKind(words));
  const ofUnknownKind = failed.map((manifest) =>
    unknown.find((words) => {
      const [, kind, version] = noMatches.exec(words) ?? [];
      return kind === manifest['kind'] && version === manifest['apiVersion'];
    }),
  );
  const rest = failed.filter((_, index) => ofUnknownKind[index] === undefined);
  return failed.map((manifest, index) => {
    const words = ofUnknownKind[index];
    if (words !== undefined) return words;
    if (rest.length === others.length) return others[rest.indexOf(manifest)] ?? '';
    const name = findReference(manifest)?.name ?? '';
    const naming = others.filter((entry) => entry.includes(`"${name}"`) || entry.includes(`/${name};`));
    return (naming.length > 0 ? naming : others).join('\n');
  });
}

async function findRefused(
  call: ClusterCall,
  objects: readonly Manifest[],
): Promise<ClusterResult<readonly (string | undefined)[]>> {
  const ran = await readOn(call, [...dryRunArguments, '-o', 'name'], toStream(objects));
  if (!ran.ok) return ran;
  const named = matchNames(objects, ran.value.output.toString('utf8'));
  if (ran.value.exitCode === 0) return success(objects.map(() => undefined));
  const failed = objects.filter((_, index) => named[index] !== true);
  const words = shareOutErrors(failed, splitWords(ran.value.errors).errors);
  return success(
    objects.map((manifest, index) => {
      if (named[index] === true) return undefined;
      const own = words[failed.indexOf(manifest)] ?? '';
      return own === '' ? 'The server did not take it, and said nothing about it.' : own;
    }),
  );
}

/** Whether the server has something: a namespace, or the definition of a kind. */
export type IsThere = (reference: ObjectReference) => boolean;

/** What an object needs that comes with the same push and is not there yet, in words; '' for nothing. */
function notYet(manifest: Manifest, objects: readonly Manifest[], isThere: IsThere): string {
  const reference = findReference(manifest);
  if (reference === undefined) return '';
  for (const other of objects) {
    const needed = findReference(other);
    if (needed === undefined || isThere(needed)) continue;
    if (needed.kind === 'Namespace' && needed.name === reference.namespace) {
      return `The namespace ${needed.name} comes with this push, so the server could not try this beforehand.`;
    }
    if (needed.kind === 'CustomResourceDefinition' && definesKind(other, reference)) {
      return `The kind ${reference.kind} comes with this push, so the server could not try this beforehand.`;
    }
  }
  return '';
}

/** Whether a CustomResourceDefinition is that of an object's kind. */
export function definesKind(definition: Manifest, reference: ObjectReference): boolean {
  const spec = definition['spec'];
  if (typeof spec !== 'object' || spec === null || Array.isArray(spec)) return false;
  const { group, names } = spec as Readonly<Record<string, unknown>>;
  const kind = typeof names === 'object' && names !== null && 'kind' in names ? names.kind : undefined;
  return group === groupOf(reference.apiVersion) && kind === reference.kind;
}

/**
 * @param isThereLater answered from the live objects, which are read at the same time
 * @returns for every object what the server would make of it; failures are those of the whole call
 */
export async function dryRun(
  call: ClusterCall,
  objects: readonly Manifest[],
  isThereLater: Promise<IsThere>,
): Promise<ClusterResult<DryRuns>> {
  const first = await tryAll(call, objects);
  if (!first.ok) return first;
  if (first.value !== undefined) return success(first.value);
  const isThere = await isThereLater;
  const waiting = objects.map((manifest) => notYet(manifest, objects, isThere));
  const ready = objects.filter((_, index) => waiting[index] === '');
  const ofAll = (taken: DryRuns, refused: ReadonlyMap<Manifest, string>): DryRuns => {
    let next = 0;
    const results = objects.map((manifest, index): DryRun => {
      const because = waiting[index] ?? '';
      if (because !== '') return { kind: 'not-yet', because };
      const words = refused.get(manifest);
      if (words !== undefined) return { kind: 'refused', words };
      next += 1;
      return taken.results[next - 1] ?? { kind: 'refused', words: 'The server said nothing about it.' };
    });
    return { results, warnings: taken.warnings };
  };
  if (ready.length < objects.length) {
    const second = await tryAll(call, ready);
    if (!second.ok) return second;
    if (second.value !== undefined) return success(ofAll(second.value, new Map()));
  }
  const refusals = await findRefused(call, ready);
  if (!refusals.ok) return refusals;
  const refused = new Map<Manifest, string>();
  ready.forEach((manifest, index) => {
    const words = refusals.value[index];
    if (words !== undefined) refused.set(manifest, words);
  });
  const rest = ready.filter((manifest) => !refused.has(manifest));
  const last = await tryAll(call, rest);
  if (!last.ok) return last;
  if (last.value !== undefined) return success(ofAll(last.value, refused));
  // Refused only since a moment ago: the next preview tells.
  for (const manifest of rest) refused.set(manifest, 'The server answered differently a moment apart. Try again.');
  return success(ofAll({ results: [], warnings: [] }, refused));
}
