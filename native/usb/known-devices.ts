/** What the USB ids of Nitrokeys stand for: vendor 20a0 is Clay Logic's, under which Nitrokey sells (usb.ids). */
import type { UsbDevice } from '../presence/protocol.ts';

interface KnownDevice {
  readonly kind: UsbDevice['kind'];
  readonly name: string;
}

const nitrokeyVendor = 0x20a0;

const nitrokeys: Readonly<Record<number, KnownDevice>> = {
  0x4230: { kind: 'nitrokey-hsm', name: 'Nitrokey HSM' },
  0x4107: { kind: 'other-nitrokey', name: 'Crypto Stick' },
  0x4108: { kind: 'other-nitrokey', name: 'Nitrokey Pro' },
  0x4109: { kind: 'other-nitrokey', name: 'Nitrokey Storage' },
  0x4211: { kind: 'other-nitrokey', name: 'Nitrokey Start' },
  0x4287: { kind: 'other-nitrokey', name: 'Nitrokey FIDO U2F' },
  0x42b1: { kind: 'other-nitrokey', name: 'Nitrokey FIDO2' },
  0x42b2: { kind: 'other-nitrokey', name: 'Nitrokey 3' },
  0x42dd: { kind: 'other-nitrokey', name: 'Nitrokey 3 in update mode' },
  0x42f3: { kind: 'other-nitrokey', name: 'Nitrokey Passkey' },
};

/** Chip card interface device (USB device class codes, usb.org). */
export const smartCardClass = 0x0b;

/** How readers that say nothing in their device class call themselves. */
const readerNames = /smart ?card|ccid|card reader/iu;

/**
 * What a device is to this program; undefined for what is none of its business.
 * @param deviceClass of the device descriptor; most readers say 0 there, and what they are in their interfaces,
 *   which only an opened device tells
 * @param product the device's name for itself, '' for none
 */
export function recognizeDevice(
  vendorId: number,
  productId: number,
  deviceClass: number,
  product: string,
): KnownDevice | undefined {
  if (vendorId === nitrokeyVendor) {
    const known = nitrokeys[productId];
    if (known !== undefined) return known;
  }
  return deviceClass === smartCardClass || readerNames.test(product)
    ? { kind: 'smartcard-reader', name: product === '' ? 'Smart card reader' : product }
    : undefined;
}
