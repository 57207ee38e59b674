/**
 * Follows card readers and USB while the app is unlocked, and has the token observer look at the stores that a
 * reader can change. PC/SC knows of a card before a PKCS#11 module does: where what the module lists does not
 * agree with the readers yet, it is asked again a few times, and then left alone.
 */
import type { Core } from '../core/core.ts';
import type { PresenceDescription } from '../workflows/device-ports.ts';
import type { Result, TokenFailureCode } from '../workflows/failures.ts';
import { agreesWithReaders } from './readers-and-tokens.ts';
import type { TokenObserver } from './token-observer.ts';

/** Milliseconds before each further look. OpenSC needs up to two and a half seconds to take up a card that was plugged in. */
const furtherLooks = [250, 500, 1000, 2000, 3000] as const;

export interface ObservedPresence {
  /** unavailable: the helper process did not answer. */
  readonly state: 'looking' | 'ready' | 'unavailable';
  readonly description: PresenceDescription | undefined;
  /** The modules were asked after the last change of a reader, and no further look is due. */
  readonly isSettled: boolean;
}

export interface PresenceObserver {
  readonly current: ObservedPresence;
  /** Begins to follow; nothing where it follows already. */
  start(): void;
  /** On lock and quit: ends the helper process, and nothing is known any more. */
  stop(): Promise<void>;
  /** Looks now. */
  refresh(): Promise<Result<PresenceDescription, TokenFailureCode>>;
}

type Parts = Pick<Core, 'presence' | 'stores'>;

/** @param setTimer answers what cancels it */
export function createPresenceObserver(
  core: Parts,
  tokens: Pick<TokenObserver, 'observed' | 'isBehindReaders' | 'refreshReaderStores'>,
  onChange: () => void,
  setTimer: (callback: () => void, milliseconds: number) => () => void = (callback, milliseconds) => {
    const timer = setTimeout(callback, milliseconds);
    return () => {
      clearTimeout(timer);
    };
  },
): PresenceObserver {
  let following = false;
  let answered: 'nothing' | 'yes' | 'no' = 'nothing';
  /** Counts changes: a look that began before the last one decides nothing. */
  let changes = 0;
  let settled = false;
  let cancelTimer: (() => void) | undefined;

  const look = async (change: number, further: number): Promise<void> => {
    cancelTimer = undefined;
    await tokens.refreshReaderStores();
    if (change !== changes || !following) return;
    const pause = furtherLooks[further];
    const described = core.presence.current;
    if (
      pause === undefined ||
      described === undefined ||
      agreesWithReaders(described, core.stores(), tokens.observed)
    ) {
      settled = true;
      onChange();
      return;
    }
    cancelTimer = setTimer(() => void look(change, further + 1), pause);
  };

  core.presence.subscribe(() => {
    if (!following) return;
    answered = 'yes';
    changes += 1;
    settled = false;
    cancelTimer?.();
    onChange();
    void look(changes, 0);
  });

  const refresh = async (): Promise<Result<PresenceDescription, TokenFailureCode>> => {
    const startedIn = following;
    const looked = await core.presence.refresh();
    if (startedIn && following) answered = looked.ok ? 'yes' : 'no';
    onChange();
    return looked;
  };

  return {
    get current(): ObservedPresence {
      return {
        state: answered === 'yes' ? 'ready' : answered === 'no' ? 'unavailable' : 'looking',
        description: following ? core.presence.current : undefined,
        isSettled: settled && !tokens.isBehindReaders,
      };
    },
    start() {
      if (following) return;
      following = true;
      core.presence.start();
      void refresh();
    },
    async stop() {
      following = false;
      answered = 'nothing';
      changes += 1;
      settled = false;
      cancelTimer?.();
      await core.presence.stop();
    },
    refresh,
  };
}
