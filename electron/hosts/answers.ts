/** What the ports of single hosts share: which variables a host gets, and what became of a request in words. */
import type { z } from 'zod';
import {
  failure,
  success,
  type AppFailureCode,
  type Failure,
  type FailureCode,
  type Result,
} from '../workflows/failures.ts';
import type { HostOutcome } from './host-client.ts';

/** Those of these variables that are set. */
export function setVariables(given: NodeJS.ProcessEnv, names: readonly string[]): Readonly<Record<string, string>> {
  const environment: Record<string, string> = {};
  for (const name of names) {
    const value = given[name];
    if (value !== undefined && value !== '') environment[name] = value;
  }
  return environment;
}

export interface HostWords<Code extends FailureCode> {
  /** 'cluster process' */
  readonly process: string;
  /** The code for a host that ended or did not answer. */
  readonly ended: Code;
  /** The host's own failures. */
  readonly failures: z.ZodType<Failure<Code>>;
}

/**
 * What became of one request: the parsed reply, the host's own failure, or that it ended. A host that says what its
 * protocol does not know counts as one that ended.
 */
export function answerOf<Value, Code extends FailureCode>(
  outcome: HostOutcome,
  reply: z.ZodType<Value>,
  words: HostWords<Code>,
): Result<Value, Code | AppFailureCode> {
  if (outcome.kind === 'value') {
    const value = reply.safeParse(outcome.value);
    if (value.success) return success(value.data);
  }
  if (outcome.kind === 'failure') {
    const said = words.failures.safeParse(outcome.error);
    if (said.success) return { ok: false, error: said.data };
  }
  if (outcome.kind === 'closed') {
    return failure(
      'App_Locked',
      'The app was locked or closed meanwhile.',
      'Unlock it and begin the step again; it looks first at what took place.',
    );
  }
  return failure(
    words.ended,
    outcome.kind === 'hung'
      ? `The ${words.process} did not answer and was ended.`
      : `The ${words.process} ended unexpectedly.`,
    'Begin the step again; it looks first at what took place.',
  );
}
