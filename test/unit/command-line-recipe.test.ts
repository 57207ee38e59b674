import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { toSecretShape } from '../../electron/command-line/cluster-options.ts';
import { exitCodes } from '../../electron/command-line/exit-codes.ts';
import { driftText, obstacleOf, previewText } from '../../electron/command-line/preview-text.ts';
import { applySettings, parseRecipe, readRecipe, readSetting } from '../../electron/command-line/recipe-input.ts';
import { writeRecipeFiles } from '../../electron/command-line/recipe-files.ts';
import { judgeDrift } from '../../electron/command-line/recipe-run-commands.ts';
import { createStyle } from '../../electron/command-line/style.ts';
import type { Drift, PushPreview, RecipeFile } from '../../electron/workflows/cluster-ports.ts';

const plain = createStyle(false);
const configMap = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'vault', name: 'softhsm' };

describe('a recipe as it is written', () => {
  it('is read as YAML and as JSON alike', () => {
    const wanted = { ok: true, value: { recipe: 'bank-vaults', size: 3, device: { kind: 'softhsm' } } };
    expect(parseRecipe('recipe: bank-vaults\nsize: 3\ndevice: { kind: softhsm }\n')).toEqual(wanted);
    expect(parseRecipe('{"recipe":"bank-vaults","size":3,"device":{"kind":"softhsm"}}')).toEqual(wanted);
  });

  it.each([
    ['not YAML', 'a: [1'],
    ['a key twice', 'size: 1\nsize: 2'],
    ['two documents', 'a: 1\n---\nb: 2'],
    ['a list', '- a'],
    ['text alone', 'bank-vaults'],
    ['nothing', ''],
    ['a bomb of aliases', 'a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]'],
  ])('is refused where it is %s', (_, text) => {
    expect(parseRecipe(text)).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
  });

  it('has single fields set from the command line, read as YAML', () => {
    const set = (texts: readonly string[]) =>
      applySettings(
        { device: { kind: 'nitrokey', slotId: 0 }, nodes: [{ name: 'a' }] },
        texts.map((text) => {
          const setting = readSetting(text);
          if (!setting.ok) throw new Error(setting.error.message);
          return setting.value;
        }),
      );
    expect(set(['device.slotId=2', 'nodes.0.devices=1', 'nodes.1={name: b}', 'label=true', 'keyLabel=a=b'])).toEqual({
      ok: true,
      value: {
        device: { kind: 'nitrokey', slotId: 2 },
        nodes: [{ name: 'a', devices: 1 }, { name: 'b' }],
        label: true,
        keyLabel: 'a=b',
      },
    });
    expect(set(['device.kind.x=1'])).toMatchObject({ ok: false });
    expect(set(['nodes.7.name=x'])).toMatchObject({ ok: false });
  });

  it.each(['', 'size', '=3', '__proto__.x=1', 'constructor.name=1', 'a..b=1', 'a b=1', 'toString=1', 'size=[1'])(
    'refuses --set “%s”',
    (text) => {
      expect(readSetting(text)).toMatchObject({ ok: false, error: { code: 'App_BadRequest' } });
    },
  );

  it('says what is wrong with a file that cannot be read', async () => {
    expect(await readRecipe('/nowhere/recipe.yaml', [])).toMatchObject({
      ok: false,
      error: { code: 'App_BadRequest', details: { code: 'ENOENT' } },
    });
  });
});

