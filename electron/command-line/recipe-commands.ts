import type { Command } from 'commander';
import { stringify } from 'yaml';
import { z } from 'zod';
import type { Core } from '../core/core.ts';
import type { ClusterPort, RecipeFile, RenderedRecipe } from '../workflows/cluster-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import type { RecipeInput, RecipeName } from '../workflows/recipes/recipes.ts';
import { recipeNames, recipeNameSchema } from '../workflows/recipes/recipes.ts';
import { commandGroup } from './care-command.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addCommonOptions, repeatable } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { obstacleOf, previewText } from './preview-text.ts';
import { printable } from './printable.ts';
import { answersQuestion } from './question.ts';
import { writeRecipeFiles } from './recipe-files.ts';
import { readRecipe } from './recipe-input.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';

const about: Readonly<Record<RecipeName, string>> = {
  'bank-vaults': 'the Vault custom resource of bank-vaults’ operator, with SoftHSM, a Nitrokey HSM or another module',
  'node-setup': 'nodes with a Nitrokey HSM: the resource nitrokey.com/hsm, label and taint',
  'softhsm-cluster': 'SoftHSM on every node, for tests',
  'pkcs11-seal': 'the pkcs11 seal of Vault Enterprise or OpenBao',
  'kms-plugin': 'a KMS v2 plugin that encrypts Secrets in etcd',
};

export const recipeFileShape = { set: z.array(z.string().max(2000)).default([]) };

/** The arguments of the recipe's commands: FILE and --set. A run that is resumed needs no file. */
export function addRecipeFile(command: Command, argument: '<file>' | '[file]' = '<file>'): Command {
  return command
    .argument(argument, 'the recipe’s fields, as YAML or JSON; begin with: custodian recipe defaults NAME')
    .option('--set <path=value>', 'set one field, as in device.slotId=2; may be repeated', repeatable);
}

export interface ReadRecipe {
  readonly input: RecipeInput;
  readonly rendered: RenderedRecipe;
}

/** The recipe of a file, rendered. App_BadRequest names each field that is wrong. */
export async function renderFile(
  core: Pick<Core, 'clusters'>,
  path: string,
  settings: readonly string[],
): Promise<Result<ReadRecipe>> {
  const read = await readRecipe(path, settings);
  if (!read.ok) return read;
  const rendered = core.clusters.render(read.value);
  if (rendered.ok) return success(rendered);
  return failure(
    'App_BadRequest',
    `${String(rendered.problems.length)} ${rendered.problems.length === 1 ? 'field' : 'fields'} of the recipe ${rendered.problems.length === 1 ? 'is' : 'are'} not as they should be.`,
    'Correct them. The fields and their usual values: custodian recipe defaults NAME.',
    Object.fromEntries(
      rendered.problems.slice(0, 20).map(({ path: field, message }) => [field === '' ? 'recipe' : field, message]),
    ),
  );
}

export const asOutcome = (error: Parameters<typeof failed>[0]): CommandOutcome =>
  error.code === 'App_BadRequest' ? misused(error) : failed(error);

function list({ style }: Session): Promise<CommandOutcome> {
  const rows = recipeNames.map((name) => [name, about[name]]);
  const value = { recipes: rows.map(([name, text]) => ({ name, about: text })) };
  return Promise.resolve(done(value, tableLines(['RECIPE', 'WHAT IT SETS UP'], rows, style).join('\n')));
}

function defaults({ core }: Session, name: string): Promise<CommandOutcome> {
  const known = recipeNameSchema.safeParse(name);
  if (!known.success) {
    return Promise.resolve(
      misused(failure('App_BadRequest', 'There is no such recipe.', `The recipes: ${recipeNames.join(', ')}.`).error),
    );
  }
  const input = core.clusters.defaults(known.data);
  return Promise.resolve(done({ input }, stringify(input).trimEnd()));
}

const outputs = ['manifests', 'kustomize', 'helm-values'] as const satisfies readonly Parameters<
  ClusterPort['export']
>[2][];

