/** Two states of an object as lines of YAML, and what differs between them. */
import { diffArrays } from 'diff';
import { stringify } from 'yaml';
import type { DiffLine, Json, Manifest } from '../../electron/workflows/cluster-ports.ts';
import { isList, isMap } from './objects.ts';

/** What the server keeps for itself: no push sets it. */
const bookkeeping = ['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation', 'selfLink'];
const bookkeepingAnnotations = [
  // The object as somebody's kubectl applied it: a whole manifest in one line, values of Secrets included.
  'kubectl.kubernetes.io/last-applied-configuration',
  // Counted up with every change.
  'deprecated.daemonset.template.generation',
];

/** An object without its status and what the server keeps for itself. */
export function withoutBookkeeping(manifest: Manifest): Manifest {
  const { status: _, ...rest } = manifest;
  if (!isMap(rest['metadata'])) return rest;
  const metadata: Record<string, Json> = { ...rest['metadata'] };
  for (const name of bookkeeping) Reflect.deleteProperty(metadata, name);
  if (isMap(metadata['annotations'])) {
    const annotations: Record<string, Json> = { ...metadata['annotations'] };
    for (const name of bookkeepingAnnotations) Reflect.deleteProperty(annotations, name);
    if (Object.keys(annotations).length === 0) Reflect.deleteProperty(metadata, 'annotations');
    else metadata['annotations'] = annotations;
  }
  return { ...rest, metadata };
}

const headOrder = ['apiVersion', 'kind', 'metadata'];
const identityOrder = ['name', 'namespace'];

/** Names sorted, but for those that a reader looks for first. */
function sorted(value: Json, first: readonly string[]): Json {
  if (isList(value)) return value.map((item) => sorted(item, identityOrder));
  if (!isMap(value)) return value;
  const place = (name: string): number => (first.includes(name) ? first.indexOf(name) : first.length);
  const names = Object.keys(value).sort((left, right) => place(left) - place(right) || (left < right ? -1 : 1));
  return Object.fromEntries(names.map((name) => [name, sorted(value[name] ?? null, identityOrder)]));
}

/** Lines of YAML, without the server's bookkeeping. Secrets are masked before. */
export function yamlLines(manifest: Manifest): readonly string[] {
  return allYamlLines(withoutBookkeeping(manifest));
}

/** Lines of YAML of all that is there. */
export function allYamlLines(manifest: Manifest): readonly string[] {
  const text = stringify(sorted(manifest, headOrder), {
    lineWidth: 0,
    aliasDuplicateObjects: false,
  });
  return text.replace(/\n$/u, '').split('\n');
}

const contextLines = 3;
const lineLimit = 4000;
/** What is shown of one object; the rest is only counted. */
const linesLimit = 4000;
/** For two very different long texts; then all of one is shown, and all of the other. */
const diffMilliseconds = 2000;

function line(kind: DiffLine['kind'], text: string): DiffLine {
  return { kind, text };
}

/** Lines as long as a screen takes them. */
export function cutLines(lines: readonly DiffLine[]): DiffLine[] {
  return lines.map(({ kind, text }) => ({
    kind,
    text: text.length > lineLimit ? `${text.slice(0, lineLimit - 40)}… (${text.length} characters)` : text,
  }));
}

/** @returns all lines, those that are the same too */
function compare(before: readonly string[], after: readonly string[]): readonly DiffLine[] {
  const parts = diffArrays([...before], [...after], { timeout: diffMilliseconds });
  if (parts === undefined) {
    return [...before.map((text) => line('removed', text)), ...after.map((text) => line('added', text))];
  }
  return parts.flatMap((part) => {
    const kind = part.added ? 'added' : part.removed ? 'removed' : 'same';
    return part.value.map((text) => line(kind, text));
  });
}

/**
 * What differs, with three lines around it, gaps marked.
 * @param before undefined: there was none
 * @returns nothing where both are the same
 */
export function diffLines(before: readonly string[] | undefined, after: readonly string[] | undefined): DiffLine[] {
  const all = compare(before ?? [], after ?? []);
  if (all.every((entry) => entry.kind === 'same')) return [];
  const near = all.map(() => false);
  all.forEach((entry, index) => {
    if (entry.kind === 'same') return;
    const end = Math.min(all.length - 1, index + contextLines);
    for (let at = Math.max(0, index - contextLines); at <= end; at += 1) near[at] = true;
  });
  const shown: DiffLine[] = [];
  let skipped = 0;
  const closeGap = (): void => {
    if (skipped > 0) shown.push({ kind: 'gap', text: `${skipped} lines are the same` });
    skipped = 0;
  };
  all.forEach((entry, index) => {
    if (near[index] !== true) {
      skipped += 1;
      return;
    }
    closeGap();
    shown.push(entry);
  });
  closeGap();
  if (shown.length <= linesLimit) return shown;
  const rest = shown.length - linesLimit;
  return [...shown.slice(0, linesLimit), { kind: 'gap', text: `${rest} more lines are not shown` }];
}
