/** Sends the view when something changed and it shows: at most ten times a second, never the same twice. */
import type { AppView } from '../contract/views.ts';

/** Milliseconds between two pushes: a run may change hundreds of times a second, an eye sees none of it. */
const shortestInterval = 100;

export interface ViewPublisher {
  /** Something may have changed. */
  changed(): void;
  /** Sends the view even if it is the same: a window opened that has none yet. */
  renew(): void;
  stop(): void;
}

export interface Clock {
  readonly now: () => number;
  readonly setTimer: (callback: () => void, milliseconds: number) => () => void;
}

const systemClock: Clock = {
  now: () => performance.now(),
  setTimer: (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
};

/** @param send receives each new view; throttled and only if it differs from the last one */
export function createViewPublisher(
  build: () => AppView,
  send: (view: AppView) => void,
  clock: Clock = systemClock,
): ViewPublisher {
  let lastSent = '';
  let lastTime = Number.NEGATIVE_INFINITY;
  let cancelTimer: (() => void) | undefined;
  let stopped = false;

  const publish = (): void => {
    cancelTimer = undefined;
    if (stopped) return;
    const view = build();
    const serialised = JSON.stringify(view);
    if (serialised === lastSent) return;
    lastSent = serialised;
    lastTime = clock.now();
    send(view);
  };

  const changed = (): void => {
    if (stopped || cancelTimer !== undefined) return;
    // Never at once: a burst of changes in one turn of the event loop makes one view.
    cancelTimer = clock.setTimer(publish, Math.max(0, lastTime + shortestInterval - clock.now()));
  };

  return {
    changed,
    renew() {
      lastSent = '';
      changed();
    },
    stop() {
      stopped = true;
      cancelTimer?.();
    },
  };
}
