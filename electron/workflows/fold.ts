/**
 * A run is a fold over its journal: `(state, event) → state`, pure. An event that cannot follow the
 * ones before it means that the journal is not what this program wrote.
 */
import { z } from 'zod';
import { stepsOf } from './definitions.ts';
import { failure, failureCodes, success } from './failures.ts';
import type { Result } from './failures.ts';
import { planSchema, workflowNameSchema } from './plans.ts';
import type { RunEvent, RunState, StepDefinition, StepState } from './run.ts';

const evidenceSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]));
const failureSchema = z
  .strictObject({
    code: z.enum(failureCodes),
    message: z.string(),
    next: z.string(),
    details: evidenceSchema.exactOptional(),
  })
  .readonly();

/** One journal event. Unknown fields are refused: nothing unforeseen gets into a journal. */
export const runEventSchema = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('run-started'),
    workflow: workflowNameSchema,
    plan: planSchema,
    by: z.string(),
    host: z.string(),
    appVersion: z.string(),
  }),
  z.strictObject({ type: z.literal('run-resumed'), by: z.string() }),
  z.strictObject({ type: z.literal('step-started'), step: z.string(), by: z.string() }),
  z.strictObject({ type: z.literal('step-noted'), step: z.string(), evidence: evidenceSchema }),
  z.strictObject({
    type: z.literal('step-finished'),
    step: z.string(),
    outcome: z.enum(['done', 'found-done', 'not-needed']),
    evidence: evidenceSchema,
  }),
  z.strictObject({ type: z.literal('step-failed'), step: z.string(), failure: failureSchema }),
  z.strictObject({ type: z.literal('deviation'), step: z.string(), text: z.string() }),
  z.strictObject({
    type: z.literal('run-finished'),
    outcome: z.enum(['completed', 'abandoned']),
    by: z.string(),
    events: z.number().int().positive(),
  }),
]);

export interface JournalEntry {
  readonly event: unknown;
  /** ISO 8601, UTC. */
  readonly at: string;
}

const isFinished = (step: StepState): boolean => step.status === 'done' || step.status === 'not-needed';

/** The step whose turn it is; undefined when all are finished or the run has ended. */
export function nextStep(state: RunState): StepDefinition | undefined {
  if (state.status !== 'open') return undefined;
  const current = state.steps.find((step) => !isFinished(step));
  return current === undefined ? undefined : stepsOf(state.plan).find((definition) => definition.id === current.id);
}

function withStep(state: RunState, id: string, change: (step: StepState) => StepState): RunState {
  return { ...state, steps: state.steps.map((step) => (step.id === id ? change(step) : step)) };
}

/** Marks the first unfinished step as the current one, unless it is at work or has failed. */
function withCurrent(state: RunState): RunState {
  const next = state.steps.find((step) => !isFinished(step));
  return next?.status === 'waiting' ? withStep(state, next.id, (step) => ({ ...step, status: 'current' })) : state;
}

function begin(runId: string, event: Extract<RunEvent, { type: 'run-started' }>, at: string): RunState {
  const steps = stepsOf(event.plan).map((definition): StepState => ({
    id: definition.id,
    status: 'waiting',
    startedAt: '',
    endedAt: '',
    attempts: 0,
    evidence: {},
    failure: undefined,
  }));
  return withCurrent({
    runId,
    workflow: event.workflow,
    plan: event.plan,
    startedBy: event.by,
    startedAt: at,
    endedAt: '',
    status: 'open',
    steps,
    facts: {},
    deviations: [],
    interruptedStep: '',
  });
}

/**
 * One event more.
 * @param count number of the event in its journal, from 1
 * @returns the new state, or in words why this event cannot come here
 */
