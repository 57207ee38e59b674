/** JSON patches (RFC 6902) on a document in memory: what one would do, whether it is done, and what undoes it. */
import { isDeepStrictEqual } from 'node:util';
import type { Json, NodePatch } from '../../electron/workflows/cluster-ports.ts';
import { isList, isMap } from './objects.ts';

export type Operation = NodePatch['operations'][number];

/** RFC 6901. */
function segmentsOf(path: string): readonly string[] {
  return path
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function pointerOf(segments: readonly string[]): string {
  return segments.map((segment) => `/${segment.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** What stands at a path; undefined for nothing. */
export function valueAt(document: Json | undefined, path: string): Json | undefined {
  let value: Json | undefined = document;
  for (const segment of segmentsOf(path)) {
    if (isList(value)) value = /^\d+$/u.test(segment) ? value[Number(segment)] : undefined;
    else value = isMap(value) ? value[segment] : undefined;
  }
  return value;
}

/** Sets, inserts (into a list) or takes away at a path whose parent is there. Undefined where it is not. */
function put(document: Json | undefined, segments: readonly string[], op: Operation): Json | undefined {
  const [segment, ...rest] = segments;
  if (segment === undefined) return op.op === 'remove' ? undefined : (op.value ?? null);
  if (isList(document)) {
    const index = segment === '-' ? document.length : Number(segment);
    if (!Number.isInteger(index) || index < 0 || index > document.length) return undefined;
    if (rest.length > 0) {
      const inner = put(document[index], rest, op);
      return inner === undefined ? undefined : document.map((item, at) => (at === index ? inner : item));
    }
    const added = op.op === 'remove' ? [] : [op.value ?? null];
    const taken = op.op === 'add' ? 0 : 1;
    return [...document.slice(0, index), ...added, ...document.slice(index + taken)];
  }
  if (!isMap(document)) return undefined;
  if (rest.length > 0) {
    const inner = put(document[segment], rest, op);
    return inner === undefined ? undefined : { ...document, [segment]: inner };
  }
  if (op.op !== 'remove') return { ...document, [segment]: op.value ?? null };
  const { [segment]: _, ...left } = document;
  return left;
}

/** @returns the document afterwards, undefined where an operation does not apply */
export function applyOperations(document: Json, operations: readonly Operation[]): Json | undefined {
  let value: Json | undefined = document;
  for (const op of operations) {
    if (op.op === 'test') {
      if (!isDeepStrictEqual(valueAt(value, op.path), op.value)) return undefined;
      continue;
    }
    if (op.op !== 'add' && valueAt(value, op.path) === undefined) return undefined;
    value = put(value, segmentsOf(op.path), op);
    if (value === undefined) return undefined;
  }
  return value;
}

function isDone(document: Json | undefined, op: Operation): boolean {
  if (op.op === 'test') return true;
  if (op.op === 'remove') return valueAt(document, op.path) === undefined;
  if (op.path.endsWith('/-')) {
    const list = valueAt(document, op.path.slice(0, -2));
    return isList(list) && list.some((item) => isDeepStrictEqual(item, op.value));
  }
  return isDeepStrictEqual(valueAt(document, op.path), op.value);
}

/** Adding to a map or list that is not there makes it first. */
function withParents(document: Json | undefined, op: Operation): readonly Operation[] {
  if (op.op !== 'add') return [op];
  const segments = segmentsOf(op.path);
  const made: Operation[] = [];
  for (let depth = 1; depth < segments.length; depth += 1) {
    const parent = pointerOf(segments.slice(0, depth));
    if (valueAt(document, parent) !== undefined) continue;
    const isListParent = depth === segments.length - 1 && segments[depth] === '-';
    made.push({ op: 'add', path: parent, value: isListParent ? [] : {} });
  }
  return [...made, op];
}

/** What of a patch is still to be done, so that it may be repeated; nothing where it is in. */
export function pendingOperations(document: Json, operations: readonly Operation[]): readonly Operation[] {
  if (operations.every((op) => isDone(document, op))) return [];
  const pending: Operation[] = [];
  let value: Json | undefined = document;
  for (const op of operations) {
    if (op.op === 'test') {
      pending.push(op);
      continue;
    }
    if (isDone(value, op)) continue;
    const steps = withParents(value, op);
    pending.push(...steps);
    value = value === undefined ? undefined : applyOperations(value, steps);
  }
  return pending;
}

function inverseOf(document: Json, op: Operation): readonly Operation[] {
  if (op.op === 'test') return [];
  const before = valueAt(document, op.path);
  const segments = segmentsOf(op.path);
  const parent = pointerOf(segments.slice(0, -1));
  const list = valueAt(document, parent);
  if (op.op === 'add' && isList(list)) {
    const index = segments.at(-1) === '-' ? list.length : Number(segments.at(-1));
    const path = `${parent}/${index}`;
    return [
      { op: 'test', path, value: op.value ?? null },
      { op: 'remove', path },
    ];
  }
  if (before === undefined) return [{ op: 'remove', path: op.path }];
  return [{ op: op.op === 'remove' ? 'add' : 'replace', path: op.path, value: before }];
}

/** What takes the pending operations back, last one first. Items of lists are tested before they are taken out. */
export function inverseOperations(document: Json, pending: readonly Operation[]): readonly Operation[] {
  let value: Json = document;
  const inverse: Operation[] = [];
  for (const op of pending) {
    inverse.unshift(...inverseOf(value, op));
    const after = applyOperations(value, [op]);
    if (after === undefined) break;
    value = after;
  }
  return inverse;
}

function isEmpty(value: Json | undefined): boolean {
  if (isList(value)) return value.length === 0;
  return !isMap(value) || Object.keys(value).length === 0;
}

/**
 * The inverse for a document that others may have changed since: items of lists are looked up where they stand now,
 * what is gone already is left out, and so is what others have set to something else.
 * @param pushed what the push had set, by path
 */
export function inverseAsOfNow(
  document: Json,
  inverse: readonly Operation[],
  pushed: ReadonlyMap<string, Json>,
): { readonly operations: readonly Operation[]; readonly changedByOthers: readonly string[] } {
  const operations: Operation[] = [];
  const changedByOthers: string[] = [];
  let value: Json = document;
  const take = (steps: readonly Operation[]): void => {
    const after = applyOperations(value, steps);
    if (after === undefined) return;
    operations.push(...steps);
    value = after;
  };
  inverse.forEach((op, index) => {
    if (op.op === 'test') return;
    const test = inverse[index - 1];
    if (op.op === 'remove' && test?.op === 'test' && test.path === op.path) {
      const parent = pointerOf(segmentsOf(op.path).slice(0, -1));
      const list = valueAt(value, parent);
      const at = isList(list) ? list.findIndex((item) => isDeepStrictEqual(item, test.value)) : -1;
      const path = `${parent}/${at}`;
      if (at >= 0)
        take([
          { ...test, path },
          { op: 'remove', path },
        ]);
      return;
    }
    const now = valueAt(value, op.path);
    const isBack = op.op === 'remove' ? now === undefined : isDeepStrictEqual(now, op.value);
    if (isBack) return;
    const set = pushed.get(op.path);
    // A map or list that was only made to hold something stays where others have put something into it.
    if (op.op === 'remove' && set === undefined && !isEmpty(now)) return;
    if (set !== undefined && now !== undefined && !isDeepStrictEqual(now, set)) {
      changedByOthers.push(op.path);
      return;
    }
    take([op.op === 'replace' && now === undefined ? { ...op, op: 'add' } : op]);
  });
  return { operations, changedByOthers };
}
