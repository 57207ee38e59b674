/** What a SmartCard-HSM says of itself. Nothing here uses up a try or ends a login. */
import type { z } from 'zod';
import { success } from '../../electron/workflows/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, longestShort, statusWord, triesLeftOf } from './apdu.ts';
import { askPinState, pinReference, type Applet } from './applet.ts';
import type { Device } from './device.ts';
import { fileIdentifier, readFile } from './files.ts';
import type { deviceSchema, dkekStateSchema } from './protocol.ts';
import { readTokenLabel } from './token-info.ts';

export type DeviceStatus = z.infer<typeof deviceSchema>;
export type DkekStatus = z.infer<typeof dkekStateSchema>;
type PinState = Pick<DeviceStatus, 'pinState' | 'pinTriesLeft'>;
type SoPinState = Pick<DeviceStatus, 'soPinState' | 'soPinTriesLeft'>;

/** Bits of the options of INITIALIZE DEVICE. */
export const initializationOption = {
  pinResetWithSoPin: 0x0001,
  transportPin: 0x0002,
} as const;

/** OpenSC's card-sc-hsm.h names the first two; the rest are those of CardContact's own tools, as pico-hsm has them too. */
const optionNames: readonly (readonly [bit: number, name: string])[] = [
  [initializationOption.pinResetWithSoPin, 'pin-reset-with-so-pin'],
  [initializationOption.transportPin, 'transport-pin'],
  [0x0008, 'public-key-authentication-replaceable'],
  [0x0010, 'combined-authentication'],
  [0x0020, 'retry-counter-reset-only'],
];

const unknownTries = -1;
const keyCheckValueBytes = 8;

/** What OpenSC calls a device without a label. */
const labelOfNone = 'SmartCard-HSM';

async function readPinState(applet: Applet): Promise<TokenResult<PinState & { readonly byPublicKeys: boolean }>> {
  const asked = await askPinState(applet.send, pinReference.user);
  if (!asked.ok) return asked;
  const { status } = asked.value;
  const state = (pinState: PinState['pinState'], pinTriesLeft: number, byPublicKeys = false) =>
    success({ pinState, pinTriesLeft, byPublicKeys });
  const tries = triesLeftOf(status);
  if (tries !== undefined) return state(tries === 0 ? 'locked' : 'set', tries);
  switch (status) {
    case statusWord.ok:
      return state('set', unknownTries);
    case statusWord.referenceDataNotUsable:
      return state('transport', unknownTries);
    case statusWord.referenceDataNotFound:
      return state('not-initialized', unknownTries);
    // sc-hsm-tool: "Public key authentication active."
    case statusWord.executionError:
      return state('set', unknownTries, true);
    default:
      return failureOfStatus(status, 'VERIFY without a PIN');
  }
}

export async function readSoPinState(applet: Applet): Promise<TokenResult<SoPinState>> {
  const asked = await askPinState(applet.send, pinReference.so);
  if (!asked.ok) return asked;
  const { status } = asked.value;
  const tries = triesLeftOf(status);
  if (tries !== undefined) return success({ soPinState: tries === 0 ? 'locked' : 'set', soPinTriesLeft: tries });
  if (status === statusWord.ok) return success({ soPinState: 'set', soPinTriesLeft: unknownTries });
  if (status === statusWord.referenceDataNotFound) {
    return success({ soPinState: 'not-initialized', soPinTriesLeft: unknownTries });
  }
  return failureOfStatus(status, 'VERIFY without an SO-PIN');
}

/** The answer to IMPORT DKEK SHARE: shares, outstanding ones, key check value. */
export function toDkekStatus(data: Buffer): DkekStatus | undefined {
  const [shares, outstanding] = data;
  if (shares === undefined || outstanding === undefined || data.length < 2 + keyCheckValueBytes) return undefined;
  return outstanding > 0
    ? { kind: 'awaiting-shares', shares, outstanding, keyCheckValue: '' }
    : { kind: 'ready', shares, outstanding, keyCheckValue: data.subarray(2, 2 + keyCheckValueBytes).toString('hex') };
}

/** IMPORT DKEK SHARE without a share. */
export async function readDkekStatus(applet: Applet): Promise<TokenResult<DkekStatus>> {
  const asked = await applet.send({ cla: 0x80, ins: 0x52, p1: 0x00, p2: 0x00, expected: longestShort });
  if (!asked.ok) return asked;
  const { status, data } = asked.value;
  // Made without a DKEK, or never initialised.
  if (status === statusWord.unknownInstruction) {
    return success({ kind: 'none', shares: 0, outstanding: 0, keyCheckValue: '' });
  }
  const dkek = status === statusWord.ok ? toDkekStatus(data) : undefined;
  return dkek === undefined ? failureOfStatus(status, 'IMPORT DKEK SHARE without a share') : success(dkek);
}

/** Free memory is in no public document of the vendor's; where the applet does not know pico-hsm's command for it, -1. */
async function readFreeMemory(applet: Applet): Promise<TokenResult<number>> {
  const asked = await applet.send({ cla: 0x80, ins: 0x64, p1: 0x05, p2: 0x00, expected: longestShort });
  if (!asked.ok) return asked;
  const { status, data } = asked.value;
  return success(status === statusWord.ok && data.length >= 12 ? data.readUInt32BE(0) : -1);
}

/**
 * Everything that can be known without a PIN. While someone is logged in the PIN's tries are -1, and version and
 * options are those seen before, or empty.
 */
export async function readStatus(device: Device): Promise<TokenResult<DeviceStatus>> {
  const pin = await readPinState(device);
  if (!pin.ok) return pin;
  const soPin = await readSoPinState(device);
  if (!soPin.ok) return soPin;
  const dkek = await readDkekStatus(device);
  if (!dkek.ok) return dkek;
  const freeMemory = await readFreeMemory(device);
  if (!freeMemory.ok) return freeMemory;
  const tokenInfo = await readFile(device, fileIdentifier.tokenInfo);
  if (!tokenInfo.ok) return tokenInfo;
  const { pinState, pinTriesLeft, byPublicKeys } = pin.value;
  const options = optionNames.filter(([bit]) => ((device.version?.options ?? 0) & bit) !== 0).map(([, name]) => name);
  return success({
    serial: device.serial,
    readerName: device.readerName,
    label: (tokenInfo.value === undefined ? undefined : readTokenLabel(tokenInfo.value)) ?? labelOfNone,
    firmwareVersion: device.version?.firmware ?? '',
    freeMemory: freeMemory.value,
    pinState,
    pinTriesLeft,
    ...soPin.value,
    dkek: dkek.value,
    options: byPublicKeys ? [...options, 'public-key-authentication'] : options,
  });
}
