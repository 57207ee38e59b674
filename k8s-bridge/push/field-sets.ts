/**
 * Which fields belong to whom: `metadata.managedFields` (Kubernetes, "Field Management"; the form FieldsV1 of
 * sigs.k8s.io/structured-merge-diff: `f:name`, `k:{"name":"x"}`, `v:value`, `i:index`, and `.` for the thing itself).
 */
import type { Json, Manifest, PreviewObject } from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { isList, isMap, mapAt, textAt } from './objects.ts';

export type FieldConflict = PreviewObject['conflicts'][number];

/** A FieldsV1 tree. */
export type FieldSet = Readonly<Record<string, Json>>;

export interface ManagerEntry {
  readonly manager: string;
  readonly operation: string;
  readonly subresource: string;
  readonly time: string;
  readonly fields: FieldSet;
}

/** FieldsV1 of `metadata.annotations[kubectl.kubernetes.io/last-applied-configuration]`. */
const lastApplied = 'f:kubectl.kubernetes.io/last-applied-configuration';

export function managersOf(manifest: Manifest): readonly ManagerEntry[] {
  const entries = mapAt(manifest, 'metadata')['managedFields'];
  if (!isList(entries)) return [];
  return entries.map((entry) => ({
    manager: textAt(entry, 'manager'),
    operation: textAt(entry, 'operation'),
    subresource: textAt(entry, 'subresource'),
    time: textAt(entry, 'time'),
    fields: mapAt(entry, 'fieldsV1'),
  }));
}

export function isOurs(entry: ManagerEntry): boolean {
  return entry.manager === fieldManager && entry.operation === 'Apply';
}

/** What belongs to us by server-side apply; undefined where nothing does. */
export function findOurFields(manifest: Manifest): FieldSet | undefined {
  return managersOf(manifest).find(isOurs)?.fields;
}

/** A manifest that says nothing but what the object is called: no field of it can belong to anybody. */
function isBare(manifest: Manifest): boolean {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = manifest;
  const named = mapAt({ metadata: metadata ?? {} }, 'metadata');
  return Object.keys(rest).length === 0 && Object.keys(named).every((name) => name === 'name' || name === 'namespace');
}

/**
 * Whether an object is still the one that we made or hold a part of.
 * @param pushed what we pushed of it
 */
export function isStillOurs(live: Manifest, pushed: Manifest | undefined): boolean {
  if (findOurFields(live) !== undefined) return true;
  const holders = managersOf(live).filter((entry) => entry.subresource === '');
  return pushed !== undefined && isBare(pushed) && holders.length === 0;
}

/**
 * Managers from before server-side apply whose fields `kubectl apply --server-side` makes ours after a push: those
 * that wrote the annotation of the client-side `kubectl apply` (k8s.io/client-go, util/csaupgrade).
 */
export function clientSideManagers(manifest: Manifest): readonly ManagerEntry[] {
  return managersOf(manifest).filter(
    (entry) =>
      entry.operation === 'Update' &&
      mapAt(mapAt(entry.fields, 'f:metadata'), 'f:annotations')[lastApplied] !== undefined,
  );
}

/** Fields of either. */
export function unite(left: FieldSet, right: FieldSet): FieldSet {
  const united: Record<string, Json> = { ...left };
  for (const [segment, inner] of Object.entries(right)) {
    const other = united[segment];
    // A leaf is {}: united with a branch, the thing itself stays named by '.'.
    united[segment] = isMap(other) && isMap(inner) ? uniteNodes(other, inner) : inner;
  }
  return united;
}

function uniteNodes(left: FieldSet, right: FieldSet): FieldSet {
  const isLeaf = (node: FieldSet): boolean => Object.keys(node).length === 0;
  if (isLeaf(left) && isLeaf(right)) return {};
  const united = unite(left, right);
  return isLeaf(left) || isLeaf(right) ? { ...united, '.': {} } : united;
}

export function uniteAll(sets: readonly FieldSet[]): FieldSet {
  return sets.reduce<FieldSet>(unite, {});
}

function segmentText(segment: string): string {
  const kind = segment.slice(0, 2);
  const rest = segment.slice(2);
  if (kind === 'f:') return `.${rest}`;
  if (kind === 'v:') return `[=${rest}]`;
  if (kind === 'i:') return `[${rest}]`;
  const keys: unknown = JSON.parse(rest);
  if (typeof keys !== 'object' || keys === null) return `[${rest}]`;
  const parts = Object.entries(keys).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `[${parts.join(',')}]`;
}

/** Paths of everything that the set names, as kubectl writes them: .spec.containers[name="vault"].image */
export function pathsOf(fields: FieldSet, prefix = ''): readonly string[] {
  return Object.entries(fields).flatMap(([segment, inner]) => {
    if (segment === '.') return prefix === '' ? [] : [prefix];
    const path = prefix + segmentText(segment);
    return isMap(inner) && Object.keys(inner).length > 0 ? pathsOf(inner, path) : [path];
  });
}

function sameManager(left: ManagerEntry, right: ManagerEntry): boolean {
  return left.manager === right.manager && left.operation === right.operation && left.subresource === right.subresource;
}

/**
 * Conflicts, from a dry run that took everything over: a field is in conflict where another manager had it before
 * and has it no longer, since managers that want the same value keep it together.
 * @param live as it is now, with its managedFields
 * @param taken the dry run's answer, with its managedFields
 */
export function findConflicts(live: Manifest, taken: Manifest): readonly FieldConflict[] {
  const after = managersOf(taken);
  return managersOf(live)
    .filter((entry) => !isOurs(entry))
    .flatMap((entry) => {
      const kept = new Set(
        after.filter((other) => sameManager(entry, other)).flatMap((other) => pathsOf(other.fields)),
      );
      return pathsOf(entry.fields)
        .filter((field) => !kept.has(field))
        .map((field) => ({ manager: entry.manager, operation: entry.operation, field }));
    });
}
