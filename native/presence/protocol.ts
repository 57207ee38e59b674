/**
 * What the presence host is asked and says by itself. It watches card readers (PC/SC) and the USB bus, holds
 * no secret and opens no card: a fault of either library costs nobody a login. Pure.
 */
import { z } from 'zod';

export const usbDeviceSchema = z.strictObject({
  vendorId: z.number().int(),
  productId: z.number().int(),
  manufacturer: z.string(),
  product: z.string(),
  serial: z.string(),
  /** What the ids are known as: a Nitrokey HSM, another Nitrokey (which one, and that it is none), a reader, or unknown. */
  kind: z.enum(['nitrokey-hsm', 'other-nitrokey', 'smartcard-reader']),
  /** 'Nitrokey HSM 2', 'Nitrokey FIDO2'…, in the vendor's words. */
  name: z.string(),
});

export const readerSchema = z.strictObject({
  name: z.string(),
  state: z.enum(['empty', 'card', 'card-in-exclusive-use', 'unresponsive']),
});

export const pcscStateSchema = z.enum(['running', 'not-running', 'not-permitted', 'library-missing', 'failed']);

export const presenceSchema = z.strictObject({
  pcsc: pcscStateSchema,
  readers: z.array(readerSchema),
  /** Nitrokeys and card readers only; nothing else on the bus is anybody's business. */
  usb: z.array(usbDeviceSchema),
  /** 'listed', or why the bus could not be read. */
  usbState: z.enum(['listed', 'no-permission', 'unavailable']),
  /** Name of a process that is known to hold readers to itself and runs now, such as scdaemon; '' for none. */
  holder: z.string(),
});

export const presenceRequests = {
  'presence.read': { request: z.strictObject({}), reply: presenceSchema },
  close: { request: z.strictObject({}), reply: z.strictObject({}) },
} as const;

/** Host to parent, unasked: `{ signal: 'changed' }` within 0.5 s of a reader, card or USB device coming or going. */
export const presenceChangedSignal = 'changed';

export type Presence = z.infer<typeof presenceSchema>;
export type UsbDevice = z.infer<typeof usbDeviceSchema>;
export type Reader = z.infer<typeof readerSchema>;
