/**
 * The card readers as they are now. The binding tells of readers only by events of a thread that watches them: it is
 * started for one piece of work, its first events are waited for, and it is stopped again.
 */
import type { Client, Reader } from 'pcsc-mini';
import { setTimeout as wait } from 'node:timers/promises';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { withCard, type CardLink } from './card-link.ts';
import { failureOfPcscError, goneWithoutError } from './failures.ts';
import { loadPcscLibrary } from './library.ts';

export interface CardReaders {
  /** Names of the readers with a card in them that answers. */
  readonly names: readonly string[];
  /** See `card-link.ts`. Token_Gone for a reader without a card. */
  withCard<Value>(name: string, work: (link: CardLink) => Promise<TokenResult<Value>>): Promise<TokenResult<Value>>;
}

/** pcscd names all readers within some milliseconds, one event each; a machine under load takes longer. */
const firstEventMilliseconds = 400;
const quietMilliseconds = 40;

function stop(client: Client): void {
  try {
    client.stop();
  } catch (cause) {
    // The service has ended under it: there is nothing left to stop.
    failureOfPcscError(cause);
  }
}

/**
 * Lends the readers to one piece of work. No card stays connected afterwards, and no thread watching.
 * Failures: Device_PcscUnavailable, Device_PcscNotPermitted, those of the work.
 */
export async function withCardReaders<Value>(
  work: (readers: CardReaders) => Promise<TokenResult<Value>>,
): Promise<TokenResult<Value>> {
  const library = loadPcscLibrary();
  if (!library.ok) return library;
  const pcsc = library.value;
  const { Client, ReaderStatus } = pcsc;
  const present = new Map<string, Reader>();
  let events = 0;
  let problem: unknown;
  const client = new Client();
  client.on('error', (error) => {
    problem = error;
  });
  client.on('reader', (reader) => {
    events += 1;
    reader.on('change', (status) => {
      events += 1;
      if (status.has(ReaderStatus.PRESENT) && !status.has(ReaderStatus.MUTE)) present.set(reader.name(), reader);
      else present.delete(reader.name());
    });
    reader.on('disconnect', () => void present.delete(reader.name()));
  });
  try {
    client.start();
  } catch (cause) {
    return failureOfPcscError(cause);
  }
  try {
    const begun = performance.now();
    for (let seen = -1; seen !== events || (events === 0 && performance.now() - begun < firstEventMilliseconds);) {
      seen = events;
      await wait(quietMilliseconds);
      if (problem !== undefined) return failureOfPcscError(problem);
    }
    return await work({
      names: [...present.keys()].sort((one, other) => one.localeCompare(other)),
      withCard: (name, act) => {
        const reader = present.get(name);
        return reader === undefined ? Promise.resolve(goneWithoutError()) : withCard(pcsc, reader, act);
      },
    });
  } finally {
    stop(client);
  }
}
