/** A recipe's form as it is being filled in: JSON of any shape, read and changed by dotted paths. Pure. */
import type { ChannelRequest } from '../../../electron/contract/channels.ts';

export type RecipeForm = ChannelRequest<'recipes.render'>['form'];
export type FormValue = RecipeForm[string];

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

const isRecord = (value: unknown): value is Readonly<Record<string, FormValue>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param path dotted, such as 'device.kind' */
export function valueAt(form: RecipeForm, path: string): FormValue | undefined {
  let value: FormValue | undefined = form;
  for (const part of path.split('.')) value = isRecord(value) ? value[part] : undefined;
  return value;
}

export function textAt(form: RecipeForm, path: string): string {
  const value = valueAt(form, path);
  return typeof value === 'string' ? value : '';
}

export function numberAt(form: RecipeForm, path: string): number {
  const value = valueAt(form, path);
  return typeof value === 'number' ? value : 0;
}

export function isOn(form: RecipeForm, path: string): boolean {
  return valueAt(form, path) === true;
}

function changed(value: FormValue | undefined, parts: readonly string[], to: FormValue): FormValue {
  const [first, ...rest] = parts;
  if (first === undefined) return to;
  const record = isRecord(value) ? value : {};
  return { ...record, [first]: changed(record[first], rest, to) };
}

export function withValue(form: RecipeForm, path: string, to: FormValue): RecipeForm {
  const [first = '', ...rest] = path.split('.');
  return { ...form, [first]: changed(form[first], rest, to) };
}

/** Replaces the object around a choice by what that choice needs. @param path of the choice, such as 'device.kind' */
export function withVariant(
  form: RecipeForm,
  path: string,
  value: string,
  fields: Readonly<Record<string, unknown>>,
): RecipeForm {
  const parts = path.split('.');
  const name = parts.at(-1) ?? '';
  const around = parts.slice(0, -1).join('.');
  // Fields of a variant are written down in the form's own data: strings, numbers and objects of them.
  return withValue(form, around, JSON.parse(JSON.stringify({ [name]: value, ...fields })) as FormValue);
}

/** What is wrong with a field, or with something in it. */
export function problemAt(problems: readonly FieldProblem[], path: string): string | undefined {
  return problems.find((problem) => problem.path === path || problem.path.startsWith(`${path}.`))?.message;
}
