/** What PC/SC's readers and a module's slots have to do with each other. Pure. */
import type { PresenceDescription, ReaderDescription, UsbDeviceDescription } from '../workflows/device-ports.ts';
import type { TokenDescription, TokenStore } from '../workflows/ports.ts';
import type { ObservedStore } from './observed-tokens.ts';
import { isCardModule } from './reader-stores.ts';

/** CK_SLOT_INFO has 64 bytes for the description, which OpenSC fills with the reader's name. */
const slotDescriptionLength = 64;

export function isInReader(token: TokenDescription, reader: ReaderDescription): boolean {
  const name = Buffer.from(reader.name).subarray(0, slotDescriptionLength).toString('utf8').trim();
  return name !== '' && token.slotDescription.trim() === name;
}

/** Whether a card is in a reader that a card module does not list a token of; never for another module. */
export function hasUnlistedCard(
  presence: PresenceDescription | undefined,
  store: TokenStore,
  listed: readonly TokenDescription[],
): boolean {
  if (!isCardModule(store) || presence?.pcsc !== 'running') return false;
  return presence.readers.some(
    (reader) => reader.state === 'card' && !listed.some((token) => isInReader(token, reader)),
  );
}

/** Fewer characters than this say nothing: a prefix of many serials. */
const shortestSerial = 6;

/**
 * A Nitrokey HSM gives USB the serial of its card, padded with zeroes or blanks at the end.
 * @param serial the token's
 */
export function isSameSerial(usbSerial: string, serial: string): boolean {
  const onUsb = usbSerial.trim();
  const onToken = serial.trim();
  return onToken.length >= shortestSerial && onUsb.startsWith(onToken) && /^[0 ]*$/u.test(onUsb.slice(onToken.length));
}

/** ccid puts the USB serial into the reader's name, in parentheses; where USB did not tell it, the product's name has to do. */
export function isReaderOf(reader: ReaderDescription, device: UsbDeviceDescription): boolean {
  const serial = device.serial.trim();
  if (serial.length >= shortestSerial) return reader.name.includes(serial);
  return device.kind === 'nitrokey-hsm' && reader.name.includes(device.name);
}

/** The token that a USB device is: by its serial, or by the reader that bears the device's serial. */
export function tokenOfUsbDevice(
  device: UsbDeviceDescription,
  { readers }: PresenceDescription,
  tokens: readonly TokenDescription[],
): TokenDescription | undefined {
  const reader = readers.find((candidate) => isReaderOf(candidate, device));
  return (
    tokens.find((token) => isSameSerial(device.serial, token.serial)) ??
    (reader === undefined ? undefined : tokens.find((token) => isInReader(token, reader)))
  );
}

/** The tokens that the card modules list. */
export function tokensInReaders(
  stores: readonly TokenStore[],
  observed: (storeId: string) => ObservedStore | undefined,
): readonly TokenDescription[] {
  return stores.filter(isCardModule).flatMap((store) => {
    const listing = observed(store.id);
    return listing?.ok === true ? listing.value : [];
  });
}

/**
 * Whether every card in a reader and every Nitrokey HSM on USB is listed by a card module, and no module lists
 * one whose reader is empty or gone.
 */
export function agreesWithReaders(
  presence: PresenceDescription,
  stores: readonly TokenStore[],
  observed: (storeId: string) => ObservedStore | undefined,
): boolean {
  if (!stores.some(isCardModule)) return true;
  const { pcsc, readers, usb } = presence;
  const tokens = tokensInReaders(stores, observed);
  if (pcsc !== 'running') return tokens.length === 0;
  const holdsCard = (reader: ReaderDescription): boolean => reader.state !== 'empty';
  return (
    readers
      .filter(({ state }) => state === 'card')
      .every((reader) => tokens.some((token) => isInReader(token, reader))) &&
    usb
      .filter(({ kind }) => kind === 'nitrokey-hsm')
      .every((device) => tokenOfUsbDevice(device, presence, tokens) !== undefined) &&
    tokens.every((token) => readers.some((reader) => holdsCard(reader) && isInReader(token, reader)))
  );
}
