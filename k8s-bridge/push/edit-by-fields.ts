/**
 * Edits along a set of fields (FieldsV1): puts back what a set of fields held in an earlier state, takes fields away.
 * Everything outside the set stays as it is, so that what others own is not touched.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../electron/workflows/cluster-ports.ts';
import type { FieldSet } from './field-sets.ts';
import { isList, isMap } from './objects.ts';

/** Nothing there: unlike null, which JSON can hold. */
type Found = Json | undefined;

function isLeaf(fields: FieldSet): boolean {
  return Object.keys(fields).length === 0;
}

function keysMatch(item: Json, keys: Readonly<Record<string, Json>>): boolean {
  return isMap(item) && Object.entries(keys).every(([name, value]) => isDeepStrictEqual(item[name], value));
}

/** Where in a list the segment points; -1 where nothing matches. */
function indexIn(list: readonly Json[], segment: string): number {
  const rest = segment.slice(2);
  if (segment.startsWith('i:')) return Number(rest) < list.length ? Number(rest) : -1;
  const wanted = JSON.parse(rest) as Json;
  if (segment.startsWith('v:')) return list.findIndex((item) => isDeepStrictEqual(item, wanted));
  return isMap(wanted) ? list.findIndex((item) => keysMatch(item, wanted)) : -1;
}

function childOf(value: Found, segment: string): Found {
  if (segment.startsWith('f:')) return isMap(value) ? value[segment.slice(2)] : undefined;
  if (!isList(value)) return undefined;
  const index = indexIn(value, segment);
  return index < 0 ? undefined : value[index];
}

function withChild(value: Found, segment: string, child: Found): Found {
  if (segment.startsWith('f:')) {
    const name = segment.slice(2);
    const { [name]: _, ...rest } = isMap(value) ? value : {};
    // In its place where it was there, so that nothing else moves.
    if (child === undefined) return rest;
    return isMap(value) ? { ...value, [name]: child } : { [name]: child };
  }
  const list = isList(value) ? [...value] : [];
  const index = indexIn(list, segment);
  if (child === undefined) {
    if (index >= 0) list.splice(index, 1);
  } else if (index >= 0) list[index] = child;
  else list.push(child);
  return list;
}

/** A map or list that is empty and was not there before, or not empty before. */
function isEmptied(value: Found): boolean {
  return (isMap(value) && Object.keys(value).length === 0) || (isList(value) && value.length === 0);
}

/**
 * What `fields` name becomes as it was in `before`: changed back, put back, or taken away where there was none.
 * @param fields only of what is to be restored; others' fields are left out by the caller (`without`)
 */
export function restoreFields(now: Found, before: Found, fields: FieldSet): Found {
  if (isLeaf(fields)) return before;
  let value = now;
  for (const [segment, inner] of Object.entries(fields)) {
    if (segment === '.' || !isMap(inner)) continue;
    const earlier = childOf(before, segment);
    const current = childOf(value, segment);
    const restored =
      current === undefined && segment.startsWith('k:') ? earlier : restoreFields(current, earlier, inner);
    if (restored === undefined && current === undefined) continue;
    // A map or list that only held what is gone now goes too, unless it stood there empty.
    const gone =
      restored === undefined || (earlier === undefined && (isEmptied(restored) || onlyKeys(restored, segment)));
    value = withChild(value, segment, gone ? undefined : named(restored, current, segment));
  }
  return value ?? (fields['.'] === undefined ? undefined : before);
}

/** An item that others still hold a part of keeps what tells it from the other items. */
function named(item: Found, current: Found, segment: string): Found {
  if (!segment.startsWith('k:') || !isMap(item) || !isMap(current)) return item;
  const keys = JSON.parse(segment.slice(2)) as Readonly<Record<string, Json>>;
  return { ...keys, ...item };
}

/** An item of which only its keys are left, which `named` would keep, is gone. */
function onlyKeys(item: Found, segment: string): boolean {
  if (!segment.startsWith('k:') || !isMap(item)) return false;
  const keys = JSON.parse(segment.slice(2)) as Readonly<Record<string, Json>>;
  return Object.keys(item).every((name) => name in keys);
}

/** Takes away what `fields` name, and the maps and lists that are empty then. */
export function removeFields(now: Json, fields: FieldSet): Json {
  return restoreFields(now, undefined, fields) ?? {};
}

/** `fields` without what `others` name too: what one manager alone holds. Undefined where nothing is left. */
export function without(fields: FieldSet, others: FieldSet): FieldSet | undefined {
  const left: Record<string, Json> = {};
  for (const [segment, inner] of Object.entries(fields)) {
    const other = others[segment];
    if (!isMap(inner) || !isMap(other)) {
      left[segment] = inner;
      continue;
    }
    // Whoever names the thing or anything in it keeps it there; what is in it is looked at one by one.
    if (Object.keys(inner).length === 0) continue;
    const remaining = without(inner, other);
    if (remaining !== undefined) left[segment] = remaining;
  }
  const isNothing = Object.keys(left).every((key) => key === '.');
  return isNothing ? undefined : left;
}

/** `fields` as far as there is something of that name in the object. */
export function existing(fields: FieldSet, value: Found): FieldSet {
  const left: Record<string, Json> = {};
  for (const [segment, inner] of Object.entries(fields)) {
    if (segment === '.' || !isMap(inner)) {
      left[segment] = inner;
      continue;
    }
    const child = childOf(value, segment);
    if (child !== undefined) left[segment] = existing(inner, child);
  }
  return left;
}
