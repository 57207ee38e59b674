import { existsSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

/**
 * A host's side of its channel: Electron's `process.parentPort` in a utility process, Node's own channel
 * (`process.send`) under child_process.fork. Typed by shape, so that a host imports no electron.
 */
export interface ParentPort {
  postMessage(message: object): void;
  onMessage(listener: (message: unknown) => void): void;
}

interface UtilityParentPort {
  postMessage(message: unknown): void;
  on(event: 'message', listener: (event: { readonly data: unknown }) => void): unknown;
}

function isUtilityParentPort(value: unknown): value is UtilityParentPort {
  return (
    typeof value === 'object' &&
    value !== null &&
    'postMessage' in value &&
    typeof value.postMessage === 'function' &&
    'on' in value &&
    typeof value.on === 'function'
  );
}

/** Several requests of one turn come as one message (see `host-client.ts`). */
function deliver(message: unknown, listener: (message: unknown) => void): void {
  if (!Array.isArray(message)) listener(message);
  else for (const one of message) listener(one);
}

/**
 * The channel to the process that started this one, or undefined where there is none (run by hand).
 * When a forked host's parent goes away the host ends at once, and with it every secret that it holds.
 * Electron ends its utility processes by itself.
 * @param beforeEnding what must be finished first all the same: a reply that cannot be asked for again
 */
export function openParentPort(beforeEnding: () => Promise<unknown> = () => Promise.resolve()): ParentPort | undefined {
  const utilityPort: unknown = 'parentPort' in process ? process.parentPort : undefined;
  if (isUtilityParentPort(utilityPort)) {
    return {
      postMessage: (message) => {
        utilityPort.postMessage(message);
      },
      onMessage: (listener) => {
        utilityPort.on('message', (event) => {
          deliver(event.data, listener);
        });
      },
    };
  }
  if (process.send === undefined) return undefined;
  process.on('disconnect', () => {
    void beforeEnding().finally(() => process.exit(0));
  });
  return {
    postMessage: (message) => {
      if (process.connected) process.send?.(message);
    },
    onMessage: (listener) => {
      process.on('message', (message: unknown) => {
        deliver(message, listener);
      });
    },
  };
}

/** Ends the host, non-zero and silent, at any error that nothing expected: its message could hold anything. */
export function exitOnUncaughtErrors(): void {
  process.on('uncaughtException', () => process.exit(70));
  process.on('unhandledRejection', () => process.exit(70));
}

/** Linux: a core dump of this process then holds no memory at all (core(5), coredump_filter). Elsewhere there is no such file. */
export function keepMemoryOutOfCoreDumps(): void {
  const filter = '/proc/self/coredump_filter';
  if (existsSync(filter)) writeFileSync(filter, '0x0');
}

/** V8's ways to collect garbage in small steps: by timers once a process rests, and on further threads. */
const stepwiseCollection = ['--no-memory-reducer', '--no-incremental-marking', '--no-concurrent-sweeping'] as const;

/**
 * Lets a host that nobody asks anything sleep. Otherwise V8 goes on tidying its memory in steps for a minute after
 * each thing that it did, with some fifty wake-ups a time on five threads. A host's few megabytes are collected in one
 * go where they have to be, which takes milliseconds. Call this first: the flags hold for collections that begin later.
 */
export function collectGarbageAtOnce(): void {
  for (const flag of stepwiseCollection) setFlagsFromString(flag);
}
