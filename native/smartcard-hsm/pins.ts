/** VERIFY, CHANGE REFERENCE DATA and RESET RETRY COUNTER. A wrong PIN is a value with the tries left. */
import { isUtf8 } from 'node:buffer';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, statusWord, triesLeftOf } from './apdu.ts';
import { askPinState, pinReference, type Applet } from './applet.ts';
import { selectAnew, type Device } from './device.ts';
import { initializationOption, readSoPinState, readStatus, type DeviceStatus } from './status.ts';
import { isFactorySoPin, refuseFactorySoPin } from './so-pin.ts';

type Nothing = Record<string, never>;

/** The card takes 16, but OpenSC sends no PIN of more than 15: a longer one could not be used afterwards. */
const pinLength = { minimum: 6, maximum: 15 } as const;

/** @returns a refusal of a PIN that could not be used; nothing is sent for it */
export function checkNewPin(pin: Uint8Array): Refused | undefined {
  if (isUtf8(pin) && pin.length >= pinLength.minimum && pin.length <= pinLength.maximum) return undefined;
  return failure(
    'Token_PinLengthInvalid',
    `The PIN must have between ${pinLength.minimum} and ${pinLength.maximum} characters on this device. It was not sent.`,
    'Choose one of a length that the device takes.',
    { ...pinLength, role: 'user' },
  );
}

function pinIncorrect(serial: string, triesLeft: number): Refused {
  if (triesLeft === 0) {
    return failure(
      'Token_PinLocked',
      'The PIN is locked after too many wrong tries.',
      'Unblock it with the SO-PIN, where the device was set up to allow that.',
      { serial, pinState: 'locked', triesLeft },
    );
  }
  return failure(
    'Token_PinIncorrect',
    `The PIN is wrong. ${triesLeft === 1 ? 'One try is left; after it the device locks the PIN.' : `${triesLeft} tries are left.`}`,
    'Check the PIN and try again.',
    { serial, pinState: triesLeft === 1 ? 'final-try' : 'count-low', triesLeft },
  );
}

export function soPinLocked(serial: string): Refused {
  return failure(
    'Token_SoPinLocked',
    'The SO-PIN is locked. This device can never be initialised or unblocked again.',
    'While its PIN is known, copy what can be copied; then replace the device.',
    { serial, pinState: 'locked', triesLeft: 0 },
  );
}

function soPinIncorrect(serial: string, triesLeft: number): Refused {
  if (triesLeft === 0) return soPinLocked(serial);
  return failure(
    'Token_SoPinIncorrect',
    `The SO-PIN is wrong. ${triesLeft === 1 ? 'One try is left; after it the device is lost for good.' : `${triesLeft} tries are left.`}`,
    'Type it again with care; without it the device cannot be set up anew.',
    { serial, pinState: triesLeft === 1 ? 'final-try' : 'count-low', triesLeft },
  );
}

function lastTry(serial: string, name: string): Refused {
  return failure(
    'Token_PinLastTry',
    `One try of the ${name} is left: a wrong one now locks it. It was not sent.`,
    `Make sure of the ${name}, then try again and agree to use the last try.`,
    { serial, pinState: 'final-try', triesLeft: 1 },
  );
}

/** Why an SO-PIN may not be sent now; read from the card without using up a try. */
export async function refusalOfSoPin(
  applet: Applet,
  serial: string,
  consentToLastTry: boolean,
): Promise<TokenResult<Nothing>> {
  const state = await readSoPinState(applet);
  if (!state.ok) return state;
  const { soPinState, soPinTriesLeft } = state.value;
  if (soPinState === 'locked') return soPinLocked(serial);
  return soPinTriesLeft === 1 && !consentToLastTry ? lastTry(serial, 'SO-PIN') : success({});
}

/** After an SO-PIN was refused with a status word that does not say how many tries are left. */
export async function failureOfSoPin(applet: Applet, serial: string): Promise<Refused> {
  const state = await readSoPinState(applet);
  if (!state.ok) return state;
  return soPinIncorrect(serial, state.value.soPinTriesLeft);
}

/**
 * VERIFY of the user PIN.
 * Failures, none of which sent it: Token_PinLocked, Token_PinLastTry, Token_PinNotSet; then Token_PinIncorrect.
 */
export async function verifyPin(
  applet: Applet,
  serial: string,
  pin: Uint8Array,
  consentToLastTry: boolean,
): Promise<TokenResult<Nothing>> {
  const state = await askPinState(applet.send, pinReference.user);
  if (!state.ok) return state;
  const tries = triesLeftOf(state.value.status);
  if (tries === 0) return pinIncorrect(serial, 0);
  if (tries === 1 && !consentToLastTry) return lastTry(serial, 'PIN');
  if (state.value.status === statusWord.referenceDataNotFound) {
    return failure('Token_PinNotSet', 'The device has no user PIN yet.', 'Set the device up first.', { serial });
  }
  const sent = await applet.send({ cla: 0x00, ins: 0x20, p1: 0x00, p2: pinReference.user, data: pin });
  if (!sent.ok) return sent;
  const { status } = sent.value;
  if (status === statusWord.ok) return success({});
  const triesLeft = triesLeftOf(status);
  return triesLeft === undefined ? failureOfStatus(status, 'VERIFY') : pinIncorrect(serial, triesLeft);
}

