/** What a screen reader is told when the view changes: seal states, devices and steps, not every tick. Pure. */
import type { AppView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';
import { tokenTitle } from './token-title.ts';

/** Tokens that the later view has and the earlier has not, by serial: slots move. */
function plugged(earlier: AppView, later: AppView, say: (title: string) => string): readonly string[] {
  // After a lock everything comes back at once; that is no news.
  if (earlier.locked || later.locked) return [];
  return later.tokens
    .filter((token) => token.serial !== '' && !earlier.tokens.some((each) => each.serial === token.serial))
    .map((token) => say(tokenTitle(token)));
}

export function changesToAnnounce(before: AppView, after: AppView): readonly string[] {
  const changes: string[] = [];
  for (const vault of after.vaults) {
    const old = before.vaults.find((each) => each.id === vault.id);
    if (old !== undefined && old.state !== vault.state)
      changes.push(`${vault.name}: ${text.states.vault[vault.state]}`);
  }
  for (const push of after.pushes) {
    const old = before.pushes.find((each) => each.runId === push.runId);
    if (push.drift.state === 'drifted' && old !== undefined && old.drift.state !== 'drifted')
      changes.push(text.pushes.homeNotice(text.recipes.names[push.recipe], push.context));
  }
  changes.push(...plugged(before, after, text.devices.came), ...plugged(after, before, text.devices.went));
  for (const problem of after.presence.problems) {
    if (!before.presence.problems.some((each) => each.title === problem.title)) changes.push(problem.title);
  }
  for (const run of after.runs) {
    const old = before.runs.find((each) => each.id === run.id);
    if (old === undefined) continue;
    for (const step of run.steps) {
      const oldStatus = old.steps.find((each) => each.id === step.id)?.status;
      if (oldStatus !== undefined && oldStatus !== step.status && step.status !== 'waiting') {
        changes.push(text.runs.announceStep(step.title, text.states.step[step.status]));
      }
    }
    if (old.status !== run.status) changes.push(`${run.title}: ${text.states.run[run.status]}`);
  }
  if (before.rehearsal.state !== after.rehearsal.state && after.rehearsal.progressText !== '')
    changes.push(after.rehearsal.progressText);
  return changes;
}
