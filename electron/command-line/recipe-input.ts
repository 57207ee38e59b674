/** Recipes as a person writes them: YAML or JSON, with single fields set from the command line. */
import { readFile, stat } from 'node:fs/promises';
import { parseDocument } from 'yaml';
import { failure, success } from '../workflows/failures.ts';
import type { Read } from './outcome.ts';

const largestFile = 256 * 1024;

type Fields = Record<string, unknown>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** One document as plain data; what is wrong with it otherwise. Aliases are refused: a small file could grow without end. */
function plainData(text: string): { readonly value: unknown } | { readonly problem: string } {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true, strict: true });
  const [error] = document.errors;
  if (error !== undefined) return { problem: error.message.split('\n')[0] ?? '' };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 0 });
    return { value };
  } catch (cause) {
    if (cause instanceof ReferenceError) return { problem: 'aliases are not taken.' };
    throw cause;
  }
}

/** Reads YAML 1.2 or JSON, one document, without tags of its own. @returns plain data */
export function parseRecipe(text: string): Read<Fields> {
  const data = plainData(text);
  if ('problem' in data) {
    return failure(
      'App_BadRequest',
      `The file is no recipe: ${data.problem}`,
      'Write YAML or JSON, beginning with the output of: custodian recipe defaults NAME.',
    );
  }
  const { value } = data;
  return isFields(value)
    ? success(value)
    : failure(
        'App_BadRequest',
        'The file is no recipe: it has no fields.',
        'Begin with the output of: custodian recipe defaults NAME.',
      );
}

/** One `--set device.slotId=2`; the value is read as YAML, so that numbers, true and lists are what they look like. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
}

export function readSetting(text: string): Read<Setting> {
  const equals = text.indexOf('=');
  const path = equals === -1 ? [] : text.slice(0, equals).split('.');
  const wrong = failure(
    'App_BadRequest',
    'A --set is not written as path.to.field=value.',
    'As in: --set device.slotId=2 or --set nodes.0.name=worker-1. For more, write a file.',
  );
  // Names of fields only: what JavaScript itself hangs on objects is none.
  if (path.length === 0 || !path.every((part) => /^(?:[a-z][A-Za-z0-9]{0,40}|\d{1,3})$/u.test(part))) return wrong;
  if (path.some((part) => part in Object.prototype)) return wrong;
  const data = plainData(text.slice(equals + 1));
  return 'problem' in data ? wrong : success({ path, value: data.value ?? '' });
}

/** A copy with the field set. Undefined where the path leads through something that has no fields. */
function withField(at: unknown, path: readonly string[], value: unknown): { readonly value: unknown } | undefined {
  const [part, ...rest] = path;
  if (part === undefined) return { value };
  if (Array.isArray(at)) {
    const list: readonly unknown[] = at;
    const index = Number(part);
    if (!/^\d+$/u.test(part) || index > list.length) return undefined;
    const inner = withField(list[index], rest, value);
    return inner === undefined
      ? undefined
      : { value: [...list.slice(0, index), inner.value, ...list.slice(index + 1)] };
  }
  if (at !== undefined && !isFields(at)) return undefined;
  const inner = withField(at?.[part], rest, value);
  return inner === undefined ? undefined : { value: { ...at, [part]: inner.value } };
}

export function applySettings(input: Fields, settings: readonly Setting[]): Read<Fields> {
  let at: unknown = input;
  for (const { path, value } of settings) {
    const changed = withField(at, path, value);
    if (changed === undefined) {
      return failure(
        'App_BadRequest',
        `--set ${path.join('.')} leads through a field that has none of its own.`,
        'See the fields with: custodian recipe defaults NAME.',
      );
    }
    at = changed.value;
  }
  return isFields(at) ? success(at) : success(input);
}

/** A recipe's file with what `--set` changes in it. */
export async function readRecipe(path: string, settings: readonly string[]): Promise<Read<Fields>> {
  const wanted: Setting[] = [];
  for (const text of settings) {
    const setting = readSetting(text);
    if (!setting.ok) return setting;
    wanted.push(setting.value);
  }
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > largestFile)
      return failure('App_BadRequest', `${path} is too large to be a recipe.`, 'Name the right file.');
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    return failure(
      'App_BadRequest',
      `${path} cannot be read (${code}).`,
      'Name a file that is there and that you may read.',
      { code },
    );
  }
  const parsed = parseRecipe(text);
  return parsed.ok ? applySettings(parsed.value, wanted) : parsed;
}
