/**
 * Carries runs out: each event is on disk before the next effect starts, each effect looks first whether
 * it took place. A run can be left, or cut off, at any point and taken up again from its journal.
 */
import type { RunSnapshot, Runner } from '../core/core.ts';
import { abandonName, stepsOf } from '../workflows/definitions.ts';
import type { Failure, Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import { asInterrupted, foldOn, nextStep } from '../workflows/fold.ts';
import type { Plan } from '../workflows/plans.ts';
import { planSchema } from '../workflows/plans.ts';
import type { JournalPort } from '../workflows/ports.ts';
import type { RunEvent, RunState, StepDefinition } from '../workflows/run.ts';
import type { EffectPorts, Seen, StepContext } from './interpreter/context.ts';
import { nothingSeen } from './interpreter/context.ts';
import { perform, performAtOnce, readAhead } from './interpreter/perform.ts';

export interface RunnerOptions extends EffectPorts {
  readonly journal: JournalPort;
  readonly appVersion: string;
  /** Name of this machine, for the transcript. */
  readonly host: string;
  readonly newRunId: (rehearsal: boolean) => string;
  /** Called once when a run is completed, before its last snapshot is given out. */
  readonly completed?: (state: RunState) => Promise<void>;
}

interface Loaded {
  readonly state: RunState;
  readonly head: string;
}

const internalFailure = (cause: unknown): Failure =>
  failure(
    'App_Internal',
    'The program met a state it was not made for.',
    'Press the button again: the step looks first at what took place. If it stays so, report it with the details.',
    { kind: cause instanceof Error ? cause.name : typeof cause },
  ).error;

/** Makes the one runner of a process. */
export function createRunner(options: RunnerOptions): Runner {
  const busy = new Set<string>();
  /** Runs that this process has begun or taken up: what they have under way is not interrupted. */
  const takenUp = new Set<string>();
  /** Runs whose last record is being written, and deviations that are on their way to the disk. */
  const ending = new Set<string>();
  const notesUnderWay = new Map<string, Set<Promise<Result<unknown>>>>();
  const listeners = new Set<(runId: string) => void>();
  /** States by the list of records they were folded from, which grows: each record is folded once. */
  const foldedFrom = new WeakMap<object, { readonly count: number; readonly state: RunState }>();

  const changed = (runId: string): void => {
    for (const listener of listeners) listener(runId);
  };

  const load = async (runId: string): Promise<Result<Loaded>> => {
    const read = await options.journal.read(runId);
    if (!read.ok) return read;
    const known = foldedFrom.get(read.value);
    const folded = foldOn(runId, known?.state, read.value, known?.count ?? 0);
    if (!folded.ok) return folded;
    foldedFrom.set(read.value, { count: read.value.length, state: folded.value });
    return success({ state: folded.value, head: read.value.at(-1)?.hash ?? '' });
  };

  const append = async (runId: string, event: RunEvent): Promise<Result<unknown>> => {
    const appended = await options.journal.append(runId, event);
    if (appended.ok) changed(runId);
    return appended;
  };

  const snapshotOf = (loaded: Loaded, problem: Failure | undefined): RunSnapshot => {
    const working = busy.has(loaded.state.runId);
    return {
      state: working ? loaded.state : asInterrupted(loaded.state),
      definitions: stepsOf(loaded.state.plan),
      busy: working,
      journalHead: loaded.head,
      problem,
    };
  };

  const snapshot = async (runId: string): Promise<Result<RunSnapshot>> => {
    const loaded = await load(runId);
    return loaded.ok ? success(snapshotOf(loaded.value, undefined)) : loaded;
  };

  /** Takes the run for one caller; everything that appends to a journal goes through here. */
  const exclusively = async (
    runId: string,
    act: (loaded: Loaded) => Promise<Result<unknown>>,
  ): Promise<Result<RunSnapshot>> => {
    if (busy.has(runId))
      return failure(
        'Custody_RunBusy',
        'A step of this run is being carried out.',
        'Wait until it ends, or close its prompt.',
      );
    busy.add(runId);
    changed(runId);
    try {
      const loaded = await load(runId);
      if (!loaded.ok) return loaded;
      if (loaded.value.state.status !== 'open')
        return failure('Custody_RunEnded', 'This run has ended.', 'Start a new run.');
      const acted = await act(loaded.value);
      if (!acted.ok) return acted;
    } finally {
      busy.delete(runId);
      changed(runId);
    }
    return snapshot(runId);
  };

  /** Says in the journal that another process had been at work, once per process. */
  const takeUp = async (runId: string, state: RunState, by: string): Promise<Result<unknown>> => {
    // A step that is at work while nobody carries it out: its process ended, or the disk had no room for its end.
    const leftAtWork = state.steps.some((step) => step.status === 'working');
    if (takenUp.has(runId) && !leftAtWork) return success({});
    if (state.steps.some((step) => step.attempts > 0)) {
      const resumed = await append(runId, { type: 'run-resumed', by });
      if (!resumed.ok) return resumed;
    }
    takenUp.add(runId);
    return success({});
  };

  const contextOf = (state: RunState, definition: StepDefinition, seen: Seen): StepContext => ({
    runId: state.runId,
    plan: state.plan,
    definition,
    facts: state.facts,
    noted: state.steps.find((step) => step.id === definition.id)?.evidence ?? {},
    ports: options,
    seen,
    note: (evidence) => append(state.runId, { type: 'step-noted', step: definition.id, evidence }),
    deviate: (text) => append(state.runId, { type: 'deviation', step: definition.id, text }),
  });

  /** The event with which a step ends; a fault of the program is a failure of the step, not the end of the app. */
  const carryOut = async (
    context: StepContext,
  ): Promise<Extract<RunEvent, { type: 'step-finished' | 'step-failed' }>> => {
    const step = context.definition.id;
    try {
      const result = await perform(context);
      return result.ok
        ? { type: 'step-finished', step, ...result.value }
        : { type: 'step-failed', step, failure: result.error };
    } catch (cause) {
      return { type: 'step-failed', step, failure: internalFailure(cause) };
    }
  };

  /** Writes the run's end, which counts the records before it: nothing may come in between. */
  const finish = async (runId: string, outcome: 'completed' | 'abandoned', by: string): Promise<Result<unknown>> => {
    ending.add(runId);
    try {
      await Promise.all([...(notesUnderWay.get(runId) ?? [])]);
      const read = await options.journal.read(runId);
      return read.ok ? await append(runId, { type: 'run-finished', outcome, by, events: read.value.length + 1 }) : read;
    } finally {
      ending.delete(runId);
    }
  };

  /**
   * Writes how a step ended and, in one go, all that follows from it with nothing taking place in between: the
   * start of an automatic step, a step that what was just seen answers, the end of the run.
   * @returns the step whose start is on disk, '' for none
   */
  const conclude = async (
    state: RunState,
    definition: StepDefinition,
    end: RunEvent,
    seen: Seen,
    by: string,
  ): Promise<Result<{ readonly started: string; readonly ended: boolean }>> => {
    const { runId } = state;
    const events = [end];
    let started = '';
    let finished: readonly string[] = [definition.id];
    let next = end.type === 'step-finished' ? nextAfter(state, finished) : undefined;
    while (next?.pace === 'automatic' && next.danger === undefined) {
      events.push({ type: 'step-started', step: next.id, by });
      const context = contextOf(state, next, seen);
      const atOnce = performAtOnce(context);
      if (atOnce === undefined) {
        started = next.id;
        readAhead(context);
        break;
      }
      events.push({ type: 'step-finished', step: next.id, ...atOnce });
      finished = [...finished, next.id];
      next = nextAfter(state, finished);
    }
    const ended = end.type === 'step-finished' && next === undefined;
    try {
      if (ended) {
        ending.add(runId);
        await Promise.all([...(notesUnderWay.get(runId) ?? [])]);
        const read = await options.journal.read(runId);
        if (!read.ok) return read;
        events.push({ type: 'run-finished', outcome: 'completed', by, events: read.value.length + events.length + 1 });
      }
      for (const written of await Promise.all(events.map((event) => append(runId, event)))) {
        if (!written.ok) return written;
      }
    } finally {
      ending.delete(runId);
    }
    return success({ started, ended });
  };

  const noteDeviation: Runner['noteDeviation'] = async (runId, step, text) => {
    const loaded = await load(runId);
    if (!loaded.ok) return loaded;
    if (loaded.value.state.status !== 'open' || ending.has(runId)) {
      return failure(
        'Custody_RunEnded',
        'This run has ended; its journal is closed.',
        'Write the deviation on the printed transcript, with your name and the time.',
      );
    }
    if (step !== '' && !loaded.value.state.steps.some(({ id }) => id === step)) {
      return failure('App_BadRequest', 'This run has no such step.', 'Choose one of its steps.');
    }
    const appending = append(runId, { type: 'deviation', step, text });
    const underWay = notesUnderWay.get(runId) ?? new Set<Promise<Result<unknown>>>();
    notesUnderWay.set(runId, underWay.add(appending));
    const noted = await appending;
    underWay.delete(appending);
    return noted.ok ? snapshot(runId) : noted;
  };

  const proceed: Runner['proceed'] = (runId, { by, typedName, throughDeliberateSteps }) =>
    exclusively(runId, async (loaded) => {
      const taken = await takeUp(runId, loaded.state, by);
      if (!taken.ok) return taken;
      const seen = nothingSeen();
      const completed = async (): Promise<Result<unknown>> => {
        const finished = await load(runId);
        if (finished.ok) await options.completed?.(finished.value.state);
        return success({});
      };
      let started = '';
      for (let first = true; ; first = false) {
        const current = await load(runId);
        if (!current.ok) return current;
        const definition = nextStep(current.value.state);
        if (definition === undefined) {
          const ended = await finish(runId, 'completed', by);
          return ended.ok ? completed() : ended;
        }
        if (!first && definition.pace !== 'automatic' && !throughDeliberateSteps) return success({});
        if (definition.danger !== undefined && definition.danger.typedName !== typedName) {
          return failure(
            'Custody_ConfirmationMismatch',
            `What was typed is not “${definition.danger.typedName}”.`,
            'Type the name exactly as it is shown, or leave the step.',
          );
        }
        if (started !== definition.id) {
          const begun = await append(runId, { type: 'step-started', step: definition.id, by });
          if (!begun.ok) return begun;
        }
        const atWork = await load(runId);
        if (!atWork.ok) return atWork;
        const end = await carryOut(contextOf(atWork.value.state, definition, seen));
        const concluded = await conclude(atWork.value.state, definition, end, seen, by);
        if (!concluded.ok) return concluded;
        if (concluded.value.ended) return completed();
        if (end.type === 'step-failed') return success({});
        started = concluded.value.started;
      }
    });

  const start: Runner['start'] = async (plan, by) => {
    const checked = planSchema.safeParse(plan);
    if (!checked.success) {
      const issue = checked.error.issues[0];
      return failure(
        'Custody_PlanInvalid',
        `The plan cannot be carried out: ${issue?.message ?? 'it has an unknown form'}`,
        'Correct it and start again. Nothing was done.',
        {
          field: issue?.path.join('.') ?? '',
        },
      );
    }
    const runId = options.newRunId(plan.rehearsal);
    const begun = await append(runId, {
      type: 'run-started',
      workflow: checked.data.workflow,
      plan: checked.data,
      by,
      host: options.host,
      appVersion: options.appVersion,
    });
    if (!begun.ok) return begun;
    takenUp.add(runId);
    return success({ runId });
  };

  return {
    start,
    proceed,
    abandon: (runId, { by, typedName }) =>
      exclusively(runId, async (loaded) => {
        const name = abandonName(loaded.state);
        if (name !== '' && name !== typedName) {
          return failure(
            'Custody_ConfirmationMismatch',
            `This run’s values are not all in their places: for some the encrypted copy on disk may be the only one. To abandon it, its name must be typed: “${name}”.`,
            'Go on with the run instead, or type the name.',
          );
        }
        if (loaded.state.steps.some((step) => step.status === 'working')) {
          const resumed = await append(runId, { type: 'run-resumed', by });
          if (!resumed.ok) return resumed;
        }
        return finish(runId, 'abandoned', by);
      }),
    noteDeviation,
    snapshot,
    list: async () => {
      const ids = await options.journal.listRunIds();
      if (!ids.ok) return [];
      const found = await Promise.all(
        ids.value.map(async (runId): Promise<RunSnapshot | undefined> => {
          const one = await snapshot(runId);
          if (one.ok) return one.value;
          return one.error.code === 'Custody_RunNotFound' ? undefined : damagedSnapshot(runId, one.error);
        }),
      );
      return found
        .filter((one) => one !== undefined)
        .sort((left, right) => orderOf(right.state.runId).localeCompare(orderOf(left.state.runId)));
    },
    subscribe: (listener) => {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/** The step that follows when these have ended well. */
function nextAfter(state: RunState, finished: readonly string[]): StepDefinition | undefined {
  const open = state.steps.find(
    (step) => !finished.includes(step.id) && step.status !== 'done' && step.status !== 'not-needed',
  );
  return stepsOf(state.plan).find((candidate) => candidate.id === open?.id);
}

/** Run ids begin with their time once the mark of a rehearsal is off. */
const orderOf = (runId: string): string => runId.replace(/^rehearsal-/u, '');

const unreadablePlan: Plan = {
  workflow: 'token-setup',
  rehearsal: false,
  storeId: 'unreadable',
  storeName: '',
  slotId: 0,
  expectedSerial: '',
  initialize: false,
  currentLabel: '',
  label: 'Unreadable journal',
  keyLabel: 'unreadable',
  modulusBits: 2048,
};

/** What stands in the list for a run whose journal is damaged: its id, its time and what is wrong, and no steps. */
function damagedSnapshot(runId: string, problem: Failure): RunSnapshot {
  const [, date, time] = /^([0-9]{8})T([0-9]{6})Z/u.exec(orderOf(runId)) ?? [];
  const startedAt =
    date === undefined || time === undefined
      ? ''
      : `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}T${time.slice(0, 2)}:${time.slice(2, 4)}:${time.slice(4)}.000Z`;
  return {
    state: {
      runId,
      workflow: unreadablePlan.workflow,
      plan: { ...unreadablePlan, rehearsal: runId.startsWith('rehearsal-') },
      startedBy: '',
      startedAt,
      endedAt: '',
      status: 'abandoned',
      steps: [],
      facts: {},
      deviations: [],
      interruptedStep: '',
    },
    definitions: [],
    busy: false,
    journalHead: '',
    problem,
  };
}
