import type { Command } from 'commander';
import type { z } from 'zod';
import type { WorkflowName, Plan } from '../workflows/plans.ts';
import type { Result } from '../workflows/failures.ts';
import { commandPath } from './options.ts';
import type { dkekShape, runShape, shareShape, soPinShape } from './options.ts';
import { done, failed, misused } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import type { Registry } from './registry.ts';
import { carryOut, failedRun, runValue, startOrResume } from './run-to-end.ts';
import type { RunToEndOptions } from './run-to-end.ts';
import { openSecretLines } from './secret-lines.ts';
import type { SecretLines } from './secret-lines.ts';
import { withSession } from './session.ts';
import type { Session } from './session.ts';
import { createTerminalPrompt } from './terminal-prompt.ts';
import { transcriptText } from './transcript-text.ts';

export type RunCommandOptions = z.output<z.ZodObject<typeof runShape>> &
  Partial<z.output<z.ZodObject<typeof soPinShape>>> &
  Partial<z.output<z.ZodObject<typeof shareShape>>> &
  Partial<z.output<z.ZodObject<typeof dkekShape>>>;

export interface RunCommand {
  readonly command: Command;
  readonly registry: Registry;
  readonly options: RunCommandOptions;
  readonly workflow: WorkflowName;
  /** Draws up the plan from the options and what is there. */
  readonly plan: (session: Session) => Promise<Result<Plan>>;
  /** What is said on stdout above the transcript when all is done. */
  readonly summary: (facts: Readonly<Record<string, string | number | boolean>>) => string;
}

/** A failure of the plan that is the command's own wording ends with the usage exit code. */
function planFailure(error: Parameters<typeof failed>[0]): CommandOutcome {
  return error.code === 'App_BadRequest' || error.code === 'Custody_PlanInvalid' ? misused(error) : failed(error);
}

async function carryOutCommand(
  session: Session,
  request: RunCommand,
  runOptions: RunToEndOptions,
): Promise<CommandOutcome> {
  const { options } = request;
  let started: Result<string>;
  if (options.resume === undefined) {
    const plan = await request.plan(session);
    if (!plan.ok) return planFailure(plan.error);
    started = await startOrResume(session, { plan: plan.value });
  } else started = await startOrResume(session, { resume: options.resume, workflow: request.workflow });
  if (!started.ok) return planFailure(started.error);
  const runId = started.value;
  const end = await carryOut(session, runId, runOptions);
  if (end.kind === 'failed') return failedRun(runId, end, runOptions);
  const verification = await session.core.transcripts.verifyRun(runId);
  if (!verification.ok) return failed(verification.error, { value: runValue(end.snapshot, undefined) });
  return done(
    runValue(end.snapshot, verification.value),
    `\n${transcriptText(end.snapshot, verification.value, session.style)}\n\n${request.summary(end.snapshot.state.facts)}`,
  );
}

/** One reader for each descriptor, so that PIN and SO-PIN may come from the same one, in the order of the questions. */
function descriptorReaders(): (fileDescriptor: number | undefined) => SecretLines | undefined {
  const readers = new Map<number, SecretLines>();
  return (fileDescriptor) => {
    if (fileDescriptor === undefined) return undefined;
    const lines = readers.get(fileDescriptor) ?? openSecretLines(fileDescriptor);
    readers.set(fileDescriptor, lines);
    return lines;
  };
}

/** Carries out a command that is a run: plan or resume, questions, progress, transcript. */
export async function executeRunCommand(request: RunCommand): Promise<CommandOutcome> {
  const { options, command } = request;
  const linesOf = descriptorReaders();
  const pinLines = linesOf(options.pinFd);
  const soPinLines = linesOf(options.soPinFd);
  const shareLines = linesOf(options.shareFd);
  const dkekLines = linesOf(options.dkekFd);
  return withSession(
    {
      locations: request.registry.locations,
      dataDirectory: options.dataDir,
      by: options.by,
      kubeconfig: options.kubeconfig,
      makePrompt: ({ terminal, style, progress }) =>
        createTerminalPrompt({
          terminal,
          style,
          pinLines,
          soPinLines,
          shareLines,
          dkekLines,
          consentToLastTry: options.consentToLastTry,
          pause: progress.pause,
          resume: progress.resume,
        }),
    },
    (session) =>
      carryOutCommand(session, request, {
        command: commandPath(command),
        resumeOptions: optionsAgain(options),
        confirm: options.confirm,
      }),
  );
}

/** What a resumed run needs again. */
function optionsAgain({ dataDir, kubeconfig }: RunCommandOptions): string {
  const given = { '--data-dir': dataDir, '--kubeconfig': kubeconfig };
  return Object.entries(given)
    .map(([name, value]) => (value === undefined ? '' : ` ${name} ${shellWord(value)}`))
    .join('');
}

/** A word as a POSIX shell takes it literally. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/u.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
