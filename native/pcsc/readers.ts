/**
 * The card readers as they are now. The binding tells of readers only by events of a thread that watches them. It is
 * started at the first piece of work and left running, asleep in the service: stopping it waits for that thread, and
 * a stop that comes before the thread has fallen asleep waits for ever (SCardCancel is lost then).
 */
import type { Client, Reader } from 'pcsc-mini';
import { setTimeout as wait } from 'node:timers/promises';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { withCard, type CardLink } from './card-link.ts';
import { failureOfPcscError, goneWithoutError } from './failures.ts';
import { loadPcscLibrary, type PcscLibrary } from './library.ts';

export interface CardReaders {
  /** Names of the readers with a card in them that answers. */
  readonly names: readonly string[];
  /** See `card-link.ts`. Token_Gone for a reader without a card. */
  withCard<Value>(name: string, work: (link: CardLink) => Promise<TokenResult<Value>>): Promise<TokenResult<Value>>;
}

/** pcscd names all readers within some milliseconds, one event each; a machine under load takes longer. */
const firstEventMilliseconds = 400;
const quietMilliseconds = 40;

interface Watch {
  readonly client: Client;
  readonly present: Map<string, Reader>;
  /** When the last event came, by performance.now(). */
  heardAt: number;
  problem: unknown;
}

let running: Watch | undefined;

/**
 * Watches whose thread has ended with an error. Kept for good: the binding frees what belongs to a client when the
 * client is collected as garbage, and after such an end that ends the process.
 */
const ended: Watch[] = [];

/** Starts watching where nothing does. Throws what the service answers. */
function watch({ Client, ReaderStatus }: PcscLibrary): Watch {
  if (running !== undefined) return running;
  const client = new Client();
  const started: Watch = { client, present: new Map(), heardAt: performance.now(), problem: undefined };
  client.on('error', (error) => {
    started.problem = error;
    // Its thread has ended with the error; the next piece of work starts another.
    if (running === started) running = undefined;
    ended.push(started);
  });
  client.on('reader', (reader) => {
    started.heardAt = performance.now();
    reader.on('change', (status) => {
      started.heardAt = performance.now();
      if (status.has(ReaderStatus.PRESENT) && !status.has(ReaderStatus.MUTE))
        started.present.set(reader.name(), reader);
      else started.present.delete(reader.name());
    });
    reader.on('disconnect', () => void started.present.delete(reader.name()));
  });
  client.start();
  running = started;
  return started;
}

/** Until the readers have been named, or nothing is heard of any; at once where that was a while ago. */
async function settle(watching: Watch): Promise<void> {
  const begun = performance.now();
  const isQuiet = (now: number): boolean =>
    now - watching.heardAt >= quietMilliseconds && (watching.present.size > 0 || now - begun >= firstEventMilliseconds);
  while (!isQuiet(performance.now()) && watching.problem === undefined) await wait(quietMilliseconds);
}

/**
 * Lends the readers to one piece of work. No card stays connected afterwards.
 * Failures: Device_PcscUnavailable, Device_PcscNotPermitted, those of the work.
 */
export async function withCardReaders<Value>(
  work: (readers: CardReaders) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  const library = loadPcscLibrary();
  if (!library.ok) return library;
  const pcsc = library.value;
  let watching: Watch;
  try {
    watching = watch(pcsc);
  } catch (cause) {
    return failureOfPcscError(cause);
  }
  await settle(watching);
  if (watching.problem !== undefined) return failureOfPcscError(watching.problem);
  const { present } = watching;
  return work({
    names: [...present.keys()].sort((one, other) => one.localeCompare(other)),
    withCard: (name, act) => {
      const reader = present.get(name);
      return reader === undefined ? Promise.resolve(goneWithoutError()) : withCard(pcsc, reader, act);
    },
  });
}
