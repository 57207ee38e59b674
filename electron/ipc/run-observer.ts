/** The runs as they stand: listed once, then kept up to date one by one as the runner says. */
import type { Core, RunSnapshot } from '../core/core.ts';

export interface RunObserver {
  readonly runs: readonly RunSnapshot[];
  /** Lists every run anew: at start and after a rehearsal was thrown away. */
  reload(): Promise<void>;
  /** @param listener called with the run's id after its snapshot was taken in; '' for all */
  subscribe(listener: (runId: string) => void): () => void;
}

export function createRunObserver(core: Core): RunObserver {
  const snapshots = new Map<string, RunSnapshot>();
  const listeners = new Set<(runId: string) => void>();
  const tell = (runId: string): void => {
    for (const listener of listeners) listener(runId);
  };
  const latestAsked = new Map<string, number>();
  let asked = 0;
  const update = async (runId: string): Promise<void> => {
    asked += 1;
    const own = asked;
    latestAsked.set(runId, own);
    const result = await core.runner.snapshot(runId);
    // Answers may overtake each other; only the one asked for last is taken in.
    if (latestAsked.get(runId) !== own) return;
    if (result.ok) snapshots.set(runId, result.value);
    else snapshots.delete(runId);
    tell(runId);
  };
  core.runner.subscribe((runId) => {
    void update(runId);
  });
  return {
    get runs() {
      return [...snapshots.values()];
    },
    async reload() {
      const listed = await core.runner.list();
      snapshots.clear();
      for (const snapshot of listed) snapshots.set(snapshot.state.runId, snapshot);
      tell('');
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
