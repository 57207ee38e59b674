import type { PresenceView, UsbDeviceView } from '../../contract/views.ts';
import type { UsbDeviceDescription } from '../../workflows/device-ports.ts';
import type { TokenDescription, TokenStore } from '../../workflows/ports.ts';
import type { ObservedStore } from '../observed-tokens.ts';
import type { ObservedPresence } from '../presence-observer.ts';
import { tokenOfUsbDevice, tokensInReaders } from '../readers-and-tokens.ts';
import { findPresenceProblems } from './presence-problems.ts';

export interface PresenceSources {
  readonly presence: ObservedPresence;
  readonly stores: readonly TokenStore[];
  readonly observed: (storeId: string) => ObservedStore | undefined;
}

function hexId({ vendorId, productId }: UsbDeviceDescription): string {
  return [vendorId, productId].map((id) => id.toString(16).padStart(4, '0')).join(':');
}

function toUsbDeviceView(device: UsbDeviceDescription, token: TokenDescription | undefined): UsbDeviceView {
  return {
    id: hexId(device),
    serial: device.serial.trim(),
    kind: device.kind,
    name: device.name,
    tokenSerial: token?.serial ?? '',
  };
}

/** Readers and USB devices as they were last seen, with what keeps one of them from being a token. */
export function toPresenceView({ presence, stores, observed }: PresenceSources): PresenceView {
  const { description } = presence;
  if (description === undefined) return { state: presence.state, readers: [], usb: [], problems: [] };
  const tokens = tokensInReaders(stores, observed);
  return {
    state: presence.state,
    readers: description.readers.map(({ name, state }) => ({ name, state })),
    usb: description.usb.map((device) => toUsbDeviceView(device, tokenOfUsbDevice(device, description, tokens))),
    problems: [...findPresenceProblems({ presence: description, isSettled: presence.isSettled, stores, observed })],
  };
}
