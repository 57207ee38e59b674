import type { Failure, Result } from '../../workflows/failures.ts';
import type { Plan } from '../../workflows/plans.ts';
import type {
  EscrowPort,
  OutboxPort,
  PromptPort,
  SealedSecretValue,
  SealStatus,
  SharePort,
  TokenPort,
  VaultPort,
} from '../../workflows/ports.ts';
import type { ClusterPort } from '../../workflows/cluster-ports.ts';
import type { DevicePort, ObjectPort } from '../../workflows/device-ports.ts';
import type { KmsPort } from '../../workflows/kms-ports.ts';
import type { Evidence, StepDefinition } from '../../workflows/run.ts';
import type { ReviewPort, VaultSetUpPort } from '../../workflows/vault-setup-ports.ts';

/** What effects act through. */
export interface EffectPorts {
  readonly tokens: TokenPort;
  readonly devices: DevicePort;
  readonly objects: ObjectPort;
  readonly shares: SharePort;
  readonly vault: VaultPort;
  readonly prompt: PromptPort;
  readonly escrow: EscrowPort;
  readonly outbox: OutboxPort;
  readonly clusters: ClusterPort;
  readonly kms: KmsPort;
  readonly review: ReviewPort;
  readonly vaultSetUp: VaultSetUpPort;
  /** How a rollout is watched, where it is not `usualWatch`. */
  readonly rolloutWatch?: RolloutWatch;
}

/** In milliseconds. */
export interface RolloutWatch {
  /** Between one look and the next. */
  readonly interval: number;
  /** Without any progress, after which the watch ends and waits for the person. */
  readonly patience: number;
}

/** What this process has seen since the person pressed the button. In memory only: the journal is what a run is taken up from. */
export interface Seen {
  /** `storeId serial` of the tokens seen logged in. */
  readonly loggedIn: Set<string>;
  /** Log-ins under way by the same name, so that reads in parallel open one prompt. */
  readonly loggingIn: Map<string, Promise<Result<{ readonly asked: boolean }>>>;
  /** What each node last said, by address. */
  readonly statuses: Map<string, SealStatus>;
  /** Shares that a token decrypts ahead of the step that gives them, sealed to the share host: by step and label. */
  readonly sharesAhead: Map<string, ReadonlyMap<string, Promise<Result<SealedSecretValue>>>>;
}

export function nothingSeen(): Seen {
  return { loggedIn: new Set(), loggingIn: new Map(), statuses: new Map(), sharesAhead: new Map() };
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
  readonly seen: Seen;
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
