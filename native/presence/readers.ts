/**
 * Follows the card readers of PC/SC. The library's own thread waits inside the service, so nothing is polled.
 * While the service cannot be reached, its socket's folder is watched and it is tried again now and then.
 */
import { createRequire } from 'node:module';
import type * as PcscMini from 'pcsc-mini';
import type { Presence, Reader } from './protocol.ts';
import { watchFolder } from './watch-folder.ts';

type PcscLibrary = typeof PcscMini;
type PcscClient = PcscMini.Client;

const require = createRequire(import.meta.url);

/** pcscd's socket, `/run/pcscd/pcscd.comm` (pcsc-lite, Linux). */
const socketFolder = '/run/pcscd';
const retryMilliseconds = 10_000;

export interface ReaderWatch {
  readonly state: Presence['pcsc'];
  readonly readers: readonly Reader[];
  stop(): void;
}

function stateOfError(code: string): Presence['pcsc'] {
  switch (code) {
    case 'NoService':
    case 'ServiceStopped':
    case 'CommError':
    case 'CommDataLost':
      return 'not-running';
    case 'SecurityViolation':
    case 'AccessDenied':
    case 'NoAccess':
      return 'not-permitted';
    default:
      return 'failed';
  }
}

function codeOf(cause: unknown): string {
  return typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string'
    ? cause.code
    : '';
}

/** Starts following. `changed` is called after a reader or card has come or gone, or the service has. */
export function watchReaders(changed: () => void): ReaderWatch {
  let library: PcscLibrary | undefined;
  let client: PcscClient | undefined;
  let state: Presence['pcsc'] = 'not-running';
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  const readers = new Map<string, Reader>();
  /** Clients that the service left, kept from being collected as garbage: that would end this process (native/pcsc/readers.ts). */
  const ended: PcscClient[] = [];

  function lose(next: Presence['pcsc']): void {
    const before = state;
    const gone = client;
    client = undefined;
    if (gone !== undefined) ended.push(gone);
    readers.clear();
    state = next;
    try {
      gone?.stop();
    } catch (cause) {
      // The service went away under it: there is nothing left to stop.
      if (codeOf(cause) === '') throw cause;
    }
    if (before !== next || gone !== undefined) changed();
    if (stopped || next === 'library-missing') return;
    clearTimeout(retry);
    retry = setTimeout(connect, retryMilliseconds);
  }

  function connect(): void {
    if (stopped || client !== undefined) return;
    clearTimeout(retry);
    try {
      library ??= require('pcsc-mini') as PcscLibrary;
    } catch {
      // The service's library is not installed, or none for this machine is in the package.
      lose('library-missing');
      return;
    }
    const { Client, ReaderStatus } = library;
    const made = new Client();
    made.on('error', (error) => {
      if (client === made) lose(stateOfError(error.code));
    });
    made.on('reader', (reader) => {
      const name = reader.name();
      readers.set(name, { name, state: 'empty' });
      // The answer to reset that comes along is not used: by the time it is read its bytes may be another reader's.
      reader.on('change', (status) => {
        const described = status.has(ReaderStatus.MUTE)
          ? 'unresponsive'
          : !status.has(ReaderStatus.PRESENT)
            ? 'empty'
            : status.has(ReaderStatus.EXCLUSIVE)
              ? 'card-in-exclusive-use'
              : 'card';
        const before = readers.get(name);
        readers.set(name, { name, state: described });
        // Another program's use of a card changes the flags too; nobody need look again for that.
        if (before?.state !== described) changed();
      });
      reader.on('disconnect', () => {
        readers.delete(name);
        changed();
      });
      changed();
    });
    try {
      client = made;
      made.start();
      state = 'running';
      changed();
    } catch (cause) {
      client = undefined;
      lose(stateOfError(codeOf(cause)));
    }
  }

  const stopWatchingSocket = watchFolder(socketFolder, connect);
  connect();

  return {
    get state() {
      return state;
    },
    get readers() {
      return [...readers.values()].sort((one, other) => one.name.localeCompare(other.name));
    },
    stop() {
      stopped = true;
      clearTimeout(retry);
      stopWatchingSocket();
      lose('not-running');
    },
  };
}
