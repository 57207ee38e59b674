/**
 * What was last seen on the tokens: listed when asked for, when a run moved on and when a window opens,
 * never on a timer, since every look wakes the token host.
 */
import type { Core } from '../core/core.ts';
import type { Result, TokenFailureCode } from '../workflows/failures.ts';
import type { TokenReference } from '../workflows/ports.ts';
import type { InspectedObjects, ObservedStore } from './observed-tokens.ts';

export interface TokenObserver {
  /** undefined until the store answered once. */
  observed(storeId: string): ObservedStore | undefined;
  /** Keys and data objects of a token that was inspected. */
  objects(storeId: string, serial: string): InspectedObjects | undefined;
  /** Lists the tokens of every store anew, and the objects of those that were inspected before. Calls while one is under way share the next. */
  refresh(): Promise<void>;
  inspect(token: TokenReference): Promise<Result<Record<string, never>, TokenFailureCode>>;
  /** On lock: nothing is known any more. */
  forget(): void;
}

const keyOf = (storeId: string, serial: string): string => `${storeId}\u0000${serial}`;

export function createTokenObserver(core: Core, onChange: () => void): TokenObserver {
  const stores = new Map<string, ObservedStore>();
  const inspected = new Map<string, { readonly token: TokenReference; readonly objects: InspectedObjects }>();
  let generation = 0;
  let underWay: Promise<void> | undefined;
  let next: Promise<void> | undefined;

  const readObjects = async (token: TokenReference): Promise<Result<Record<string, never>, TokenFailureCode>> => {
    const startedIn = generation;
    const result = await core.tokens.listObjects(token);
    if (startedIn !== generation) return { ok: true, value: {} };
    if (!result.ok) {
      inspected.delete(keyOf(token.storeId, token.serial));
      return result;
    }
    inspected.set(keyOf(token.storeId, token.serial), { token, objects: result.value });
    return { ok: true, value: {} };
  };

  /** One store: those that answer at once are shown before OpenSC, which needs two seconds to start. */
  const refreshStore = async (storeId: string): Promise<void> => {
    const startedIn = generation;
    const [listed] = await core.tokens.listTokens(storeId);
    if (startedIn !== generation) return;
    if (listed === undefined) stores.delete(storeId);
    else stores.set(storeId, listed.result);
    for (const { token } of [...inspected.values()]) {
      if (token.storeId !== storeId) continue;
      const present =
        listed?.result.ok === true && listed.result.value.some((candidate) => candidate.serial === token.serial);
      if (present) await readObjects(token);
      else inspected.delete(keyOf(token.storeId, token.serial));
    }
    onChange();
  };

  const refreshNow = async (): Promise<void> => {
    const known = core.stores().map(({ id }) => id);
    for (const id of [...stores.keys()]) if (!known.includes(id)) stores.delete(id);
    for (const { token } of [...inspected.values()]) {
      if (!known.includes(token.storeId)) inspected.delete(keyOf(token.storeId, token.serial));
    }
    await Promise.all(known.map(refreshStore));
    onChange();
  };

  const refresh = (): Promise<void> => {
    if (underWay === undefined) {
      underWay = refreshNow().finally(() => {
        underWay = undefined;
      });
      return underWay;
    }
    // One is under way that may have looked before the change that this call is about.
    next ??= underWay.then(() => {
      next = undefined;
      return refresh();
    });
    return next;
  };

  return {
    observed: (storeId) => stores.get(storeId),
    objects: (storeId, serial) => inspected.get(keyOf(storeId, serial))?.objects,
    refresh,
    async inspect(token) {
      const result = await readObjects(token);
      onChange();
      return result;
    },
    forget() {
      generation += 1;
      stores.clear();
      inspected.clear();
      onChange();
    },
  };
}
