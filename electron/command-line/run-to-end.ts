import type { JournalVerification, RunSnapshot } from '../core/core.ts';
import { nextStep } from '../workflows/fold.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import { titleOf, subjectOf } from '../workflows/definitions.ts';
import type { Plan, WorkflowName } from '../workflows/plans.ts';
import type { StepDefinition, StepState } from '../workflows/run.ts';
import { pgpWordsOfHex } from '../workflows/pgp-words.ts';
import { failed } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { printable } from './printable.ts';
import type { Session } from './session.ts';
import { durationText } from './transcript-text.ts';

export interface RunToEndOptions {
  /** `vault init` and the like: for the words on how to resume. */
  readonly command: string;
  /** Options that a resumed run needs again, ready to be pasted: ` --data-dir X`. */
  readonly resumeOptions: string;
  /** --confirm NAME: the typed name of dangerous steps, for scripts. */
  readonly confirm: string | undefined;
}

/** Says each step as it begins and ends. */
function follow(
  session: Session,
  runId: string,
): { readonly settle: (last: RunSnapshot | undefined) => Promise<void> } {
  const said = new Map<string, string>();
  let chain: Promise<void> = Promise.resolve();

  function say(definition: StepDefinition, step: StepState, number: number, count: number): void {
    const state = `${step.status} ${String(step.attempts)}`;
    if (said.get(definition.id) === state) return;
    said.set(definition.id, state);
    const text = `${String(number)}/${String(count)} ${printable(definition.title)}`;
    if (step.status === 'working') session.progress.begin(text);
    else if (step.status === 'done') session.progress.done(text, durationText(step.startedAt, step.endedAt));
    else if (step.status === 'not-needed') session.progress.done(text, 'not needed');
    else if (step.status === 'failed') session.progress.failed(text, step.failure?.code ?? '');
  }

  function look(snapshot: RunSnapshot): void {
    snapshot.definitions.forEach((definition, index) => {
      const step = snapshot.state.steps.find((candidate) => candidate.id === definition.id);
      if (step !== undefined) say(definition, step, index + 1, snapshot.definitions.length);
    });
  }

  const unsubscribe = session.core.runner.subscribe((changed) => {
    if (changed !== runId) return;
    chain = chain.then(async () => {
      const snapshot = await session.core.runner.snapshot(runId);
      if (snapshot.ok) look(snapshot.value);
    });
  });
  return {
    settle: async (last) => {
      unsubscribe();
      await chain;
      if (last !== undefined) look(last);
    },
  };
}

const isOver = (step: StepState): boolean => step.status === 'done' || step.status === 'not-needed';

/** The next dangerous step that is still to come. */
function dangerAhead(snapshot: RunSnapshot): StepDefinition | undefined {
  const over = new Set(snapshot.state.steps.filter(isOver).map((step) => step.id));
  return snapshot.definitions.find((definition) => definition.danger !== undefined && !over.has(definition.id));
}

async function confirmDanger(
  session: Session,
  step: StepDefinition,
  confirm: string | undefined,
): Promise<Result<string>> {
  const { danger } = step;
  if (danger === undefined) return success('');
  if (confirm !== undefined) return success(confirm);
  const { terminal, progress } = session;
  if (terminal === undefined) {
    return failure(
      'Custody_ConfirmationMismatch',
      `“${step.title}” would destroy something, so its name has to be typed, and there is no terminal to type it on.`,
      'Run this in a terminal, or give the name with --confirm NAME.',
      { name: danger.typedName },
    );
  }
  progress.pause();
  terminal.write(`\r\n${step.title} - this will be lost:\r\n`);
  for (const loss of danger.losses) terminal.write(`  - ${printable(loss)}\r\n`);
  terminal.write(`Type ${printable(danger.typedName)} to go on: `);
  const line = await terminal.readLine('characters');
  progress.resume();
  if (line.kind !== 'line')
    return failure(
      'App_PromptCancelled',
      'The name was not typed.',
      'Nothing was destroyed. Continue when you are sure.',
    );
  return success(new TextDecoder().decode(line.bytes).trim());
}

export type RunEnd =
  | { readonly kind: 'completed'; readonly snapshot: RunSnapshot }
  | { readonly kind: 'failed'; readonly error: Failure; readonly snapshot: RunSnapshot | undefined };

