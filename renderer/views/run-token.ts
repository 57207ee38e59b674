/** Which token a run was about, for the way back to it. Pure. */
import type { AppView, RunView, TokenView } from '../../electron/contract/views.ts';

const aboutVaults: ReadonlySet<RunView['workflow']> = new Set(['vault-init', 'unseal']);

/** By the serial that its steps noted, newest first; else by its subject, where that is one token's label here. */
export function tokenOfRun(view: AppView, run: RunView): TokenView | undefined {
  for (const step of run.steps.toReversed()) {
    for (const field of ['serial', 'tokenSerial'] as const) {
      const noted = step.evidence[field];
      const token = view.tokens.find((each) => each.serial !== '' && each.serial === noted);
      if (token !== undefined) return token;
    }
  }
  if (aboutVaults.has(run.workflow)) return undefined;
  const named = view.tokens.filter((each) => each.initialized && each.label === run.subject);
  return named.length === 1 ? named[0] : undefined;
}

/** Open runs that are about a token. */
export function openRunsOf(view: AppView, token: TokenView): readonly RunView[] {
  return view.runs.filter(
    (run) => run.status === 'open' && !aboutVaults.has(run.workflow) && tokenOfRun(view, run)?.serial === token.serial,
  );
}
