import type { Command } from 'commander';
import { z } from 'zod';
import type { RunSnapshot } from '../core/core.ts';
import { isForgotten, readPushRecord } from '../core/push-records.ts';
import type { ClusterForgetPlan, ClusterPushPlan, ClusterUndoPlan } from '../workflows/cluster-plans.ts';
import type { ClusterPin, Drift, PushRecord } from '../workflows/cluster-ports.ts';
import { referencesOf } from '../workflows/cluster-push.ts';
import { lossesOfForgetting } from '../workflows/cluster-forget.ts';
import { lossesOfUndo } from '../workflows/cluster-undo.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import type { Plan } from '../workflows/plans.ts';
import { addConfirmOption, commandGroup } from './care-command.ts';
import { chooseCluster } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addCommonOptions, addRunOptions, runShape, soPinShape } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { driftText, obstacleOf, previewText } from './preview-text.ts';
import { printable } from './printable.ts';
import { answersQuestion } from './question.ts';
import { addRecipeFile, recipeFileShape, renderFile } from './recipe-commands.ts';
import type { Registry } from './registry.ts';
import { addRunAction } from './run-action.ts';
import type { Session } from './session.ts';
import { createStyle, takesColour } from './style.ts';

const runOnClusterShape = { ...runShape, ...clusterShape, confirm: soPinShape.confirm };

const pushShape = {
  ...runOnClusterShape,
  ...recipeFileShape,
  takeOver: z.boolean().default(false),
  preview: z
    .string()
    .regex(/^[0-9a-f]{64}$/u, 'needs the digest that a preview ends with: 64 hex digits')
    .optional(),
};
type PushOptions = z.output<z.ZodObject<typeof pushShape>>;

/** Shows what the push would do, on stderr above its steps, and plans just that. */
async function planPush(
  { core, progress }: Session,
  file: string,
  options: PushOptions,
): Promise<Result<ClusterPushPlan>> {
  const recipe = await renderFile(core, file, options.set);
  if (!recipe.ok) return recipe;
  const { content } = recipe.value.rendered;
  const cluster = await chooseCluster(core, options);
  if (!cluster.ok) return cluster;
  const preview = await core.clusters.preview(cluster.value, content);
  if (!preview.ok) return preview;
  progress.note(previewText(preview.value, createStyle(takesColour(process.stderr, process.env))));
  for (const note of recipe.value.rendered.notes) progress.note(printable(note));
  const obstacle = obstacleOf(preview.value, options.takeOver);
  if (obstacle !== undefined) return { ok: false, error: obstacle };
  if (options.preview !== undefined && options.preview !== preview.value.sha256) {
    return failure(
      'Cluster_PreviewOutdated',
      'What the push would do now is not the preview that --preview names.',
      'Look at what is different above, and give its digest once it is what you want.',
      { shown: options.preview, now: preview.value.sha256 },
    );
  }
  return success({
    workflow: 'cluster-push',
    rehearsal: false,
    cluster: cluster.value,
    recipe: recipe.value.input,
    content,
    previewSha256: preview.value.sha256,
    takeOverConflicts: options.takeOver,
  });
}

const noFile = (): { readonly ok: false; readonly error: Failure<'App_BadRequest'> } =>
  failure('App_BadRequest', 'The file of the recipe is missing.', 'See custodian recipe push --help.');

function addPush(group: Command, registry: Registry): void {
  const command = addRecipeFile(group.command('push'), '[file]')
    .description('push a recipe: preview, typed cluster name, server-side apply, rollout; can be undone')
    .option('--take-over', 'take over fields that others have set, and objects that others have made')
    .option('--preview <sha256>', 'for scripts: push only what was shown with this digest')
    .option('--confirm <name>', 'the typed name of the cluster, for scripts');
  addRunOptions(addClusterOptions(command));
  addRunAction(command, registry, pushShape, (options) => {
    const [file = ''] = command.args;
    if (file === '' && options.resume === undefined) return noFile();
    return success({
      workflow: 'cluster-push',
      options,
      plan: (session) => planPush(session, file, options),
      summary: () => 'It is in the cluster, and what was there before is kept: custodian recipe undo RUN.',
    });
  });
}

