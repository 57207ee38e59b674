/** INITIALIZE DEVICE, and everything that it set read back: an answer of success is not believed (OpenSC's tool shows why). */
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Refused } from '../pcsc/failures.ts';
import type { TokenResult } from '../pkcs11/return-values.ts';
import { failureOfStatus, statusWord } from './apdu.ts';
import { selectAnew, type Device } from './device.ts';
import { fileIdentifier, readFile, writeFile } from './files.ts';
import { checkNewPin, failureOfSoPin, refusalOfSoPin, setSoPin, soPinLocked, verifyPin } from './pins.ts';
import { isFactorySoPin, refuseFactorySoPin } from './so-pin.ts';
import { initializationOption, readSoPinState, readStatus, type DeviceStatus } from './status.ts';
import { readTokenLabel, writeTokenInfo } from './token-info.ts';
import { writeDataObject } from './tlv.ts';

type Nothing = Record<string, never>;

export interface Initialization {
  /** UTF-8 of at most 32 bytes. */
  readonly label: string;
  /** 8 bytes, in force now; of a device that was never initialised it becomes the SO-PIN, unless there is a new one. */
  readonly currentSoPin: Uint8Array;
  /** 8 bytes. */
  readonly newSoPin: Uint8Array | undefined;
  readonly pin: Uint8Array;
  readonly retryLimit: number;
  readonly dkek:
    { readonly kind: 'none' } | { readonly kind: 'random' } | { readonly kind: 'shares'; readonly count: number };
  readonly allowPinResetWithSoPin: boolean;
}

/** Data objects of the command (OpenSC, card-sc-hsm.c, sc_hsm_initialize). */
const tag = { options: 0x80, pin: 0x81, soPin: 0x82, retryLimit: 0x91, dkekShares: 0x92 } as const;

const erasingDeadline = 30_000;
const soPinTries = 15;
/** CK_TOKEN_INFO has no more room (PKCS#11 v2.40, section 3.2). */
const longestLabel = 32;

/** A short PIN must not be guessed: the applet allows 3 wrong ones of 6 characters, 5 of 7 and 10 of more. */
function longestRetryLimit(pin: Uint8Array): number {
  if (pin.length <= 6) return 3;
  return pin.length === 7 ? 5 : 10;
}

function refusalOf({ label, pin, retryLimit, newSoPin }: Initialization): Refused | undefined {
  if (label === '' || Buffer.byteLength(label, 'utf8') > longestLabel) {
    return failure(
      'Token_LabelInvalid',
      `A label has between 1 and ${longestLabel} bytes (UTF-8).`,
      'Choose a shorter label.',
      { maximum: longestLabel },
    );
  }
  if (label.trim() !== label || /\p{Cc}/u.test(label)) {
    return failure(
      'Token_LabelInvalid',
      'A label cannot begin or end with a blank, or hold control characters.',
      'Choose a label of plain characters.',
    );
  }
  const refused = checkNewPin(pin);
  if (refused !== undefined) return refused;
  if (retryLimit > longestRetryLimit(pin)) {
    return failure(
      'Token_PinLengthInvalid',
      `A PIN of ${pin.length} characters may have at most ${longestRetryLimit(pin)} wrong tries; ${retryLimit} were asked for. Nothing was changed.`,
      'Choose a longer PIN, or fewer tries.',
      { retryLimit, maximum: longestRetryLimit(pin) },
    );
  }
  return newSoPin !== undefined && isFactorySoPin(newSoPin) ? refuseFactorySoPin() : undefined;
}

/** @returns the status word */
async function sendInitialize(
  device: Device,
  request: Initialization,
  soPin: Uint8Array,
): Promise<TokenResult<number>> {
  const { pin, retryLimit, dkek, allowPinResetWithSoPin } = request;
  const options = allowPinResetWithSoPin ? initializationOption.pinResetWithSoPin : 0;
  const secrets = [writeDataObject(tag.pin, pin), writeDataObject(tag.soPin, soPin)];
  const shares = dkek.kind === 'shares' ? dkek.count : 0;
  const data = Buffer.concat([
    writeDataObject(tag.options, Buffer.of(options >> 8, options & 0xff)),
    ...secrets,
    writeDataObject(tag.retryLimit, Buffer.of(retryLimit)),
    ...(dkek.kind === 'none' ? [] : [writeDataObject(tag.dkekShares, Buffer.of(shares))]),
  ]);
  const sent = await device.send({ cla: 0x80, ins: 0x50, p1: 0x00, p2: 0x00, data }, erasingDeadline);
  for (const bytes of [data, ...secrets]) bytes.fill(0);
  return sent.ok ? success(sent.value.status) : sent;
}

/** Both of the applet's ways to say that the SO-PIN is wrong; OpenSC's driver knows the first one only. */
function meansWrongSoPin(status: number): boolean {
  return status === statusWord.conditionsNotSatisfied || (status & 0xfff0) === statusWord.verificationFailed;
}