describe('files for git', () => {
  const file = (name: string, text: string): RecipeFile => ({ name, language: 'yaml', text, place: '' });

  it('are written once, left alone where they are the same, and replaced only on demand', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'custodian-recipe-'));
    try {
      const files = [file('README.md', 'a\n'), file('manifests/01-x.yaml', 'b\n')];
      expect(await writeRecipeFiles(directory, files, false)).toMatchObject({
        ok: true,
        value: [{ state: 'written' }, { state: 'written' }],
      });
      expect(await writeRecipeFiles(directory, files, false)).toMatchObject({
        value: [{ state: 'unchanged' }, { state: 'unchanged' }],
      });
      const changed = [file('new.yaml', 'n\n'), file('manifests/01-x.yaml', 'c\n')];
      expect(await writeRecipeFiles(directory, changed, false)).toMatchObject({
        ok: false,
        error: { code: 'App_BadRequest' },
      });
      expect(await readFile(join(directory, 'manifests/01-x.yaml'), 'utf8')).toBe('b\n');
      await expect(readFile(join(directory, 'new.yaml'))).rejects.toThrow('ENOENT');
      expect(await writeRecipeFiles(directory, changed, true)).toMatchObject({ ok: true });
      expect(await readFile(join(directory, 'manifests/01-x.yaml'), 'utf8')).toBe('c\n');
      await expect(writeRecipeFiles(directory, [file('../out.yaml', '')], true)).rejects.toThrow('leads elsewhere');
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

const preview = (changes: Partial<PushPreview>): PushPreview => ({
  objects: [],
  sha256: 'a'.repeat(64),
  missingRights: [],
  rightsManifest: '',
  missingKinds: [],
  warnings: [],
  ...changes,
});
const object = (changes: Partial<PushPreview['objects'][number]>): PushPreview['objects'][number] => ({
  reference: configMap,
  change: 'changed',
  diff: [],
  conflicts: [],
  ownedByOthers: [],
  refusal: '',
  ...changes,
});

describe('a preview on a terminal', () => {
  it('names each object, draws its difference and makes what a server says safe to print', () => {
    const text = previewText(
      preview({
        objects: [
          object({
            diff: [
              { kind: 'same', text: 'data:' },
              { kind: 'removed', text: '  a: "1"' },
              { kind: 'added', text: '  a: "2\u001b[2J"' },
              { kind: 'gap', text: '' },
            ],
            conflicts: [{ manager: 'kubectl\u0007', operation: 'Update', field: '.data.a' }],
          }),
        ],
      }),
      plain,
    );
    expect(text).toContain('ConfigMap vault/softhsm  changed\n');
    expect(text).toContain('    -   a: "1"\n    +   a: "2\ufffd[2J"\n');
    expect(text).toContain('conflict: .data.a was set by kubectl\ufffd (Update)');
    expect(text).toContain('0 new, 1 changed, 0 as they are, 0 refused');
    expect(text).not.toMatch(/[\u0007\u001b]/u);
  });

  it('tells what stands in the way, the worst first', () => {
    const need = { verb: 'patch', group: '', resource: 'secrets', subresource: '', namespace: 'a', name: '' } as const;
    const conflicts = [{ manager: 'kubectl', operation: 'Update', field: '.data.a' }];
    expect(obstacleOf(preview({ objects: [object({})] }), false)).toBeUndefined();
    expect(obstacleOf(preview({ missingKinds: [{ kind: 'Vault', install: 'x' }] }), false)?.code).toBe(
      'Cluster_KindMissing',
    );
    expect(obstacleOf(preview({ missingRights: [{ need, allowed: false, reason: '' }] }), false)?.code).toBe(
      'Cluster_RightsMissing',
    );
    expect(obstacleOf(preview({ objects: [object({ change: 'refused', refusal: 'no' })] }), true)?.code).toBe(
      'Cluster_AdmissionRefused',
    );
    expect(obstacleOf(preview({ objects: [object({ conflicts })] }), false)?.code).toBe('Cluster_Conflict');
    expect(obstacleOf(preview({ objects: [object({ conflicts })] }), true)).toBeUndefined();
    const foreign = preview({ objects: [object({ ownedByOthers: ['helm'] })] });
    expect(obstacleOf(foreign, false)?.code).toBe('Cluster_OwnedByOthers');
    expect(obstacleOf(foreign, true)).toBeUndefined();
  });
});

describe('a verification', () => {
  const checked = (states: readonly Drift['state'][]) => ({
    run: 'run-1',
    context: 'prod',
    server: 'https://127.0.0.1:6443',
    recipe: 'softhsm-cluster',
    result: {
      ok: true as const,
      value: states.map((state): Drift => ({ reference: configMap, state, diff: [], changedBy: ['kubectl-edit'] })),
    },
  });

  it('ends with 0 only where everything is as it was pushed', () => {
    expect(judgeDrift([checked(['same', 'same'])], '').kind).toBe('done');
    expect(judgeDrift([], '').kind).toBe('done');
    for (const state of ['changed', 'missing', 'unknown'] as const) {
      expect(judgeDrift([checked(['same', state])], '')).toMatchObject({
        kind: 'failed',
        exitCode: exitCodes.failure,
        error: { code: 'Cluster_Drifted' },
      });
    }
    expect(driftText(checked(['missing']).result.value, plain)).toBe(
      'ConfigMap vault/softhsm  MISSING\n  by kubectl-edit',
    );
  });
});

describe('the name of a Secret', () => {
  it('is NAMESPACE/NAME, as Kubernetes takes names', () => {
    expect(toSecretShape.toSecret.parse('vault/vault-unseal-keys')).toEqual({
      namespace: 'vault',
      name: 'vault-unseal-keys',
    });
    for (const text of ['vault', 'vault/', '/x', 'a/b/c', 'Vault/x', 'vault/--flag', 'vault/a b', 'vault/$(id)'])
      expect(toSecretShape.toSecret.safeParse(text).success).toBe(false);
  });
});