type RunOnClusterOptions = z.output<z.ZodObject<typeof runOnClusterShape>>;

/** A push that was, its record, and its cluster. */
async function findPush(
  { core }: Session,
  pushRunId: string,
  options: RunOnClusterOptions,
): Promise<Result<{ readonly record: PushRecord; readonly cluster: ClusterPin }>> {
  const record = await readPushRecord(core, pushRunId);
  if (!record.ok) return record;
  // Where nothing is said, the cluster as it was pinned at the push; a changed kubeconfig is told then.
  const named = options.context !== undefined || options.kubeconfig !== undefined;
  const cluster = named ? await chooseCluster(core, options) : success(record.value.cluster);
  return cluster.ok ? success({ record: record.value, cluster: cluster.value }) : cluster;
}

async function planUndo(
  session: Session,
  pushRunId: string,
  options: RunOnClusterOptions,
): Promise<Result<ClusterUndoPlan>> {
  const push = await findPush(session, pushRunId, options);
  if (!push.ok) return push;
  const { record, cluster } = push.value;
  return success({ workflow: 'cluster-undo', rehearsal: false, cluster, pushRunId, losses: lossesOfUndo(record) });
}

async function planForget(
  session: Session,
  pushRunId: string,
  options: RunOnClusterOptions,
): Promise<Result<ClusterForgetPlan>> {
  const push = await findPush(session, pushRunId, options);
  if (!push.ok) return push;
  const { record, cluster } = push.value;
  return success({
    workflow: 'cluster-forget',
    rehearsal: false,
    cluster,
    pushRunId,
    losses: lossesOfForgetting(record),
  });
}

/** A run about one push, which is named by its run. */
function addRunOnPush(
  group: Command,
  registry: Registry,
  about: {
    readonly name: string;
    readonly description: string;
    readonly workflow: 'cluster-undo' | 'cluster-forget';
    readonly summary: string;
    plan(session: Session, run: string, options: RunOnClusterOptions): Promise<Result<Plan>>;
  },
): void {
  const command = addConfirmOption(
    group.command(about.name).argument('[run]', 'the run of the push').description(about.description),
  );
  addRunOptions(addClusterOptions(command));
  addRunAction(command, registry, runOnClusterShape, (options) => {
    const [run = ''] = command.args;
    if (!isRun(run) && options.resume === undefined) return noRun();
    return success({
      workflow: about.workflow,
      options,
      plan: (session) => about.plan(session, run, options),
      summary: () => about.summary,
    });
  });
}

const isRun = (text: string): boolean => /^[A-Za-z0-9-]{1,80}$/u.test(text);

const noRun = (): { readonly ok: false; readonly error: Failure<'App_BadRequest'> } =>
  failure('App_BadRequest', 'The run of the push is missing.', 'custodian run list names them.');

interface CheckedPush {
  readonly run: string;
  readonly context: string;
  readonly server: string;
  readonly recipe: string;
  readonly result: Result<readonly Drift[]>;
}

/** Pushes whose objects are in a cluster, newest first. */
async function standingPushes(
  { core }: Session,
  wanted: string,
): Promise<readonly { readonly runId: string; readonly plan: ClusterPushPlan }[]> {
  const runs: readonly RunSnapshot[] = await core.runner.list();
  const undone = new Set(
    runs.flatMap(({ state }) =>
      state.plan.workflow === 'cluster-undo' && state.status === 'completed' ? [state.plan.pushRunId] : [],
    ),
  );
  const found: { readonly runId: string; readonly plan: ClusterPushPlan }[] = [];
  for (const { state } of runs) {
    const { runId, plan } = state;
    if (plan.workflow !== 'cluster-push' || undone.has(runId)) continue;
    if (wanted !== '' ? runId !== wanted : await isForgotten(core, runId)) continue;
    found.push({ runId, plan });
  }
  return found;
}

