/** Encryption at rest on a run's page: counts by key, how far writing again is, and what is left. Pure. */
import type { AppView, ClusterContextView, RunView, StepView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';

export interface KeyCount {
  /** Where several kinds were counted in one step; '' otherwise. */
  readonly kind: string;
  readonly count: number;
  /** 'kms:v2:NAME key-1', 'identity' for what is not encrypted. */
  readonly key: string;
}

export interface EncryptionCount {
  readonly id: string;
  readonly title: string;
  readonly counted: number;
  readonly underKey: number;
  readonly underOtherKeys: number;
  readonly unencrypted: number;
  readonly byKey: readonly KeyCount[];
}

const kinds: Readonly<Record<string, string>> = text.encryption.kinds;

const numberAt = (step: StepView, name: string): number => {
  const value = step.evidence[name];
  return typeof value === 'number' ? value : 0;
};

/** @param told '12 kms:v2:NAME key-1, 3 identity', perhaps '…; deployments.apps: 4 identity' */
export function readByKey(told: string): readonly KeyCount[] {
  return told
    .split('; ')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [, kind = '', counts = part] = /^([a-z][a-z0-9.-]*): (.*)$/u.exec(part) ?? [];
      // A key's id may hold a comma: a new count begins with its number and what it lies under.
      return counts.split(/, (?=\d+ (?:identity|[a-z]+:))/u).flatMap((one) => {
        const [, count, key] = /^(\d+) (.+)$/u.exec(one) ?? [];
        return count === undefined || key === undefined ? [] : [{ kind, count: Number(count), key }];
      });
    });
}

/** The last count of each group of kinds. */
export function countsOf(run: RunView): readonly EncryptionCount[] {
  if (run.workflow !== 'kms-verify') return [];
  const counts = new Map<string, EncryptionCount>();
  for (const step of run.steps) {
    const [, id] = /^(?:count|confirm)-(.+)$/u.exec(step.id) ?? [];
    if (id === undefined || typeof step.evidence['counted'] !== 'number') continue;
    const byKey = step.evidence['byKey'];
    counts.set(id, {
      id,
      title: kinds[id] ?? id,
      counted: numberAt(step, 'counted'),
      underKey: numberAt(step, 'underKey'),
      underOtherKeys: numberAt(step, 'underOtherKeys'),
      unencrypted: numberAt(step, 'unencrypted'),
      byKey: readByKey(typeof byKey === 'string' ? byKey : ''),
    });
  }
  return [...counts.values()];
}

/** How far a step is in writing objects again; undefined for any other step. */
export function rewriteProgress(
  run: RunView,
  step: StepView,
): { readonly done: number; readonly all: number } | undefined {
  const [, id] = /^rewrite-(.+)$/u.exec(step.id) ?? [];
  if (run.workflow !== 'kms-verify' || id === undefined) return undefined;
  const counted = run.steps.find((each) => each.id === `count-${id}`);
  const all = counted === undefined ? 0 : numberAt(counted, 'counted');
  const done = numberAt(step, 'rewrittenObjects') + numberAt(step, 'goneObjects');
  // Objects that were made since the count are written again, too.
  return all === 0 ? undefined : { done: Math.min(done, all), all: Math.max(done, all) };
}

/** What a verification that only counted leaves to be written again, and where that is begun. */
export function leftToEncrypt(
  view: AppView,
  run: RunView,
): { readonly objects: number; readonly context: ClusterContextView; readonly provider: string } | undefined {
  if (run.status !== 'completed') return undefined;
  const objects = countsOf(run).reduce((sum, count) => sum + count.counted - count.underKey, 0);
  const facts = Object.assign({}, ...run.steps.map((step) => step.evidence)) as StepView['evidence'];
  const context = view.clusters.contexts.find((each) => each.context === facts['context']);
  const provider = facts['provider'];
  if (objects === 0 || context === undefined || typeof provider !== 'string') return undefined;
  return { objects, context, provider: provider.replace(/^kms:v2:/u, '') };
}