/** CHANGE REFERENCE DATA with the present and the new value side by side. */
async function changeReferenceData(
  applet: Applet,
  reference: number,
  current: Uint8Array,
  replacement: Uint8Array,
): Promise<TokenResult<number>> {
  const data = Buffer.concat([current, replacement]);
  const sent = await applet.send({ cla: 0x00, ins: 0x24, p1: 0x00, p2: reference, data });
  data.fill(0);
  return sent.ok ? success(sent.value.status) : sent;
}

/** Nobody stays logged in by what was done here. */
async function statusAfterwards(device: Device): Promise<TokenResult<DeviceStatus>> {
  const after = await selectAnew(device);
  return after.ok ? readStatus(after.value) : after;
}

/**
 * Changes the user PIN. The present one is verified by itself first: the command that changes it has both side by
 * side without a mark between them, so that a wrong one of another length could set what nobody typed.
 */
export async function changePin(
  device: Device,
  current: Uint8Array,
  replacement: Uint8Array,
  consentToLastTry: boolean,
): Promise<TokenResult<DeviceStatus>> {
  const refused = checkNewPin(replacement);
  if (refused !== undefined) return refused;
  const state = await askPinState(device.send, pinReference.user);
  if (!state.ok) return state;
  // A transport PIN has to be changed before it can be verified.
  if (state.value.status !== statusWord.referenceDataNotUsable) {
    const verified = await verifyPin(device, device.serial, current, consentToLastTry);
    if (!verified.ok) return verified;
  }
  const changed = await changeReferenceData(device, pinReference.user, current, replacement);
  if (!changed.ok) return changed;
  const tries = triesLeftOf(changed.value);
  if (tries !== undefined) return pinIncorrect(device.serial, tries);
  if (changed.value !== statusWord.ok) return failureOfStatus(changed.value, 'CHANGE REFERENCE DATA');
  return statusAfterwards(device);
}

/** Sets a new SO-PIN. Failures: Device_SoPinIsFactory, Token_PinLastTry, Token_SoPinIncorrect, Token_SoPinLocked. */
export async function setSoPin(
  device: Device,
  current: Uint8Array,
  replacement: Uint8Array,
  consentToLastTry: boolean,
): Promise<TokenResult<Nothing>> {
  if (isFactorySoPin(replacement)) return refuseFactorySoPin();
  const allowed = await refusalOfSoPin(device, device.serial, consentToLastTry);
  if (!allowed.ok) return allowed;
  const changed = await changeReferenceData(device, pinReference.so, current, replacement);
  if (!changed.ok) return changed;
  const tries = triesLeftOf(changed.value);
  if (tries !== undefined) return soPinIncorrect(device.serial, tries);
  return changed.value === statusWord.ok ? success({}) : failureOfStatus(changed.value, 'CHANGE REFERENCE DATA');
}

export async function changeSoPin(
  device: Device,
  current: Uint8Array,
  replacement: Uint8Array,
  consentToLastTry: boolean,
): Promise<TokenResult<DeviceStatus>> {
  const changed = await setSoPin(device, current, replacement, consentToLastTry);
  return changed.ok ? statusAfterwards(device) : changed;
}

function resetNotAllowed(serial: string): Refused {
  return failure(
    'Device_PinResetNotAllowed',
    'This device was set up so that its SO-PIN cannot do that to the PIN. The SO-PIN was not sent.',
    'Only the PIN itself, or setting the device up anew, helps.',
    { serial },
  );
}

/** RESET RETRY COUNTER only, with a new PIN refused (bit 5 of the options). */
const counterResetOnly = 0x0020;

/** Whether the options of the initialisation let the SO-PIN do it; asked before a try is used. */
function isResetAllowed(options: number, withNewPin: boolean): boolean {
  const isCounterOnly = (options & counterResetOnly) !== 0;
  return withNewPin
    ? (options & initializationOption.pinResetWithSoPin) !== 0 && !isCounterOnly
    : (options & initializationOption.pinResetWithSoPin) !== 0 || isCounterOnly;
}

/**
 * Unblocks the user PIN, and sets a new one where it is given. The last try of an SO-PIN is never used for this.
 * @param soPin 8 bytes
 */
export async function unblockPin(
  device: Device,
  soPin: Uint8Array,
  newPin: Uint8Array | undefined,
): Promise<TokenResult<DeviceStatus>> {
  const refused = newPin === undefined ? undefined : checkNewPin(newPin);
  if (refused !== undefined) return refused;
  if (device.version !== undefined && !isResetAllowed(device.version.options, newPin !== undefined)) {
    return resetNotAllowed(device.serial);
  }
  const allowed = await refusalOfSoPin(device, device.serial, false);
  if (!allowed.ok) return allowed;
  const data = Buffer.concat([soPin, newPin ?? new Uint8Array()]);
  const p1 = newPin === undefined ? 0x01 : 0x00;
  const sent = await device.send({ cla: 0x00, ins: 0x2c, p1, p2: pinReference.user, data });
  data.fill(0);
  if (!sent.ok) return sent;
  const { status } = sent.value;
  const tries = triesLeftOf(status);
  if (tries !== undefined) return soPinIncorrect(device.serial, tries);
  if (status === statusWord.conditionsNotSatisfied) return resetNotAllowed(device.serial);
  if (status === statusWord.referenceDataNotFound) {
    return failure('Token_PinNotSet', 'The device has no user PIN yet.', 'Set the device up first.', {
      serial: device.serial,
    });
  }
  if (status !== statusWord.ok) return failureOfStatus(status, 'RESET RETRY COUNTER');
  return statusAfterwards(device);
}
