/** What is on USB or in a reader and yet is no token, and why. Pure. */
import type { PresenceProblemView } from '../../contract/views.ts';
import type { PresenceDescription, ReaderDescription, UsbDeviceDescription } from '../../workflows/device-ports.ts';
import type { TokenDescription, TokenStore } from '../../workflows/ports.ts';
import type { ObservedStore } from '../observed-tokens.ts';
import { isInReader, isReaderOf, tokenOfUsbDevice, tokensInReaders } from '../readers-and-tokens.ts';
import { isCardModule } from '../reader-stores.ts';
import {
  cardDoesNotAnswer,
  heldByScdaemon,
  moduleMissing,
  notAnHsm,
  notListedByModule,
  notListedByPcscd,
  noUsbPermission,
  pcscdNotPermitted,
  pcscdNotRunning,
  pcscFailed,
  pcscLibraryMissing,
  readerInExclusiveUse,
} from './presence-words.ts';

export interface PresenceFacts {
  readonly presence: PresenceDescription;
  /** The modules had the time to take up what was plugged in last. */
  readonly isSettled: boolean;
  readonly stores: readonly TokenStore[];
  readonly observed: (storeId: string) => ObservedStore | undefined;
}

interface Scene extends PresenceFacts {
  readonly tokens: readonly TokenDescription[];
  readonly cardStores: readonly TokenStore[];
}

/** What ccid calls the reader of one. */
const namedAsHsm = /nitrokey hsm|smartcard-hsm/iu;

const nameOf = ({ name, serial }: UsbDeviceDescription): string =>
  serial.trim() === '' ? name : `${name} ${serial.trim()}`;

/** Nothing between this app and a card works. */
function serviceProblem({ presence, cardStores }: Scene, device: string | undefined): PresenceProblemView | undefined {
  switch (presence.pcsc) {
    case 'running':
      return undefined;
    case 'not-permitted':
      // Said wherever cards could be used: over SSH a person may not see what is on USB either.
      return device !== undefined || cardStores.length > 0 ? pcscdNotPermitted() : undefined;
    case 'failed':
      return device === undefined ? undefined : pcscFailed();
    case 'not-running':
      return device === undefined ? undefined : pcscdNotRunning(device);
    case 'library-missing':
      return device === undefined ? undefined : pcscLibraryMissing(device);
  }
}

function holderProblem(device: string, holder: string): PresenceProblemView {
  return holder === 'scdaemon' ? heldByScdaemon(device) : readerInExclusiveUse(device, holder);
}

/** A card is there, and no module shows it. */
function unlistedProblem({ cardStores, observed, isSettled }: Scene, device: string): PresenceProblemView | undefined {
  const failures = cardStores.flatMap(({ id }) => {
    const listing = observed(id);
    return listing?.ok === false ? [listing.error] : [];
  });
  const missing = failures.filter(({ code }) => code === 'Token_ModuleMissing');
  if (missing.length === cardStores.length) return moduleMissing(device);
  if (!isSettled) return undefined;
  const [first] = failures;
  return notListedByModule(device, first?.message ?? '');
}

/** @param reader that of a device which is no token */
function readerProblem(scene: Scene, reader: ReaderDescription, device: string): PresenceProblemView | undefined {
  switch (reader.state) {
    case 'card-in-exclusive-use':
      return holderProblem(device, scene.presence.holder);
    case 'unresponsive':
      return cardDoesNotAnswer(device);
    case 'empty':
      // The card of a Nitrokey HSM cannot be taken out: an empty reader is one that has just come, or is broken.
      return scene.isSettled ? cardDoesNotAnswer(device) : undefined;
    case 'card':
      return unlistedProblem(scene, device);
  }
}

function usbHsmProblem(scene: Scene, device: UsbDeviceDescription): PresenceProblemView | undefined {
  const { presence, isSettled } = scene;
  const reader = presence.readers.find((candidate) => isReaderOf(candidate, device));
  if (reader !== undefined) return readerProblem(scene, reader, nameOf(device));
  if (presence.holder === 'scdaemon') return heldByScdaemon(nameOf(device));
  return isSettled ? notListedByPcscd(nameOf(device)) : undefined;
}

/** Readers without a USB device of theirs: virtual ones, or where USB cannot be seen. */
function loneReaderProblem(scene: Scene, reader: ReaderDescription): PresenceProblemView | undefined {
  if (scene.presence.usb.some((device) => device.kind === 'nitrokey-hsm' && isReaderOf(reader, device)))
    return undefined;
  if (scene.tokens.some((token) => isInReader(token, reader))) return undefined;
  if (reader.state === 'card-in-exclusive-use' && scene.cardStores.length > 0)
    return holderProblem(reader.name, scene.presence.holder);
  // Any other reader may be empty, or hold a card that is nobody's business here.
  return namedAsHsm.test(reader.name) ? readerProblem(scene, reader, reader.name) : undefined;
}

/** Everything that is wrong, what keeps all devices away first. */
export function findPresenceProblems(facts: PresenceFacts): readonly PresenceProblemView[] {
  const { presence, stores, observed } = facts;
  const cardStores = stores.filter(isCardModule);
  const tokens = tokensInReaders(stores, observed);
  const scene: Scene = { ...facts, tokens, cardStores };
  const absent = presence.usb.filter(
    (device) => device.kind === 'nitrokey-hsm' && tokenOfUsbDevice(device, presence, tokens) === undefined,
  );
  const others = presence.usb.filter(({ kind }) => kind === 'other-nitrokey').map(({ name }) => notAnHsm(name));
  const cardReader = presence.usb.find(({ kind }) => kind === 'smartcard-reader');
  const awaited = absent[0] ?? (cardStores.length > 0 ? cardReader : undefined);

  if (presence.pcsc !== 'running') {
    const problem = serviceProblem(scene, awaited === undefined ? undefined : nameOf(awaited));
    return [...(problem === undefined ? [] : [problem]), ...others];
  }
  const blind = presence.usbState === 'no-permission' && presence.readers.length === 0 && tokens.length === 0;
  return [
    ...(blind ? [noUsbPermission()] : []),
    ...absent.map((device) => usbHsmProblem(scene, device)),
    ...presence.readers.map((reader) => loneReaderProblem(scene, reader)),
    ...others,
  ].filter((problem) => problem !== undefined);
}
