/**
 * The lock: sessions are logged out and the hosts ended (with every PIN and share they held), the open
 * prompt is cancelled, the window's view is emptied. Pure but for the facts it is given.
 */
import type { LockPort } from '../ipc/desktop-port.ts';

export interface LockFacts {
  /** Seconds since the person's last input anywhere on the desktop, as the system knows it. */
  readonly systemIdleSeconds: () => number;
  /** Whether the system's own screen lock or screen saver is on. */
  readonly screenLocked: () => boolean;
  readonly lockAfterMinutes: () => number;
  /** Milliseconds of a clock that does not jump. */
  readonly now: () => number;
}

export interface AppLock extends LockPort {
  /** The person did something in a window of this app or asked it for something. */
  noteActivity(): void;
  /** Looks at the clock and the screen; called every few seconds by `power-events.ts`. */
  check(): void;
}

/**
 * @param secure ends what must end; awaited before lock() answers
 * @param onChange told after `locked` changed, at once on locking: views empty before the hosts are gone
 */
export function createLock(
  facts: LockFacts,
  secure: () => Promise<void>,
  onChange: (locked: boolean) => void,
): AppLock {
  let locked = false;
  let lastActivity = facts.now();
  let securing: Promise<void> | undefined;

  const lock = (): Promise<void> => {
    if (locked) return securing ?? Promise.resolve();
    locked = true;
    onChange(true);
    securing = secure().finally(() => {
      securing = undefined;
    });
    return securing;
  };

  return {
    get locked() {
      return locked;
    },
    lock,
    unlock() {
      lastActivity = facts.now();
      if (!locked) return;
      locked = false;
      onChange(false);
    },
    noteActivity() {
      lastActivity = facts.now();
    },
    check() {
      if (locked) return;
      const limit = facts.lockAfterMinutes() * 60;
      // Own activity counts beside the system's: some desktops (Wayland) report no idle time at all.
      const idle = Math.max(facts.systemIdleSeconds(), (facts.now() - lastActivity) / 1000);
      if (idle >= limit || facts.screenLocked()) void lock();
    },
  };
}
