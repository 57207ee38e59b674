import type { Failure, Result } from '../../workflows/failures.ts';
import type { Plan } from '../../workflows/plans.ts';
import type { EscrowPort, OutboxPort, PromptPort, SharePort, TokenPort, VaultPort } from '../../workflows/ports.ts';
import type { Evidence, StepDefinition } from '../../workflows/run.ts';

/** What effects act through. */
export interface EffectPorts {
  readonly tokens: TokenPort;
  readonly shares: SharePort;
  readonly vault: VaultPort;
  readonly prompt: PromptPort;
  readonly escrow: EscrowPort;
  readonly outbox: OutboxPort;
}

/** One attempt at one step. */
export interface StepContext {
  readonly runId: string;
  readonly plan: Plan;
  readonly definition: StepDefinition;
  /** Evidence of the whole run so far. */
  readonly facts: Evidence;
  /** What earlier attempts at this step noted: how an effect tells what it has begun before. */
  readonly noted: Evidence;
  readonly ports: EffectPorts;
  /** `storeId serial` of the tokens seen logged in since the person pressed the button. */
  readonly loggedIn: Set<string>;
  /** Puts evidence into the journal now, before what follows. */
  note(evidence: Evidence): Promise<Result<unknown>>;
  /** Puts a deviation into the journal. */
  deviate(text: string): Promise<Result<unknown>>;
}

export interface EffectOutcome {
  readonly outcome: 'done' | 'found-done' | 'not-needed';
  readonly evidence: Evidence;
}

export type EffectResult = Promise<Result<EffectOutcome>>;

export function done(evidence: Evidence): { readonly ok: true; readonly value: EffectOutcome } {
  return { ok: true, value: { outcome: 'done', evidence } };
}

export function foundDone(evidence: Evidence): { readonly ok: true; readonly value: EffectOutcome } {
  return { ok: true, value: { outcome: 'found-done', evidence } };
}

export function notNeeded(evidence: Evidence): { readonly ok: true; readonly value: EffectOutcome } {
  return { ok: true, value: { outcome: 'not-needed', evidence } };
}

/** Passes a failure on under another result type. */
export function failed(error: Failure): { readonly ok: false; readonly error: Failure } {
  return { ok: false, error };
}
