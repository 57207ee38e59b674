import { join } from 'node:path';
import type { ChannelReply } from '../../contract/channels.ts';
import type { Manifest, ObjectReference, RecipeFile } from '../../workflows/cluster-ports.ts';
import { failure, success } from '../../workflows/failures.ts';
import type { Previews } from '../previews.ts';
import { toObjectNameView } from '../views/push-view.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';
import { saveFile } from './saved-file.ts';

type Rendered = ChannelReply<'recipes.render'>;

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function referenceOf(manifest: Manifest): ObjectReference {
  const metadata: unknown = manifest['metadata'];
  const fields = new Map<string, unknown>(
    typeof metadata === 'object' && metadata !== null ? Object.entries(metadata) : [],
  );
  return {
    apiVersion: textOf(manifest['apiVersion']),
    kind: textOf(manifest['kind']),
    namespace: textOf(fields.get('namespace')),
    name: textOf(fields.get('name')),
  };
}

/** What is applied, as one text; scripts and notes beside it are files of their own. */
function manifestsOf(files: readonly RecipeFile[]): string {
  return files
    .filter((file) => file.language === 'yaml')
    .map((file) => file.text.replace(/^---\n/u, '').trimEnd())
    .join('\n---\n')
    .concat('\n');
}

/** A name that a recipe gave a file, perhaps in a folder of its own: nothing in it leads out of the chosen folder. */
function staysInside(name: string): boolean {
  const parts = name.split('/');
  return parts.length <= 4 && parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,150}$/u.test(part));
}

const notRendered = failure(
  'App_BadRequest',
  'Something in this recipe is not right yet.',
  'Correct the fields that are marked, then do this again.',
);

export type RecipeHandlerParts = Pick<HandlerContext, 'desktop' | 'clusters'> & {
  readonly core: {
    readonly clusters: Pick<HandlerContext['core']['clusters'], 'defaults' | 'export' | 'preview' | 'render'>;
  };
  readonly previews: Previews;
};

export function createRecipeHandlers({ core, desktop, clusters, previews }: RecipeHandlerParts): Group<'recipes'> {
  return {
    async 'recipes.defaults'({ recipe }) {
      return success({ input: core.clusters.defaults(recipe) });
    },
    async 'recipes.render'({ form }) {
      const result = core.clusters.render(form);
      if (!result.ok) {
        const problems = result.problems.map(({ path, message }) => ({ path, message }));
        const nothing: Rendered = {
          problems,
          manifests: '',
          objects: [],
          patches: [],
          files: [],
          notes: [],
          asked: [],
        };
        return success(nothing);
      }
      const { content, files, notes } = result.rendered;
      return success({
        problems: [],
        manifests: manifestsOf(core.clusters.export(result.rendered, result.input, 'manifests')),
        objects: content.objects.map((manifest) => toObjectNameView(referenceOf(manifest))),
        patches: content.patches.map((patch) => patch.summary),
        files: files.map(({ name, language, text, place }) => ({ name, language, text, place })),
        notes: [...notes],
        asked: content.secretSlots.map((slot) => slot.what),
      });
    },
    async 'recipes.preview'({ contextId, form }) {
      const result = core.clusters.render(form);
      if (!result.ok) return notRendered;
      const pin = await clusters.pin(contextId);
      if (!pin.ok) return pin;
      const { content } = result.rendered;
      const preview = await core.clusters.preview(pin.value, content);
      if (!preview.ok) return preview;
      const previewId = previews.keep({ pin: pin.value, recipe: result.input, content, preview: preview.value });
      return success({ previewId, cluster: pin.value, preview: preview.value });
    },
    async 'recipes.save'({ form, output }) {
      const result = core.clusters.render(form);
      if (!result.ok) return notRendered;
      const files = core.clusters.export(result.rendered, result.input, output);
      const folder = await desktop.chooseFolder();
      if (folder === undefined) return success({ folder: '', files: [] });
      for (const file of files) {
        if (!staysInside(file.name)) throw new Error('A recipe named a file that leads elsewhere.');
        const saved = await saveFile(join(folder, file.name), file.text, file.name, folder);
        if (!saved.ok) return saved;
      }
      return success({ folder, files: files.map((file) => file.name) });
    },
    async 'recipes.save-rights'({ previewId }) {
      const kept = previews.find(previewId);
      if (kept === undefined) return notFound('This preview');
      const path = await desktop.chooseSavePath('key-custodian-rights.yaml', 'yaml');
      return path === undefined ? success({ path: '' }) : saveFile(path, kept.preview.rightsManifest, 'The rights');
    },
  };
}
