/**
 * Starts of host processes, at most one in a turn of the event loop. Starting one holds the desktop's main process up
 * for 5 to 20 ms; at the start of the app and at an unlock several are wanted at once, and nothing else, a click or a
 * frame, came in between.
 */
import type { HostLauncher, HostProcess } from './host-process.ts';

/** A process that is started in a later turn: what it is told meanwhile it is told then. */
function startLater(start: () => HostProcess, later: (work: () => void) => void): HostProcess {
  const messages: unknown[] = [];
  const messageListeners: ((message: unknown) => void)[] = [];
  const exitListeners: ((code: number | null) => void)[] = [];
  let started: HostProcess | undefined;
  let killed = false;
  later(() => {
    if (killed) return;
    started = start();
    for (const listener of messageListeners) started.onMessage(listener);
    for (const listener of exitListeners) started.onExit(listener);
    for (const message of messages.splice(0)) started.postMessage(message);
  });
  return {
    get pid() {
      return started?.pid;
    },
    postMessage: (message) => {
      if (started !== undefined) started.postMessage(message);
      else messages.push(message);
    },
    onMessage: (listener) => {
      if (started !== undefined) started.onMessage(listener);
      else messageListeners.push(listener);
    },
    onExit: (listener) => {
      if (started !== undefined) started.onExit(listener);
      else if (killed) listener(null);
      else exitListeners.push(listener);
    },
    kill: () => {
      if (started !== undefined) {
        started.kill();
        return;
      }
      if (killed) return;
      killed = true;
      for (const listener of exitListeners) listener(null);
    },
  };
}

/**
 * The launcher that starts the first host of a turn at once, and each further one in a turn of its own.
 * @param nextTurn calls back in the next turn; setImmediate but for tests
 */
export function oneStartATurn(
  launch: HostLauncher,
  nextTurn: (callback: () => void) => void = (callback) => void setImmediate(callback),
): HostLauncher {
  const waiting: (() => void)[] = [];
  let startedInThisTurn = false;
  const noteStart = (): void => {
    startedInThisTurn = true;
    nextTurn(() => {
      startedInThisTurn = false;
      const next = waiting.shift();
      if (next === undefined) return;
      noteStart();
      next();
    });
  };
  return (entry, argumentList, environment) => {
    const start = (): HostProcess => launch(entry, argumentList, environment);
    if (startedInThisTurn) return startLater(start, (work) => void waiting.push(work));
    noteStart();
    return start();
  };
}