async function proceedToEnd(session: Session, runId: string, options: RunToEndOptions): Promise<RunEnd> {
  const { runner } = session.core;
  const confirmed = new Set<string>();
  let typedName = '';
  for (;;) {
    const before = await runner.snapshot(runId);
    if (!before.ok) return { kind: 'failed', error: before.error, snapshot: undefined };
    if (before.value.problem !== undefined)
      return { kind: 'failed', error: before.value.problem, snapshot: before.value };
    if (before.value.state.status === 'completed') return { kind: 'completed', snapshot: before.value };
    const danger = dangerAhead(before.value);
    if (danger !== undefined && !confirmed.has(danger.id)) {
      const name = await confirmDanger(session, danger, options.confirm);
      if (!name.ok) return { kind: 'failed', error: name.error, snapshot: before.value };
      typedName = name.value;
      confirmed.add(danger.id);
    }
    const proceeded = await runner.proceed(runId, { by: session.by, typedName, throughDeliberateSteps: true });
    const after = proceeded.ok ? proceeded : await runner.snapshot(runId);
    const snapshot = after.ok ? after.value : undefined;
    if (snapshot?.state.status === 'completed') return { kind: 'completed', snapshot };
    const failedStep = snapshot?.state.steps.find((step) => step.status === 'failed');
    const error = proceeded.ok ? failedStep?.failure : proceeded.error;
    const next = snapshot === undefined ? undefined : nextStep(snapshot.state);
    // A later dangerous step has a name of its own, which nobody has typed yet.
    if (error?.code === 'Custody_ConfirmationMismatch' && next?.danger !== undefined && !confirmed.has(next.id))
      continue;
    return {
      kind: 'failed',
      error:
        error ??
        failure(
          'App_Internal',
          `The run stopped before its end${next === undefined ? '' : ` at “${next.title}”`} without saying why.`,
          'Continue it; if it stops again, report the transcript.',
        ).error,
      snapshot,
    };
  }
}

function resumeCommand(runId: string, options: RunToEndOptions): string {
  return `custodian ${options.command} --resume ${runId}${options.resumeOptions}`;
}

/** Carries a run that was started or found through to its end, with progress, questions and words on how to resume. */
export async function carryOut(session: Session, runId: string, options: RunToEndOptions): Promise<RunEnd> {
  session.workOn(resumeCommand(runId, options));
  const following = follow(session, runId);
  const end = await proceedToEnd(session, runId, options);
  await following.settle(end.snapshot);
  session.workOn('');
  return end;
}

/** Starts a run of this plan, or finds the one to resume. */
export async function startOrResume(
  session: Session,
  request: { readonly plan: Plan } | { readonly resume: string; readonly workflow: WorkflowName },
): Promise<Result<string>> {
  const { runner } = session.core;
  if ('plan' in request) {
    const started = await runner.start(request.plan, session.by);
    if (!started.ok) return started;
    session.progress.heading(`${titleOf(request.plan)}: ${printable(subjectOf(request.plan))}`);
    return success(started.value.runId);
  }
  const snapshot = await runner.snapshot(request.resume);
  if (!snapshot.ok) return snapshot;
  if (snapshot.value.problem !== undefined) return { ok: false, error: snapshot.value.problem };
  const { state } = snapshot.value;
  if (state.workflow !== request.workflow) {
    return failure(
      'App_BadRequest',
      `That run is a ${state.workflow}, not a ${request.workflow}.`,
      `Use the command that started it.`,
      { workflow: state.workflow },
    );
  }
  if (state.status !== 'open') {
    return failure('Custody_RunEnded', `That run has ended: it was ${state.status}.`, 'Start a new one.', {
      endedAt: state.endedAt,
    });
  }
  session.progress.heading(`${titleOf(state.plan)}: ${printable(subjectOf(state.plan))} (continued)`);
  return success(request.resume);
}

/** What a program is told about a run: names and facts, as the window's view has them. */
export function runValue(
  snapshot: RunSnapshot,
  verification: JournalVerification | undefined,
): Record<string, unknown> {
  const { state } = snapshot;
  return {
    run: {
      id: state.runId,
      workflow: state.workflow,
      rehearsal: state.plan.rehearsal,
      status: state.status,
      startedBy: state.startedBy,
      startedAt: state.startedAt,
      endedAt: state.endedAt,
      steps: state.steps.map((step) => ({
        id: step.id,
        title: snapshot.definitions.find((definition) => definition.id === step.id)?.title ?? step.id,
        status: step.status,
        attempts: step.attempts,
        evidence: step.evidence,
      })),
      facts: state.facts,
    },
    journal: {
      head: snapshot.journalHead,
      headWords: pgpWordsOfHex(snapshot.journalHead),
      ...(verification === undefined
        ? {}
        : { records: verification.records, intact: verification.intact, complete: verification.complete }),
    },
  };
}

/** A failed run as a command's outcome, with the words on how to resume while that is possible. */
export function failedRun(
  runId: string,
  end: Extract<RunEnd, { kind: 'failed' }>,
  options: RunToEndOptions,
): CommandOutcome {
  const open = end.snapshot?.state.status === 'open';
  return failed(end.error, {
    ...(end.snapshot === undefined ? {} : { value: runValue(end.snapshot, undefined) }),
    ...(open ? { resume: resumeCommand(runId, options) } : {}),
  });
}