/** Compares each push with its cluster. What a later push has pushed again is that one's to answer for. */
async function checkPushes(session: Session, wanted: string): Promise<readonly CheckedPush[]> {
  const later = new Set<string>();
  const checked: CheckedPush[] = [];
  for (const { runId, plan } of await standingPushes(session, wanted)) {
    const { cluster, recipe, content } = plan;
    const keyOf = (reference: object): string => JSON.stringify([cluster.server, cluster.clusterUid, reference]);
    const record = await readPushRecord(session.core, runId);
    // Stopped before it kept anything, it changed nothing.
    if (!record.ok && record.error.code === 'Cluster_NotFound' && wanted === '') continue;
    session.progress.begin(`Comparing with ${printable(cluster.context)}`);
    const result: Result<readonly Drift[]> = record.ok ? await session.core.clusters.checkDrift(record.value) : record;
    checked.push({
      run: runId,
      context: cluster.context,
      server: cluster.server,
      recipe: recipe.recipe,
      result: result.ok ? success(result.value.filter(({ reference }) => !later.has(keyOf(reference)))) : result,
    });
    for (const reference of referencesOf(content)) later.add(keyOf(reference));
  }
  session.progress.end();
  return checked;
}

/** What a verification comes to: any difference is a failure to a script. */
export function judgeDrift(checked: readonly CheckedPush[], text: string): CommandOutcome {
  const value = { pushes: checked };
  const problem = checked.find(({ result }) => !result.ok)?.result;
  const drifted = checked
    .flatMap(({ result }) => (result.ok ? result.value : []))
    .filter(({ state }) => state !== 'same');
  if (drifted.length > 0) {
    return failed(
      failure(
        'Cluster_Drifted',
        `${String(drifted.length)} ${drifted.length === 1 ? 'object is' : 'objects are'} not as pushed.`,
        'Nothing was repaired. Push the recipe again, or change it to what is wanted now.',
      ).error,
      { value, text },
    );
  }
  if (problem !== undefined && !problem.ok) return failed(problem.error, { value, text });
  return done(value, checked.length === 0 ? 'Nothing that was pushed from here is in a cluster.' : text);
}

async function verify(session: Session, run: string): Promise<CommandOutcome> {
  if (run !== '' && !isRun(run)) return misused(noRun().error);
  const checked = await checkPushes(session, run);
  if (run !== '' && checked.length === 0) {
    return failed(
      failure('App_NotFound', 'There is no such push, or it was undone.', 'custodian run list names the runs.').error,
    );
  }
  const text = checked
    .map(({ run: id, context, recipe, result }) => {
      const heading = `${session.style.bold(`${recipe} in ${printable(context)}`)}  run ${id}`;
      const body = result.ok ? driftText(result.value, session.style) : `${result.error.code}: ${result.error.message}`;
      return `${heading}\n${body}`;
    })
    .join('\n\n');
  return judgeDrift(checked, text);
}

/** `custodian recipe push`, `undo`, `forget` and `verify`. */
export function addRecipeRunCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'recipe', 'what is set up in clusters: rendered, compared, pushed and undone');
  addPush(group, registry);
  addRunOnPush(group, registry, {
    name: 'undo',
    description: 'undo a push: what was there before comes back, what was new is deleted',
    workflow: 'cluster-undo',
    summary: 'The cluster is as it was before the push.',
    plan: planUndo,
  });
  addRunOnPush(group, registry, {
    name: 'forget',
    description: 'destroy the copies of earlier values that a push kept for its undo; undoes nothing',
    workflow: 'cluster-forget',
    summary: 'The copies of earlier values are gone. The push itself stays as it is.',
    plan: planForget,
  });
  const verifying = group
    .command('verify')
    .argument('[run]', 'the run of a push (default: every push that was not undone)')
    .description('compare what was pushed with what is live (drift); repairs nothing')
    .option('--kubeconfig <path>', 'the kubeconfig to read (default: KUBECONFIG, else ~/.kube/config)');
  answersQuestion(addCommonOptions(verifying), registry, {}, (session) => verify(session, verifying.args[0] ?? ''));
}
