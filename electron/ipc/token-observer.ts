/**
 * What was last seen on the tokens: listed when asked for, when a run moved on, when a window opens and when a
 * reader or card came or went; never on a timer for long, since every look wakes the token host. Each store is looked
 * at by itself, so that one that takes its time (OpenSC needs two seconds to start) holds up no other.
 */
import type { DeviceDescription, DevicePort, ObjectPort, PresencePort } from '../workflows/device-ports.ts';
import { success, type Result, type TokenFailureCode } from '../workflows/failures.ts';
import type { TokenDescription, TokenPort, TokenReference, TokenStore } from '../workflows/ports.ts';
import { arrivingToken, type InspectedObjects, type ObservedStore, type ObservedToken } from './observed-tokens.ts';
import { hasUnlistedCard } from './readers-and-tokens.ts';
import { followsReaders } from './reader-stores.ts';

export interface TokenObserver {
  /** undefined until the store answered once. */
  observed(storeId: string): ObservedStore | undefined;
  /**
   * What to show of a store: the tokens that it listed, and devices that said who they are before the module did.
   * OpenSC reads all of a card before it lists it, for longer than the device needs to name itself.
   */
  shown(storeId: string): readonly TokenDescription[];
  /** A listed token with what else is known of it. */
  describe(token: TokenDescription): ObservedToken;
  /** A store that a reader can change is being looked at now, or was left alone since its last change. */
  readonly isBehindReaders: boolean;
  /**
   * Lists the tokens of every store anew, and the objects of those that were inspected before. Calls while a
   * store is looked at share its next look. A store that a reader can change is left alone while a run is at
   * work on it: whoever follows the runs asks again.
   */
  refresh(): Promise<void>;
  /** The same for the stores that a reader can change. */
  refreshReaderStores(): Promise<void>;
  inspect(token: TokenReference): Promise<Result<Record<string, never>, TokenFailureCode>>;
  /** On lock: nothing is known any more. */
  forget(): void;
}

/** What the observer asks of the core. */
export interface TokenSources {
  readonly tokens: Pick<TokenPort, 'listTokens' | 'listObjects'>;
  readonly objects: Pick<ObjectPort, 'listAllObjects'>;
  readonly devices: Pick<DevicePort, 'listDevices'>;
  readonly presence: Pick<PresencePort, 'current'>;
  stores(): readonly TokenStore[];
}

interface Look {
  underWay: Promise<void>;
  next: Promise<void> | undefined;
}

/**
 * A card that was just put in is often held by whoever else looks at it first, and nothing tells when it is let go:
 * looked at again after these many milliseconds, then no more until something changes.
 */
const repeatPauses: readonly number[] = [500, 1500, 4000];
const inMilliseconds = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });

const keyOf = (storeId: string, serial: string): string => `${storeId}\u0000${serial}`;

/**
 * @param isAtWork whether a run is at work on a store
 * @param pause before a device that did not answer is asked again
 */
