/**
 * The channels of clusters, recipes and pushes. A window names a context, a part of a kubeconfig, a preview or a run
 * by an id that main gave it; a path, a server or what is to be pushed never comes from a window.
 */
import { z } from 'zod';
import { accessAnswerSchema, clusterPinSchema, jsonSchema, pushPreviewSchema } from '../workflows/cluster-ports.ts';
import { recipeInputSchema, recipeNameSchema } from '../workflows/recipes/recipes.ts';
import { objectNameViewSchema } from './cluster-views.ts';

const nothing = z.strictObject({});
const id = z.string().min(1).max(80);

/** A recipe's form as it stands while one types: what is wrong with it is answered, field by field. */
export const recipeFormSchema = z.object({ recipe: recipeNameSchema }).catchall(jsonSchema);

const recipeFileViewSchema = z.strictObject({
  name: z.string(),
  language: z.enum(['yaml', 'json', 'hcl', 'shell', 'text']),
  text: z.string(),
  place: z.string(),
});

export const clusterChannels = {
  /** Looks for kubectl and lists the contexts of every kubeconfig anew. Contacts no cluster. */
  'clusters.refresh': { request: nothing, reply: nothing },
  /** Reaches one cluster; how it went is in the view. */
  'clusters.probe': { request: z.strictObject({ contextId: id }), reply: nothing },
  /** Remembers that a program or file that main listed may be used, as it is now. */
  'clusters.allow': { request: z.strictObject({ contextId: id, partId: id }), reply: nothing },
  /** What pushing a recipe with its defaults needs, and whether the server grants it. */
  'clusters.rights': {
    request: z.strictObject({ contextId: id, recipe: recipeNameSchema }),
    reply: z.strictObject({ rights: z.array(accessAnswerSchema) }),
  },
  /** One page of names. */
  'clusters.list-names': {
    request: z.strictObject({
      contextId: id,
      kind: z.enum(['namespaces', 'nodes', 'secrets', 'configmaps']),
      /** '' for all. */
      namespace: z.string().max(253),
      /** '' for the first page. */
      continueFrom: z.string().max(4096),
    }),
    reply: z.strictObject({
      names: z.array(z.strictObject({ namespace: z.string(), name: z.string() })),
      continueFrom: z.string(),
      remaining: z.number(),
    }),
  },
  /** The pin of a context, for a plan that reads or writes a Secret. Main takes back only pins that it made itself. */
  'clusters.pin': { request: z.strictObject({ contextId: id }), reply: z.strictObject({ cluster: clusterPinSchema }) },

  'recipes.defaults': {
    request: z.strictObject({ recipe: recipeNameSchema }),
    reply: z.strictObject({ input: recipeInputSchema }),
  },
  /** Pure: contacts nothing. With problems, the rest is empty. */
  'recipes.render': {
    request: z.strictObject({ form: recipeFormSchema }),
    reply: z.strictObject({
      problems: z.array(z.strictObject({ path: z.string(), message: z.string() })),
      /** Every object as one YAML text. */
      manifests: z.string(),
      objects: z.array(objectNameViewSchema),
      /** What is done to nodes, in words. */
      patches: z.array(z.string()),
      files: z.array(recipeFileViewSchema),
      notes: z.array(z.string()),
      /** What will be asked for at the prompt when it is pushed, in words. */
      asked: z.array(z.string()),
    }),
  },
  /** Server-side dry run and diff. Main keeps what was previewed; `pushes.start` names it. */
  'recipes.preview': {
    request: z.strictObject({ contextId: id, form: recipeFormSchema }),
    reply: z.strictObject({ previewId: z.string(), cluster: clusterPinSchema, preview: pushPreviewSchema }),
  },
  /** Writes the files for git into a folder that the person chooses. folder is '' when cancelled. */
  'recipes.save': {
    request: z.strictObject({ form: recipeFormSchema, output: z.enum(['manifests', 'kustomize', 'helm-values']) }),
    reply: z.strictObject({ folder: z.string(), files: z.array(z.string()) }),
  },
  /** Saves the RBAC rules that a preview found missing. path is '' when cancelled. */
  'recipes.save-rights': { request: z.strictObject({ previewId: id }), reply: z.strictObject({ path: z.string() }) },

  /** Writes the plan of what was previewed to a new run's journal. Nothing is pushed before the run goes on. */
  'pushes.start': {
    request: z.strictObject({ previewId: id, takeOverConflicts: z.boolean() }),
    reply: z.strictObject({ runId: z.string() }),
  },
  /** Writes the plan that undoes a push to a new run's journal. */
  'pushes.undo': { request: z.strictObject({ runId: id }), reply: z.strictObject({ runId: z.string() }) },
  /** Compares what was pushed with what is live; '' for every push. What was found is in the view. */
  'pushes.check-drift': { request: z.strictObject({ runId: z.string().max(80) }), reply: nothing },
  /** Stops following a push, and removes the copies of Secrets that its undo would have needed. */
  'pushes.forget': { request: z.strictObject({ runId: id }), reply: nothing },
} as const;
