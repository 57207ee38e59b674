/**
 * The Nitrokeys and card readers on the USB bus. The library is asked for the list only: no device is opened and
 * its hot-plug events are not used, which have crashed their process (node-usb issues 540 and 780). The
 * library is loaded at the first look; a machine without a USB bus makes it throw.
 */
import { createRequire } from 'node:module';
import { z } from 'zod';
import type { Presence, UsbDevice } from '../presence/protocol.ts';
import { recognizeDevice } from './known-devices.ts';

export interface UsbListing {
  readonly usb: UsbDevice[];
  readonly usbState: Presence['usbState'];
}

/**
 * What is read of a device: what the system knows of it. Its configurations are not asked for, since the library
 * opens the device for them. The library's own types lean on WebUSB's, which Node does not have.
 */
const listedDeviceSchema = z.object({
  vendorId: z.number(),
  productId: z.number(),
  deviceClass: z.number(),
  manufacturerName: z.string().nullish(),
  productName: z.string().nullish(),
  serialNumber: z.string().nullish(),
});
type ListedDevice = z.infer<typeof listedDeviceSchema>;

interface UsbBus {
  getDevices(): Promise<unknown>;
}
interface UsbLibrary {
  readonly WebUSB: new (options: { readonly allowAllDevices: boolean }) => UsbBus;
}

const require = createRequire(import.meta.url);
let bus: UsbBus | undefined;

function loadLibrary(): UsbBus {
  const { WebUSB } = require('usb') as UsbLibrary;
  return new WebUSB({ allowAllDevices: true });
}

function describe(device: ListedDevice): UsbDevice | undefined {
  const known = recognizeDevice(device.vendorId, device.productId, device.deviceClass, device.productName ?? '');
  if (known === undefined) return undefined;
  return {
    vendorId: device.vendorId,
    productId: device.productId,
    manufacturer: device.manufacturerName ?? '',
    product: device.productName ?? '',
    serial: device.serialNumber ?? '',
    kind: known.kind,
    name: known.name,
  };
}

/** Looks at the bus now. A bus that cannot be read is an answer, not an error. */
export async function listUsbDevices(): Promise<UsbListing> {
  try {
    bus ??= loadLibrary();
    const devices = z.array(listedDeviceSchema).parse(await bus.getDevices());
    return { usb: devices.map(describe).filter((device) => device !== undefined), usbState: 'listed' };
  } catch (cause) {
    const denied = cause instanceof Error && /EACCES|permission|errno 13/iu.test(cause.message);
    return { usb: [], usbState: denied ? 'no-permission' : 'unavailable' };
  }
}
