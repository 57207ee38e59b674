import type { StoreView, TokenView, WrappingKeyView } from '../../contract/views.ts';
import type { KeyPairDescription, TokenStore } from '../../workflows/ports.ts';
import { wrappingCurveSchema } from '../../workflows/key-kinds.ts';
import { pgpWordsOfHex } from '../../workflows/pgp-words.ts';
import type { ObservedStore, ObservedToken } from '../observed-tokens.ts';
import { toDeviceView } from './device-view.ts';
import { toFailureView } from './failure-view.ts';
import { toObjectViews, type VaultOnToken } from './object-view.ts';

export function toStoreView(
  store: TokenStore,
  observed: ObservedStore | undefined,
  removableIds: ReadonlySet<string>,
): StoreView {
  return {
    id: store.id,
    name: store.name,
    modulePath: store.modulePath,
    rehearsal: store.rehearsal,
    removable: removableIds.has(store.id),
    state: observed === undefined ? 'looking' : observed.ok ? 'ready' : 'failed',
    problem: observed === undefined || observed.ok ? null : toFailureView(observed.error),
  };
}

const isRsa = ({ keyType }: KeyPairDescription): boolean => keyType.toUpperCase() === 'RSA';

function toWrappingKeyView(
  pair: KeyPairDescription,
  all: readonly KeyPairDescription[],
  loggedIn: boolean,
): WrappingKeyView {
  return {
    label: pair.label,
    id: pair.id,
    modulusBits: pair.modulusBits,
    curve: isRsa(pair) ? '' : (pair.curve ?? ''),
    // Without a login the private half cannot be seen, so only a missing public half is known to be missing.
    complete: pair.hasPublic && (pair.hasPrivate || !loggedIn),
    doubled: all.filter((other) => other.label === pair.label).length > 1,
    publicKeySha256: pair.publicKeySha256,
    publicKeyWords: [...pgpWordsOfHex(pair.publicKeySha256)],
  };
}

/** Of a SmartCard-HSM the card itself says more exactly than PKCS#11 does. */
function freeMemoryOf({ device, objects }: ObservedToken): number {
  if (device !== undefined && device.freeMemory >= 0) return device.freeMemory;
  return objects?.freeMemory ?? -1;
}

/** OpenSC calls every SmartCard-HSM initialised; one that never was says itself that it has neither PIN. */
function isInitialized({ token, device }: ObservedToken): boolean {
  const isNew = device?.pinState === 'not-initialized' && device.soPinState === 'not-initialized';
  return token.initialized && !isNew;
}

/** @param vaults those whose shares this app put on the token */
export function toTokenView(store: TokenStore, observed: ObservedToken, vaults: readonly VaultOnToken[]): TokenView {
  const { token, objects, device } = observed;
  const pairs = objects?.keyPairs ?? [];
  return {
    storeId: store.id,
    storeName: store.name,
    rehearsal: store.rehearsal,
    slotId: token.slotId,
    slotDescription: token.slotDescription,
    initialized: isInitialized(observed),
    label: token.label,
    reportedLabel: token.reportedLabel,
    serial: token.serial,
    manufacturer: token.manufacturer,
    model: token.model,
    firmwareVersion: token.firmwareVersion,
    userPinSet: token.userPinSet,
    pinLengthMinimum: token.pinLengthMinimum,
    pinLengthMaximum: token.pinLengthMaximum,
    userPinState: token.userPinState,
    soPinState: token.soPinState,
    writeProtected: token.writeProtected,
    loggedIn: token.loggedIn,
    wrappingKeys: pairs
      .filter((pair) => isRsa(pair) || wrappingCurveSchema.safeParse(pair.curve).success)
      .map((pair) => toWrappingKeyView(pair, pairs, token.loggedIn))
      .sort(
        (one, other) =>
          // RSA first, which is what bank-vaults reads: the first one is proposed.
          Number(one.curve !== '') - Number(other.curve !== '') ||
          one.label.localeCompare(other.label) ||
          one.id.localeCompare(other.id),
      ),
    dataObjects: (objects?.dataObjects ?? [])
      .map(({ label, size }) => ({ label, size }))
      .sort((one, other) => one.label.localeCompare(other.label, 'en', { numeric: true })),
    objects: toObjectViews(objects?.all ?? [], vaults),
    freeMemory: freeMemoryOf(observed),
    totalMemory: objects?.totalMemory ?? -1,
    device: device === undefined ? null : toDeviceView(device),
    inspected: objects !== undefined,
  };
}
