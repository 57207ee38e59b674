import type { z } from 'zod';

/** What kubectl answered, as the schema says; undefined where it is no JSON or something else. */
export function readJson<Value>(schema: z.ZodType<Value>, output: Buffer): Value | undefined {
  return readJsonText(schema, output.toString('utf8'));
}

/**
 * kubectl writes several objects one after the other, each indented, so that a line which is a lone brace ends one.
 * @returns undefined where one of them is something else
 */
export function readJsonSequence<Value>(schema: z.ZodType<Value>, output: Buffer): readonly Value[] | undefined {
  const values: Value[] = [];
  for (const text of output.toString('utf8').split(/(?<=^\})$/mu)) {
    if (text.trim() === '') continue;
    const value = readJsonText(schema, text);
    if (value === undefined) return undefined;
    values.push(value);
  }
  return values;
}

function readJsonText<Value>(schema: z.ZodType<Value>, text: string): Value | undefined {
  try {
    const parsed = schema.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}
