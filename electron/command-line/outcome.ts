import type { Failure, Result } from '../workflows/failures.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** What a command comes to: said as text or as one JSON document, never both. */
export type CommandOutcome =
  | { readonly kind: 'done'; readonly value: unknown; readonly text: string }
  | {
      readonly kind: 'failed';
      readonly error: Failure;
      readonly exitCode: ExitCode;
      /** Facts beside the failure: the run and how to go on. */
      readonly value?: unknown;
      /** What is said before the failure: a table whose rows partly failed, what is wrong with a journal. */
      readonly text?: string;
      readonly resume?: string;
    };

export function done(value: unknown, text: string): CommandOutcome {
  return { kind: 'done', value, text };
}

/** A failure's exit code follows from its code: a question left unanswered is a cancellation. */
export function failed(
  error: Failure,
  more: { readonly value?: unknown; readonly text?: string; readonly resume?: string } = {},
): CommandOutcome {
  const exitCode = error.code === 'App_PromptCancelled' ? exitCodes.cancelled : exitCodes.failure;
  return { kind: 'failed', error, exitCode, ...more };
}

/** The command was written wrongly: nothing was tried. */
export function misused(error: Failure): CommandOutcome {
  return { kind: 'failed', error, exitCode: exitCodes.usage };
}

/** Carries a usage error out of the reading of options. */
export type Read<Value> = Result<Value, 'App_BadRequest'>;
