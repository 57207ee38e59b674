import type { Command } from 'commander';
import { z } from 'zod';
import type { ClusterContext, ClusterState, OutsidePart } from '../workflows/cluster-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import { needsOf } from '../workflows/recipe-rights.ts';
import { recipeNames, recipeNameSchema } from '../workflows/recipes/recipes.ts';
import { commandGroup } from './care-command.ts';
import { chooseCluster, chooseContext } from './chosen-cluster.ts';
import { addClusterOptions, clusterShape } from './cluster-options.ts';
import { addCommonOptions, repeatable } from './options.ts';
import { done, failed } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { printable } from './printable.ts';
import { answersQuestion } from './question.ts';
import type { Registry } from './registry.ts';
import type { Session } from './session.ts';
import { tableLines } from './table.ts';

/** What stands in the way of using a context, as files alone tell it; '' for nothing. */
function stateOf(session: Session, context: ClusterContext): string {
  if (context.problem !== '') return context.problem;
  if (context.insecure) return 'insecure: skips the check of the server’s certificate';
  if (!session.core.clusters.isAllowed(context)) return 'to be allowed first';
  return 'ready';
}

type Probed = Result<ClusterState>;

async function probe(session: Session, context: ClusterContext): Promise<Probed> {
  const pinned = await session.core.clusters.pin(context.id);
  return pinned.ok ? session.core.clusters.probe(pinned.value) : pinned;
}

function probedText(probed: Probed): string {
  if (!probed.ok) return `${probed.error.code}: ${probed.error.message}`;
  const { reachable, serverVersion, seenAs, withinSkew, kubectlVersion, problem } = probed.value;
  if (!reachable) return `away: ${problem}`;
  const who = seenAs === '' ? '' : `, as ${seenAs}`;
  return withinSkew ? `${serverVersion}${who}` : `${serverVersion}, too far from kubectl ${kubectlVersion}`;
}

const listShape = { probe: z.boolean().default(false) };

async function list(session: Session, options: z.output<z.ZodObject<typeof listShape>>): Promise<CommandOutcome> {
  const listed = await session.core.clusters.listContexts();
  if (!listed.ok) return failed(listed.error);
  const rows: string[][] = [];
  const value: unknown[] = [];
  for (const context of listed.value) {
    const isAllowed = session.core.clusters.isAllowed(context);
    const usable = context.problem === '' && isAllowed && !context.insecure;
    let probed: Probed | undefined;
    if (options.probe && usable) {
      session.progress.begin(`Asking ${printable(context.context)}`);
      probed = await probe(session, context);
    }
    const answer = probed === undefined ? stateOf(session, context) : probedText(probed);
    value.push({ ...context, isAllowed, ...(probed === undefined ? {} : { probed }) });
    rows.push([
      context.isCurrent ? '*' : '',
      context.context,
      context.server,
      `${context.userName} (${context.authentication})`,
      context.namespace,
      answer,
    ]);
  }
  session.progress.end();
  if (rows.length === 0)
    return done({ contexts: [] }, 'No kubeconfig in use has a context. KUBECONFIG or --kubeconfig names others.');
  const headings = ['', 'CONTEXT', 'SERVER', 'USER', 'NAMESPACE', 'STATE'];
  return done({ contexts: value }, tableLines(headings, rows, session.style).join('\n'));
}

/** One part outside a kubeconfig, in words. */
function partText(part: OutsidePart): string {
  const what =
    part.kind === 'file' ? `reads the file ${part.path} (${part.detail})` : `runs ${part.path} ${part.detail}`.trim();
  const hash = part.sha256 === '' ? 'it is not there' : `SHA-256 ${part.sha256}`;
  return `  ${printable(what)}\n    ${hash}`;
}

