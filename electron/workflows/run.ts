/**
 * The one machine behind every workflow. A workflow is a list of steps drawn from its plan; a run is a
 * fold over its journal. Pure: no clock, no I/O, no randomness.
 */
import type { Failure } from './failures.ts';
import type { Effect } from './effects.ts';
import type { Plan, WorkflowName } from './plans.ts';

/** Who acts in a step. */
export type Actor =
  | { readonly role: 'administrator' }
  | { readonly role: 'custodian'; readonly name: string }
  | { readonly role: 'witness'; readonly name: string };

/** Facts that a step leaves behind for the transcript and for later steps. Never a secret. */
export type Evidence = Readonly<Record<string, string | number | boolean>>;

export interface StepDefinition {
  readonly id: string;
  readonly title: string;
  readonly actor: Actor;
  /** What will happen, said before it happens. */
  readonly explanation: string;
  /** automatic: follows by itself; deliberate: waits for the main button; prompt: the button opens the prompt window. */
  readonly pace: 'automatic' | 'deliberate' | 'prompt';
  /** What a person does elsewhere before the main button: at a node, in a file. */
  readonly guide?: {
    readonly steps: readonly string[];
    /** Lines for a configuration file, with places to be filled in; '' for none. Never a secret. */
    readonly example: string;
  };
  /** Words on the main button. */
  readonly action: string;
  /** A dangerous step: the name that must be typed, and what will be lost. */
  readonly danger?: { readonly typedName: string; readonly losses: readonly string[] };
  /** Steps that must be finished first (by id). Steps run in list order; this states why. */
  readonly needs: readonly string[];
  readonly effect: Effect;
  /** Names of evidence fields that this step records. */
  readonly records: readonly string[];
}

export type RunEvent =
  | {
      readonly type: 'run-started';
      readonly workflow: WorkflowName;
      readonly plan: Plan;
      readonly by: string;
      readonly host: string;
      readonly appVersion: string;
    }
  | { readonly type: 'run-resumed'; readonly by: string }
  | { readonly type: 'step-started'; readonly step: string; readonly by: string }
  | { readonly type: 'step-noted'; readonly step: string; readonly evidence: Evidence }
  | {
      readonly type: 'step-finished';
      readonly step: string;
      readonly outcome: 'done' | 'found-done' | 'not-needed';
      readonly evidence: Evidence;
    }
  | { readonly type: 'step-failed'; readonly step: string; readonly failure: Failure }
  | { readonly type: 'deviation'; readonly step: string; readonly text: string }
  | {
      readonly type: 'run-finished';
      readonly outcome: 'completed' | 'abandoned';
      readonly by: string;
      readonly events: number;
    };

export type StepStatus = 'waiting' | 'current' | 'working' | 'done' | 'not-needed' | 'failed';

export interface StepState {
  readonly id: string;
  readonly status: StepStatus;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly attempts: number;
  readonly evidence: Evidence;
  readonly failure: Failure | undefined;
}

export interface RunState {
  readonly runId: string;
  readonly workflow: WorkflowName;
  readonly plan: Plan;
  readonly startedBy: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly status: 'open' | 'completed' | 'abandoned';
  readonly steps: readonly StepState[];
  /** All evidence so far, later steps winning: what effects are given. */
  readonly facts: Evidence;
  readonly deviations: readonly { readonly step: string; readonly text: string; readonly at: string }[];
  /** Whether an earlier process began a step and did not say how it ended. */
  readonly interruptedStep: string;
}