export function createTokenObserver(
  core: TokenSources,
  onChange: () => void,
  isAtWork: (storeId: string) => boolean,
  pause: (milliseconds: number) => Promise<void> = inMilliseconds,
): TokenObserver {
  const stores = new Map<string, ObservedStore>();
  const devices = new Map<string, readonly DeviceDescription[]>();
  /** Devices that were asked before their store listed them. */
  const arriving = new Map<string, readonly DeviceDescription[]>();
  const inspected = new Map<string, { readonly token: TokenReference; readonly objects: InspectedObjects }>();
  const looks = new Map<string, Look>();
  /** Stores that were to be looked at while a run was at work on them. */
  const leftAlone = new Set<string>();
  /** How often a store was looked at again because its devices did not answer. */
  const repeats = new Map<string, number>();
  let generation = 0;

  const readObjects = async (token: TokenReference): Promise<Result<Record<string, never>, TokenFailureCode>> => {
    const startedIn = generation;
    const listed = await core.tokens.listObjects(token);
    // Asking on after a lock would start the host again that the lock has ended.
    if (startedIn !== generation) return success({});
    const all = listed.ok ? await core.objects.listAllObjects(token) : listed;
    if (startedIn !== generation) return success({});
    const refused = listed.ok ? (all.ok ? undefined : all) : listed;
    if (!listed.ok || !all.ok) {
      inspected.delete(keyOf(token.storeId, token.serial));
      return refused ?? success({});
    }
    const objects: InspectedObjects = {
      keyPairs: listed.value.keyPairs,
      dataObjects: listed.value.dataObjects,
      all: all.value.objects,
      freeMemory: all.value.freePublicMemory,
      totalMemory: all.value.totalPublicMemory,
    };
    inspected.set(keyOf(token.storeId, token.serial), { token, objects });
    return success({});
  };

  const listedOf = (storeId: string): readonly TokenDescription[] => {
    const listing = stores.get(storeId);
    return listing?.ok === true ? listing.value : [];
  };

  /** A card that the module does not list yet is asked itself first. One that does not answer is waited for below. */
  const readArriving = async (store: TokenStore): Promise<void> => {
    const startedIn = generation;
    if (!hasUnlistedCard(core.presence.current, store, listedOf(store.id))) {
      arriving.delete(store.id);
      return;
    }
    const found = await core.devices.listDevices(store.id);
    if (startedIn !== generation) return;
    if (!found.ok) {
      arriving.delete(store.id);
      return;
    }
    devices.set(store.id, found.value);
    arriving.set(store.id, found.value);
    onChange();
  };

  /** What a SmartCard-HSM says of itself, which ends no login. One that does not answer now stays as it was last seen. */
  const readDevices = async (store: TokenStore, listed: readonly TokenDescription[]): Promise<void> => {
    const startedIn = generation;
    const asked = arriving.get(store.id) ?? [];
    if (!followsReaders(store) || (listed.length === 0 && asked.length === 0)) {
      devices.delete(store.id);
      return;
    }
    if (listed.every(({ serial }) => asked.some((device) => device.serial === serial))) {
      repeats.delete(store.id);
      return;
    }
    // A run may have begun while the tokens were listed.
    if (isAtWork(store.id)) {
      leftAlone.add(store.id);
      return;
    }
    const found = await core.devices.listDevices(store.id);
    if (startedIn !== generation) return;
    if (found.ok) {
      devices.set(store.id, found.value);
      repeats.delete(store.id);
    } else void repeatLook(store);
  };

  const repeatLook = async (store: TokenStore): Promise<void> => {
    const startedIn = generation;
    const times = repeats.get(store.id) ?? 0;
    const milliseconds = repeatPauses[times];
    if (milliseconds === undefined) return;
    repeats.set(store.id, times + 1);
    await pause(milliseconds);
    if (startedIn === generation) await refreshStore(store);
  };

  const look = async (store: TokenStore): Promise<void> => {
    const startedIn = generation;
    leftAlone.delete(store.id);
    await readArriving(store);
    if (startedIn !== generation) return;
    // A run may have begun while a device was asked.
    if (followsReaders(store) && isAtWork(store.id)) {
      leftAlone.add(store.id);
      return;
    }
    const [listing] = await core.tokens.listTokens(store.id);
    if (startedIn !== generation) return;
    if (listing === undefined) {
      stores.delete(store.id);
      return;
    }
    stores.set(store.id, listing.result);
    onChange();
    const listed = listing.result.ok ? listing.result.value : [];
    await readDevices(store, listed);
    for (const { token } of [...inspected.values()].filter(({ token: { storeId } }) => storeId === store.id)) {
      if (startedIn !== generation) return;
      if (listed.some((candidate) => candidate.serial === token.serial)) await readObjects(token);
      else inspected.delete(keyOf(token.storeId, token.serial));
    }
  };

  const refreshStore = (store: TokenStore): Promise<void> => {
    const current = looks.get(store.id);
    if (current !== undefined) {
      // One is under way that may have looked before the change that this call is about.
      const askedIn = generation;
      current.next ??= current.underWay.then(() => (askedIn === generation ? refreshStore(store) : undefined));
      return current.next;
    }
    const underWay = look(store).finally(() => {
      looks.delete(store.id);
      onChange();
    });
    looks.set(store.id, { underWay, next: undefined });
    return underWay;
  };

  const refreshThose = async (which: (store: TokenStore) => boolean): Promise<void> => {
    const present = core.stores();
    const isPresent = (storeId: string): boolean => present.some(({ id }) => id === storeId);
    for (const id of [...stores.keys()]) if (!isPresent(id)) stores.delete(id);
    for (const id of [...arriving.keys()]) if (!isPresent(id)) arriving.delete(id);
    for (const [key, { token }] of [...inspected]) if (!isPresent(token.storeId)) inspected.delete(key);
    const wanted = present.filter(which);
    const held = wanted.filter((store) => followsReaders(store) && isAtWork(store.id));
    for (const { id } of held) leftAlone.add(id);
    for (const { id } of wanted) repeats.delete(id);
    await Promise.all(wanted.filter((store) => !held.includes(store)).map(refreshStore));
    onChange();
  };

  return {
    observed: (storeId) => stores.get(storeId),
    shown(storeId) {
      const listed = listedOf(storeId);
      const others = (arriving.get(storeId) ?? []).filter(
        (device) => !listed.some(({ serial }) => serial === device.serial),
      );
      return [...listed, ...others.map((device) => arrivingToken(storeId, device))];
    },
    describe: (token) => ({
      token,
      objects: inspected.get(keyOf(token.storeId, token.serial))?.objects,
      device: devices.get(token.storeId)?.find(({ serial }) => serial === token.serial),
    }),
    get isBehindReaders() {
      return core.stores().some((store) => followsReaders(store) && (looks.has(store.id) || leftAlone.has(store.id)));
    },
    refresh: () => refreshThose(() => true),
    refreshReaderStores: () => refreshThose(followsReaders),
    async inspect(token) {
      const result = await readObjects(token);
      onChange();
      return result;
    },
    forget() {
      generation += 1;
      stores.clear();
      devices.clear();
      arriving.clear();
      inspected.clear();
      leftAlone.clear();
      repeats.clear();
      onChange();
    },
  };
}