async function show(session: Session, wish: z.output<z.ZodObject<typeof clusterShape>>): Promise<CommandOutcome> {
  const chosen = await chooseContext(session.core, wish);
  if (!chosen.ok) return failed(chosen.error);
  const context = chosen.value;
  const isAllowed = session.core.clusters.isAllowed(context);
  session.progress.begin(`Asking ${printable(context.context)}`);
  const probed = await probe(session, context);
  session.progress.end();
  const rows = [
    ['Context', context.context],
    ['Cluster', context.clusterName],
    ['Server', context.server],
    ['CA SHA-256', context.caSha256 === '' ? 'the system’s authorities' : context.caSha256],
    ['User', `${context.userName} (${context.authentication})`],
    ['Namespace', context.namespace],
    ['Defined in', context.definedIn],
    ['Answer', probedText(probed)],
    ['kubectl', probed.ok ? probed.value.kubectlVersion : ''],
    ['Cluster UID', probed.ok ? probed.value.clusterUid : ''],
  ].filter(([, text]) => text !== '');
  const lines = rows.map(([name = '', text = '']) => `${name.padEnd(12)}${printable(text)}`);
  const outside =
    context.outside.length === 0
      ? []
      : ['', `Outside the kubeconfig, ${isAllowed ? 'allowed' : 'not allowed yet'}:`, ...context.outside.map(partText)];
  const value = { ...context, isAllowed, probed };
  const text = [...lines, ...outside].join('\n');
  return probed.ok && probed.value.reachable
    ? done(value, text)
    : failed(probed.ok ? unreachable(context, probed.value) : probed.error, { value, text });
}

function unreachable(context: ClusterContext, state: ClusterState): Failure {
  return failure(
    'Cluster_Unreachable',
    `The cluster at ${context.server} does not answer: ${state.problem}`,
    'See that it runs and that this machine reaches it.',
  ).error;
}

const allowShape = {
  ...clusterShape,
  sha256: z.array(z.string().regex(/^[0-9a-f]{64}$/u, 'needs 64 hex digits')).default([]),
};

/** Asks the person, who has the parts before the eyes; a script names each by its hash. */
async function consent(
  { terminal, progress }: Session,
  parts: readonly OutsidePart[],
  hashes: readonly string[],
): Promise<Result<true>> {
  if (hashes.length > 0) {
    const unnamed = parts.find(({ sha256 }) => !hashes.includes(sha256));
    return unnamed === undefined
      ? success(true)
      : failure(
          'Cluster_NotAllowed',
          `${unnamed.path} has the SHA-256 ${unnamed.sha256}, which was not named.`,
          'See what it is, then name it with --sha256 once for each part.',
        );
  }
  if (terminal === undefined) {
    return failure(
      'Cluster_NotAllowed',
      'Somebody has to allow this, and there is no terminal to ask on.',
      'Run this in a terminal, or name each part with --sha256 HEX.',
    );
  }
  progress.pause();
  terminal.write(`${parts.map(partText).join('\r\n').replaceAll(/\r?\n/gu, '\r\n')}\r\n`);
  terminal.write('This runs and is read with your rights whenever the context is used. Type allow to go on: ');
  const line = await terminal.readLine('characters');
  progress.resume();
  return line.kind === 'line' && new TextDecoder().decode(line.bytes).trim() === 'allow'
    ? success(true)
    : failure('App_PromptCancelled', 'It was not allowed.', 'Nothing was changed.');
}

async function allow(session: Session, wish: z.output<z.ZodObject<typeof allowShape>>): Promise<CommandOutcome> {
  const chosen = await chooseContext(session.core, wish);
  if (!chosen.ok) return failed(chosen.error);
  const { outside, context } = chosen.value;
  if (session.core.clusters.isAllowed(chosen.value))
    return done({ context, allowed: outside }, `Nothing is left to allow for ${printable(context)}.`);
  const absent = outside.find(({ sha256 }) => sha256 === '');
  if (absent !== undefined) {
    return failed(
      failure(
        'Cluster_NotAllowed',
        `${absent.path} is not there, so it cannot be allowed.`,
        'Install it, or correct the kubeconfig.',
      ).error,
    );
  }
  const agreed = await consent(session, outside, wish.sha256);
  if (!agreed.ok) return failed(agreed.error, { value: { context, outside } });
  const allowed = await session.core.clusters.allow(outside);
  if (!allowed.ok) return failed(allowed.error);
  return done(
    { context, allowed: outside },
    `Allowed for ${printable(context)}, until one of them changes:\n${outside.map(partText).join('\n')}`,
  );
}

