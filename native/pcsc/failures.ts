/** What the names that pcsc-mini 0.1.3 gives to the errors of PC/SC mean to a person. */
import { failure, type Failure, type TokenFailureCode } from '../../electron/workflows/failures.ts';

export interface Refused {
  readonly ok: false;
  readonly error: Failure<TokenFailureCode>;
}

type Words = readonly [code: TokenFailureCode, message: string, next: string];

const unavailable: Words = [
  'Device_PcscUnavailable',
  'The smart card service (pcscd) does not run.',
  'Start it: sudo systemctl enable --now pcscd.socket. Then try again.',
];
const notPermitted: Words = [
  'Device_PcscNotPermitted',
  'This user may not talk to the smart card service (pcscd).',
  'Log in at the machine itself, or allow it in polkit; see “Use a Nitrokey HSM” in the README.',
];
const inUse: Words = [
  'Device_ReaderInUse',
  'Another program holds the reader to itself.',
  'Close it (GnuPG: gpgconf --kill scdaemon, and disable-ccid with pcsc-shared in scdaemon.conf), then try again.',
];
const gone: Words = [
  'Token_Gone',
  'The device was unplugged or its reader stopped answering.',
  'Plug the device in again, wait until it is listed, and try again.',
];
const reset: Words = [
  'Token_SessionLost',
  'Another program has reset the device in the middle of the work.',
  'Close other programs that use the device, then try again.',
];

/** Names without an entry are a fault that the program does not know. */
const wordsByName: ReadonlyMap<string, Words> = new Map<string, Words>([
  ['NoService', unavailable],
  ['ServiceStopped', unavailable],
  ['CommError', unavailable],
  ['FileNotFound', unavailable],
  ['SecurityViolation', notPermitted],
  ['AccessDenied', notPermitted],
  ['NoAccess', notPermitted],
  ['PermissionDenied', notPermitted],
  ['SharingViolation', inUse],
  ['CardIsBusy', inUse],
  ['DeviceBusy', inUse],
  ['RemovedCard', gone],
  ['NoSmartCard', gone],
  ['UnresponsiveCard', gone],
  ['UnpoweredCard', gone],
  ['ReaderUnavailable', gone],
  ['UnknownReader', gone],
  ['NoReadersAvailable', gone],
  ['NoCardConnection', gone],
  ['InvalidHandle', gone],
  // pcscd ends the transaction of a card that is pulled out.
  ['NotTransacted', gone],
  ['ResetCard', reset],
]);

const unknown: Words = [
  'Device_CardFault',
  'The smart card service reported a fault with the device.',
  'Unplug the device, plug it in again and try again.',
];

/** @param thrown what a call of pcsc-mini threw; anything without a code is a bug and thrown on */
export function failureOfPcscError(thrown: unknown): Refused {
  if (!(thrown instanceof Error) || !('code' in thrown) || typeof thrown.code !== 'string') throw thrown;
  const [code, message, next] = wordsByName.get(thrown.code) ?? unknown;
  return failure(code, message, next, { pcsc: thrown.code });
}

/** The card is not there any more, by an answer that says nothing. */
export function goneWithoutError(): Refused {
  return failure(...gone);
}

/** The card or the service was silent past the deadline. */
export function silent(deadlineMilliseconds: number): Refused {
  return failure(
    'Device_CardFault',
    `The device did not answer within ${deadlineMilliseconds / 1000} seconds.`,
    'Unplug the device, plug it in again, look at its status and try again.',
    { deadlineMilliseconds },
  );
}

/** Another program has had the card for itself past the deadline. */
export function heldByAnother(deadlineMilliseconds: number): Refused {
  const [code, message, next] = inUse;
  return failure(code, message, next, { deadlineMilliseconds });
}