/**
 * Whether an earlier attempt may have come as far as its last command, the change of the SO-PIN, and only its answer
 * was lost: then the new SO-PIN is in force already.
 */
async function mayHaveChangedSoPin(device: Device, label: string): Promise<TokenResult<boolean>> {
  const tokenInfo = await readFile(device, fileIdentifier.tokenInfo);
  if (!tokenInfo.ok) return tokenInfo;
  return success(tokenInfo.value !== undefined && readTokenLabel(tokenInfo.value) === label);
}

/** Erases and sets up with the SO-PIN that turns out to be in force. @returns that SO-PIN */
async function erase(device: Device, request: Initialization): Promise<TokenResult<Uint8Array>> {
  const { label, currentSoPin, newSoPin } = request;
  const before = await readSoPinState(device);
  if (!before.ok) return before;
  const isFirst = before.value.soPinState === 'not-initialized';
  // The first initialisation sets whatever SO-PIN it names.
  const first = isFirst ? (newSoPin ?? currentSoPin) : currentSoPin;
  if (isFirst && isFactorySoPin(first)) return refuseFactorySoPin();
  const allowed = await refusalOfSoPin(device, device.serial, false);
  if (!allowed.ok) return allowed;
  const candidates = [first];
  if (!isFirst && newSoPin !== undefined) {
    const again = await mayHaveChangedSoPin(device, label);
    if (!again.ok) return again;
    if (again.value && before.value.soPinTriesLeft > 2) candidates.push(newSoPin);
  }
  for (const soPin of candidates) {
    const status = await sendInitialize(device, request, soPin);
    if (!status.ok) return status;
    if (status.value === statusWord.ok) return success(soPin);
    if (status.value === statusWord.authenticationBlocked) return soPinLocked(device.serial);
    if (!meansWrongSoPin(status.value)) return failureOfStatus(status.value, 'INITIALIZE DEVICE');
  }
  return failureOfSoPin(device, device.serial);
}

async function writeLabel(device: Device, pin: Uint8Array, label: string): Promise<TokenResult<Nothing>> {
  const verified = await verifyPin(device, device.serial, pin, true);
  return verified.ok ? writeFile(device, fileIdentifier.tokenInfo, writeTokenInfo(label)) : verified;
}

/** What the device says of itself that was not asked for. */
function differences(status: DeviceStatus, request: Initialization): readonly string[] {
  const { dkek } = request;
  const shares = dkek.kind === 'shares' ? dkek.count : 0;
  const kind = { none: 'none', random: 'ready', shares: 'awaiting-shares' }[dkek.kind];
  const expected: readonly (readonly [name: string, isAsAsked: boolean])[] = [
    ['label', status.label === request.label],
    ['PIN', status.pinState === 'set'],
    ['PIN tries', status.pinTriesLeft === request.retryLimit],
    ['SO-PIN tries', status.soPinState === 'set' && status.soPinTriesLeft === soPinTries],
    ['DKEK', status.dkek.kind === kind && status.dkek.shares === shares && status.dkek.outstanding === shares],
    ['PIN reset', status.options.includes('pin-reset-with-so-pin') === request.allowPinResetWithSoPin],
  ];
  return expected.filter(([, isAsAsked]) => !isAsAsked).map(([name]) => name);
}

/**
 * Initialises the device and reads back label, PIN, tries, DKEK and options. Everything on it is lost. The SO-PIN is
 * changed last, so that what is cut off before can be repeated with the same SO-PINs.
 * Failures: Token_LabelInvalid, Token_PinLengthInvalid, Device_SoPinIsFactory, Token_PinLastTry (nothing was sent);
 * Token_SoPinIncorrect, Token_SoPinLocked (nothing was erased); Device_StatusUnexpected with what differs.
 */
export async function initializeDevice(device: Device, request: Initialization): Promise<TokenResult<DeviceStatus>> {
  const refused = refusalOf(request);
  if (refused !== undefined) return refused;
  const erased = await erase(device, request);
  if (!erased.ok) return erased;
  const labelled = await writeLabel(device, request.pin, request.label);
  if (!labelled.ok) return labelled;
  const { newSoPin } = request;
  if (newSoPin !== undefined && !Buffer.from(erased.value).equals(newSoPin)) {
    const changed = await setSoPin(device, erased.value, newSoPin, false);
    if (!changed.ok) return changed;
  }
  const after = await selectAnew(device);
  if (!after.ok) return after;
  const status = await readStatus(after.value);
  if (!status.ok) return status;
  const different = differences(status.value, request);
  if (different.length === 0) return status;
  return failure(
    'Device_StatusUnexpected',
    `After its initialisation the device says something else than was asked for: ${different.join(', ')}.`,
    'Do not use it as it is: look at its status, and set it up anew.',
    { serial: device.serial, different: different.join(', ') },
  );
}
