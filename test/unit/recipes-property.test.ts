/** Whatever a form accepts, a recipe keeps its structure: same keys, same lists, same shell; only the texts differ. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import type { Json } from '../../electron/workflows/cluster-ports.ts';
import { recipeInputSchema, type RecipeInput } from '../../electron/workflows/recipes/recipes.ts';
import { exportFiles } from '../../k8s-bridge/manifests/export.ts';
import { renderRecipe } from '../../k8s-bridge/manifests/render.ts';
import { toYaml } from '../../k8s-bridge/manifests/yaml-text.ts';
import { recipeVariants } from '../fixtures/recipes.ts';

type Path = readonly (string | number)[];

function textPaths(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value === 'string') return [path];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    textPaths(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
}

function withText(value: unknown, [key, ...rest]: Path, text: string): unknown {
  if (key === undefined) return text;
  if (Array.isArray(value)) return value.map((item: unknown, at) => (at === key ? withText(item, rest, text) : item));
  if (typeof value !== 'object' || value === null) return value;
  return { ...value, [key]: withText((value as Record<string, unknown>)[key], rest, text) };
}

/** Everything but what texts say. */
function shapeOf(value: Json): Json {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return value.map((item: Json) => shapeOf(item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

/** Texts that a reader of YAML, a shell, an option parser, Kubernetes or a template could take for something else. */
const odd = [
  'true',
  'no',
  'on',
  'y',
  'null',
  '~',
  '0x10',
  '0o14',
  '017',
  '1e3',
  '.5',
  '1_000',
  '12:30:00',
  '2001-01-01',
  '=',
  '<<',
  '.inf',
  'a: b',
  'a #b',
  '- a',
  '@x',
  'a:',
  '+1',
  '1.',
  '0',
  '-0',
  'a.b/c',
  'x --y',
  '/a//b',
  '/..',
  '/a/../b',
  '$(A)',
  '${A}',
  '%{a}',
  '{{a}}',
  'a,b',
  '[a]',
  '|',
  '>',
  '!x',
  'é',
  'a\tb',
  ' a',
  'a ',
] as const;

const text = fc.oneof(
  fc.constantFrom(...odd),
  fc.stringMatching(/^[A-Za-z0-9_.][A-Za-z0-9 _.:@/+-]{0,31}$/u),
  fc.stringMatching(/^(\/[A-Za-z0-9._@%+-]{1,12}){1,3}$/u),
  fc.stringMatching(/^[a-z0-9]([a-z0-9.-]{0,12}[a-z0-9])?$/u),
);

/** `/bin/sh -c` texts of a manifest, and the scripts of its ConfigMaps. */
function scriptsOf(value: Json): readonly string[] {
  if (Array.isArray(value)) {
    const [shell, option, script] = value as readonly Json[];
    if (shell === '/bin/sh' && option === '-c' && typeof script === 'string') return [script];
    return value.flatMap((item: Json) => scriptsOf(item));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key.endsWith('.sh') && typeof item === 'string' ? [item] : scriptsOf(item),
  );
}

/** Names that a block of HCL sets, in order; the values are what stands between unescaped quotes. */
function hclShape(hcl: string): readonly string[] {
  return hcl.split('\n').map((line) => {
    if (line.startsWith('#') || line.trim() === '') return '';
    const set = /^ *(?<name>\w+) += (?<value>"(?:[^"\\]|\\.)*"|true|false)$/u.exec(line)?.groups;
    return set === undefined ? line.replace(/^path ".*" \{$/u, 'path {') : (set['name'] ?? '');
  });
}

/** What changes shape on purpose: a kind of device or back-end, or a part that is there or not. */
const choices = new Set([
  'recipe',
  'kind',
  'mechanism',
  'product',
  'program',
  'deployment',
  'platform',
  'taint',
  'login',
]);
const mayBeLeftOut = new Set([
  'storageClass',
  'vaultNamespace',
  'caFile',
  'keyId',
  'hmacKeyLabel',
  'oaepHash',
  'vaultSeal',
]);

test('texts stay texts', () => {
  let accepted = 0;
  const changes = recipeVariants.flatMap(([, input]) =>
    textPaths(input)
      .filter((path) => !choices.has(String(path.at(-1))) && !mayBeLeftOut.has(String(path.at(-1))))
      .map((path) => ({ input, path })),
  );
  const shapes = new Map<RecipeInput, ReturnType<typeof renderRecipe>>();
  fc.assert(
    fc.property(fc.constantFrom(...changes), text, ({ input, path }, value) => {
      const checked = recipeInputSchema.safeParse(withText(input, path, value));
      if (!checked.success) return;
      accepted += 1;
      const base = shapes.get(input) ?? renderRecipe(input);
      shapes.set(input, base);
      const rendered = renderRecipe(checked.data);
      expect(shapeOf(rendered.content as unknown as Json)).toEqual(shapeOf(base.content as unknown as Json));
      expect(scriptsOf(rendered.content as unknown as Json)).toEqual(scriptsOf(base.content as unknown as Json));
      for (const manifest of rendered.content.objects) {
        for (const version of ['1.1', '1.2'] as const) expect(parse(toYaml(manifest), { version })).toEqual(manifest);
      }
      for (const [index, file] of rendered.files.entries()) {
        const before = base.files[index]?.text ?? '';
        if (file.language === 'yaml') {
          const [now, then] = [parse(file.text) as Json, parse(before) as Json];
          expect(shapeOf(now)).toEqual(shapeOf(then));
          expect(parse(file.text, { version: '1.1' })).toEqual(now);
        }
        if (file.language === 'json')
          expect(shapeOf(JSON.parse(file.text) as Json)).toEqual(shapeOf(JSON.parse(before) as Json));
        if (file.language === 'hcl') expect(hclShape(file.text)).toEqual(hclShape(before));
        // Letters, digits and . _ @ % + - : / = are a word to every shell.
        if (file.language === 'shell') {
          expect(file.text.replaceAll(/[\w.@%+:/=-]+/gu, 'w')).toEqual(before.replaceAll(/[\w.@%+:/=-]+/gu, 'w'));
        }
      }
      for (const output of ['manifests', 'helm-values'] as const) {
        for (const { name } of exportFiles(rendered, checked.data, output)) {
          expect(name).toMatch(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/u);
          expect(name.split('/')).not.toContain('..');
        }
      }
    }),
    { numRuns: 250 },
  );
  expect(accepted).toBeGreaterThan(25);
}, 60_000);
