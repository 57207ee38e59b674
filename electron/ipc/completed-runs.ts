/** What a completed run changed is looked at there and then, so that the next plan finds it. */
import { toReference } from './observed-tokens.ts';
import type { HandlerContext } from './handlers/context.ts';
import type { RunSnapshot } from '../core/core.ts';
import { placeOf } from '../workflows/definitions.ts';
import type { Plan } from '../workflows/plans.ts';
import type { TokenReference } from '../workflows/ports.ts';

type Parts = Pick<HandlerContext, 'core' | 'lock' | 'tokens' | 'clusters' | 'runs' | 'changed'>;

/** The second device of a run that has two. */
function targetOf(plan: Plan): TokenReference | undefined {
  return 'target' in plan ? { storeId: plan.target.storeId, serial: plan.target.serial } : undefined;
}

async function look({ core, lock, tokens, clusters, changed }: Parts, { state }: RunSnapshot): Promise<void> {
  const place = placeOf(state.plan);
  if (place.kind === 'token') {
    await tokens.refresh();
    // A token that was initialised in the run got its serial there.
    const token = toReference(place.storeId, state.facts['serial'] ?? place.serial);
    // Its keys, too: an initialisation cannot be planned without them.
    for (const one of [token, targetOf(state.plan)]) if (one !== undefined && !lock.locked) await tokens.inspect(one);
    return;
  }
  if (place.kind === 'cluster') {
    // What was just pushed is as it was pushed; what another push left is compared anew.
    await clusters.checkDrift('');
    changed();
    return;
  }
  await core.watch.refresh(place.vaultId);
  changed();
}

/**
 * After a run that is about a token the tokens are listed and what lies on it is read; after any other run its
 * server is asked for its seal state. Not while the app is locked: unlocking looks at everything anew.
 */
export function followCompletedRuns(parts: Parts): void {
  const { runs, lock } = parts;
  const known = new Set<string>();
  runs.subscribe((runId) => {
    for (const run of runs.runs) {
      const id = run.state.runId;
      if (run.state.status !== 'completed' || known.has(id)) continue;
      known.add(id);
      // '' stands for all: those were completed before anybody looked.
      if (id === runId && !lock.locked) void look(parts, run);
    }
  });
}