function advance(state: RunState, event: RunEvent, at: string, count: number): RunState | string {
  if (state.status !== 'open') return 'an event follows the end of the run';
  const working = state.steps.find((step) => step.status === 'working');
  switch (event.type) {
    case 'run-started':
      return 'the run starts twice';
    case 'run-resumed':
      // The step stays interrupted until it is begun again and ends.
      return working === undefined
        ? state
        : { ...withStep(state, working.id, (step) => ({ ...step, status: 'current' })), interruptedStep: working.id };
    case 'step-started': {
      const next = state.steps.find((step) => !isFinished(step));
      if (working !== undefined) return `step ${event.step} starts while ${working.id} is at work`;
      if (next?.id !== event.step) return `step ${event.step} starts out of turn`;
      return withStep(state, event.step, (step) => ({
        ...step,
        status: 'working',
        startedAt: step.startedAt === '' ? at : step.startedAt,
        attempts: step.attempts + 1,
        failure: undefined,
      }));
    }
    case 'step-noted':
      if (working?.id !== event.step) return `step ${event.step} notes something while it is not at work`;
      return {
        ...withStep(state, event.step, (step) => ({ ...step, evidence: { ...step.evidence, ...event.evidence } })),
        facts: { ...state.facts, ...event.evidence },
      };
    case 'step-finished':
      if (working?.id !== event.step) return `step ${event.step} ends while it is not at work`;
      return withCurrent({
        ...withStep(state, event.step, (step) => ({
          ...step,
          status: event.outcome === 'not-needed' ? 'not-needed' : 'done',
          endedAt: at,
          evidence: { ...step.evidence, ...event.evidence },
        })),
        facts: { ...state.facts, ...event.evidence },
        interruptedStep: '',
      });
    case 'step-failed':
      if (working?.id !== event.step) return `step ${event.step} fails while it is not at work`;
      return {
        ...withStep(state, event.step, (step) => ({ ...step, status: 'failed', endedAt: at, failure: event.failure })),
        interruptedStep: '',
      };
    case 'deviation':
      if (event.step !== '' && !state.steps.some((step) => step.id === event.step))
        return `a deviation names a step that is not in the plan: ${event.step}`;
      return { ...state, deviations: [...state.deviations, { step: event.step, text: event.text, at }] };
    case 'run-finished':
      if (event.events !== count)
        return `the end of the run counts ${event.events.toString()} events, but there are ${count.toString()}`;
      if (working !== undefined) return `the run ends while ${working.id} is at work`;
      if (event.outcome === 'completed' && !state.steps.every(isFinished))
        return 'the run is completed before all its steps are';
      return { ...state, status: event.outcome, endedAt: at, interruptedStep: '' };
  }
}

const damaged = (runId: string, number: number, reason: string): Result<never> =>
  failure(
    'Custody_JournalDamaged',
    `Record ${number.toString()} of the journal of run ${runId} is not one this program can have written there: ${reason}.`,
    'Keep the file as it is for the auditor and start a new run. Nothing was changed.',
    { record: number },
  );

/**
 * Draws a run's state from its journal.
 * @param records events with their times, in order; events are parsed, not trusted
 * @returns the state; a step at work stays 'working' and is named in `interruptedStep` once the run was
 * resumed. Custody_RunNotFound for no records, Custody_JournalDamaged for an order that cannot be
 */
export function foldRun(runId: string, records: readonly JournalEntry[]): Result<RunState> {
  return foldOn(runId, undefined, records, 0);
}

/**
 * The same, going on from a state.
 * @param before what `foldRun` answered for the first `count` of these records; undefined for none
 */
export function foldOn(
  runId: string,
  before: RunState | undefined,
  records: readonly JournalEntry[],
  count: number,
): Result<RunState> {
  let state = before;
  for (const [offset, record] of records.slice(count).entries()) {
    const index = count + offset;
    const parsed = runEventSchema.safeParse(record.event);
    if (!parsed.success) return damaged(runId, index + 1, 'its content has an unknown form');
    const event: RunEvent = parsed.data;
    if (state === undefined) {
      if (event.type !== 'run-started') return damaged(runId, index + 1, 'the run does not begin with its start');
      if (event.workflow !== event.plan.workflow) return damaged(runId, index + 1, 'workflow and plan differ');
      state = begin(runId, event, record.at);
      continue;
    }
    const next = advance(state, event, record.at, index + 1);
    if (typeof next === 'string') return damaged(runId, index + 1, next);
    state = next;
  }
  if (state === undefined) {
    return failure('Custody_RunNotFound', `Run ${runId} has no records.`, 'Start a new run.');
  }
  return success(state);
}

/** A step at work in the journal while no process works on it: the earlier process ended in the middle. */
export function asInterrupted(state: RunState): RunState {
  const working = state.steps.find((step) => step.status === 'working');
  return working === undefined
    ? state
    : { ...withStep(state, working.id, (step) => ({ ...step, status: 'current' })), interruptedStep: working.id };
}