const renderShape = {
  ...recipeFileShape,
  output: z.enum(outputs, `takes ${outputs.join(', ')}`).default('manifests'),
  to: z.string().min(1, 'needs a folder').optional(),
  replace: z.boolean().default(false),
};

/** Objects alone for `manifests`, so that the output is what kubectl reads; every file with its name otherwise. */
function printedFiles(files: readonly RecipeFile[], isStream: boolean): string {
  const shown = isStream ? files.filter(({ name }) => name.startsWith('manifests/')) : files;
  return shown.map(({ name, text }) => `# ${name}\n${text.replace(/^---\n/u, '').trimEnd()}`).join('\n---\n');
}

async function render(
  { core, style, progress }: Session,
  file: string,
  options: z.output<z.ZodObject<typeof renderShape>>,
): Promise<CommandOutcome> {
  const recipe = await renderFile(core, file, options.set);
  if (!recipe.ok) return asOutcome(recipe.error);
  const files = core.clusters.export(recipe.value.rendered, recipe.value.input, options.output);
  const { notes } = recipe.value.rendered;
  if (options.to === undefined) {
    for (const note of notes) progress.note(printable(note));
    return done({ files, notes }, printedFiles(files, options.output === 'manifests'));
  }
  const written = await writeRecipeFiles(options.to, files, options.replace);
  if (!written.ok) return asOutcome(written.error);
  const rows = written.value.map(({ path, state }) => [state, path]);
  const text = [...tableLines(['STATE', 'FILE'], rows, style), ...notes.map((note) => `\n${printable(note)}`)];
  return done({ files: written.value, notes }, text.join('\n'));
}

const diffShape = { ...recipeFileShape, ...clusterShape, takeOver: z.boolean().default(false) };

async function diff(
  session: Session,
  file: string,
  options: z.output<z.ZodObject<typeof diffShape>>,
): Promise<CommandOutcome> {
  const { core, progress, style } = session;
  const recipe = await renderFile(core, file, options.set);
  if (!recipe.ok) return asOutcome(recipe.error);
  const pin = await chooseCluster(core, options);
  if (!pin.ok) return asOutcome(pin.error);
  progress.begin(`Dry run against ${printable(pin.value.context)}`);
  const preview = await core.clusters.preview(pin.value, recipe.value.rendered.content);
  progress.end();
  if (!preview.ok) return failed(preview.error);
  const value = { cluster: pin.value, preview: preview.value, notes: recipe.value.rendered.notes };
  const text = previewText(preview.value, style);
  const obstacle = obstacleOf(preview.value, options.takeOver);
  return obstacle === undefined ? done(value, text) : failed(obstacle, { value, text });
}

/** `custodian recipe list`, `defaults`, `render` and `diff`. */
export function addRecipeCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'recipe', 'what is set up in clusters: rendered, compared, pushed and undone');
  answersQuestion(addCommonOptions(group.command('list').description('list the recipes')), registry, {}, list);
  const naming = group
    .command('defaults')
    .argument('<name>', recipeNames.join(', '))
    .description('print a recipe’s fields with their usual values, as YAML');
  answersQuestion(addCommonOptions(naming), registry, {}, (session) => defaults(session, naming.args[0] ?? ''));
  const rendering = addRecipeFile(group.command('render'))
    .description('print what a recipe becomes, or write it for git; no secret is in it')
    .option('--output <form>', `${outputs.join(', ')} (default: manifests)`)
    .option('--to <folder>', 'write the files there')
    .option('--replace', 'replace files that say something else');
  answersQuestion(addCommonOptions(rendering), registry, renderShape, (session, options) =>
    render(session, rendering.args[0] ?? '', options),
  );
  const comparing = addRecipeFile(group.command('diff'))
    .description('show what a push would change: a dry run by the server; nothing is changed')
    .option('--take-over', 'do not count fields that others have set as an obstacle');
  answersQuestion(addCommonOptions(addClusterOptions(comparing)), registry, diffShape, (session, options) =>
    diff(session, comparing.args[0] ?? '', options),
  );
}
