import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import type { RolloutState } from '../../workflows/cluster-ports.ts';
import { objectInWords } from '../../workflows/cluster-push.ts';
import type { Failure } from '../../workflows/failures.ts';
import { failure } from '../../workflows/failures.ts';
import type { EffectResult, RolloutWatch, StepContext } from './context.ts';
import { done } from './context.ts';

type EffectOf<Kind extends ClusterEffect['kind']> = Extract<ClusterEffect, { kind: Kind }>;

/** A look is a kubectl process or two; images and first starts take minutes. */
const usualWatch: RolloutWatch = { interval: 2_000, patience: 180_000 };

/** One look can meet a restart, or a server that is just being updated. */
const looksBeforeFailure = 3;

const inWords = (rollouts: readonly RolloutState[]): string =>
  rollouts.map(({ reference, text }) => `${objectInWords(reference)}: ${text}`).join('; ');

/** What a person needs to see of a rollout that fails: its newest events and the end of its logs. */
function failureOf(rollouts: readonly RolloutState[]): { readonly ok: false; readonly error: Failure } {
  const failing = rollouts.filter(({ state }) => state === 'failed');
  return failure(
    'Cluster_RolloutFailed',
    `The rollout fails: ${failing.map((one) => [inWords([one]), ...one.lines.slice(-3)].join(' — ')).join('; ')}`,
    'The push is in. Look at the events and logs in the details; when the cause is mended press the button to watch on, or undo the push.',
    { lines: failing.flatMap(({ lines }) => lines.slice(-40)).join('\n') },
  );
}

/** Looks until all is ready, each change to the journal. Changes nothing, so it may be left and begun again at any time. */
export async function watchRollout(context: StepContext, effect: EffectOf<'cluster.watch-rollout'>): EffectResult {
  const { interval, patience } = context.ports.rolloutWatch ?? usualWatch;
  let told = context.noted['rollouts'] ?? '';
  let lastChange = performance.now();
  let badLooks = 0;
  for (;;) {
    const looked = await context.ports.clusters.lookAtRollouts(effect.cluster, effect.references);
    if (looked.ok) {
      const rollouts = inWords(looked.value);
      if (looked.value.every(({ state }) => state === 'ready')) return done({ rollouts });
      if (rollouts !== told) {
        const noted = await context.note({ rollouts });
        if (!noted.ok) return noted;
        told = rollouts;
        lastChange = performance.now();
      }
    }
    const isBad = !looked.ok || looked.value.some(({ state }) => state === 'failed');
    badLooks = isBad ? badLooks + 1 : 0;
    const isOver = performance.now() - lastChange > patience;
    if (badLooks >= looksBeforeFailure || (isBad && isOver)) return looked.ok ? failureOf(looked.value) : looked;
    if (isOver) {
      return failure(
        'Cluster_TimedOut',
        `The rollout is not ready, and nothing has changed for a while: ${told}.`,
        'The push is in. Press the button to watch on, or look at the workload’s events.',
        { rollouts: told },
      );
    }
    await delay(interval);
  }
}