const rightsShape = {
  ...clusterShape,
  recipe: z.array(recipeNameSchema.or(z.string().refine(() => false, 'needs the name of a recipe'))).default([]),
};

async function rights(session: Session, wish: z.output<z.ZodObject<typeof rightsShape>>): Promise<CommandOutcome> {
  const { clusters } = session.core;
  const pinned = await chooseCluster(session.core, wish);
  if (!pinned.ok) return failed(pinned.error);
  const wanted = recipeNames.filter((name) => wish.recipe.length === 0 || wish.recipe.includes(name));
  const needs = new Map(
    wanted
      .flatMap((name) => {
        const rendered = clusters.render(clusters.defaults(name));
        return rendered.ok ? needsOf(rendered.rendered.content) : [];
      })
      .map((need) => [JSON.stringify(need), need] as const),
  );
  session.progress.begin(`Asking ${printable(pinned.value.context)} what is allowed`);
  const answers = await clusters.checkRights(pinned.value, [...needs.values()]);
  session.progress.end();
  if (!answers.ok) return failed(answers.error);
  const rows = answers.value.map(({ need, allowed }) => [
    allowed ? 'yes' : 'NO',
    need.verb,
    `${need.resource}${need.subresource === '' ? '' : `/${need.subresource}`}${need.group === '' ? '' : `.${need.group}`}`,
    need.namespace === '' ? '(cluster)' : need.namespace,
  ]);
  const missing = answers.value.filter(({ allowed }) => !allowed);
  const value = { context: pinned.value.context, answers: answers.value };
  const text = tableLines(['ALLOWED', 'VERB', 'RESOURCE', 'NAMESPACE'], rows, session.style).join('\n');
  if (missing.length === 0) return done(value, text);
  return failed(
    failure(
      'Cluster_RightsMissing',
      `${String(missing.length)} of ${String(answers.value.length)} rights are missing to this user.`,
      'Give docs/clusters.md to whoever grants them: it lists the RBAC rules. A preview of a recipe prints just the rules that this recipe lacks.',
    ).error,
    { value, text },
  );
}

/** `custodian cluster list`, `show`, `allow` and `rights`. */
export function addClusterCommands(program: Command, registry: Registry): void {
  const group = commandGroup(program, 'cluster', 'Kubernetes clusters of the kubeconfigs in use');
  const listing = group
    .command('list')
    .description('list contexts; reads files alone unless --probe is given')
    .option('--probe', 'ask each cluster for its version and who it takes you for')
    .option('--kubeconfig <path>', 'the kubeconfig to read (default: KUBECONFIG, else ~/.kube/config)');
  answersQuestion(addCommonOptions(listing), registry, listShape, list);
  const showing = group.command('show').description('show one cluster, ask it who it is, and what it would run here');
  answersQuestion(addCommonOptions(addClusterOptions(showing)), registry, clusterShape, show);
  const allowing = group
    .command('allow')
    .description('allow the programs and files outside the kubeconfig that a context uses')
    .option('--sha256 <hex>', 'for scripts: the SHA-256 of a part that is allowed; once for each', repeatable);
  answersQuestion(addCommonOptions(addClusterOptions(allowing)), registry, allowShape, allow);
  const asking = group
    .command('rights')
    .description('ask the cluster whether you may do what recipes need')
    .option('--recipe <name>', `only for this one of ${recipeNames.join(', ')}; may be repeated`, repeatable);
  answersQuestion(addCommonOptions(addClusterOptions(asking)), registry, rightsShape, rights);
}
