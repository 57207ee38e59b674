/** What the token observer knows and the token view is made of. */
import type { DeviceDescription, TokenObject } from '../workflows/device-ports.ts';
import type { Result, TokenFailureCode } from '../workflows/failures.ts';
import type {
  DataObjectDescription,
  KeyPairDescription,
  TokenDescription,
  TokenReference,
} from '../workflows/ports.ts';

export type ObservedStore = Result<readonly TokenDescription[], TokenFailureCode>;

export interface InspectedObjects {
  readonly keyPairs: readonly KeyPairDescription[];
  readonly dataObjects: readonly DataObjectDescription[];
  /** Everything that was visible, the pairs and values above included. */
  readonly all: readonly TokenObject[];
  /** Bytes; -1 where the token does not say. */
  readonly freeMemory: number;
  readonly totalMemory: number;
}

/** One token as it was last seen. */
export interface ObservedToken {
  readonly token: TokenDescription;
  readonly objects: InspectedObjects | undefined;
  /** Where it is a SmartCard-HSM that was asked. */
  readonly device: DeviceDescription | undefined;
}

/** A token as a run's facts name it; undefined where they hold no serial. */
export function toReference(
  storeId: string,
  serial: string | number | boolean | undefined,
): TokenReference | undefined {
  return typeof serial === 'string' && serial !== '' ? { storeId, serial } : undefined;
}

type PinTries = TokenDescription['userPinState'];

function pinState(state: 'set' | 'not-initialized' | 'locked' | 'transport', triesLeft: number): PinTries {
  if (state === 'locked') return 'locked';
  return triesLeft === 1 ? 'final-try' : 'ok';
}

/**
 * A SmartCard-HSM as the token that its module will list, told by the card itself. What only the module can say
 * (slot, model, lengths of PINs it takes) is what OpenSC says of every such device.
 */
export function arrivingToken(storeId: string, device: DeviceDescription): TokenDescription {
  return {
    storeId,
    slotId: 0,
    slotDescription: device.readerName,
    initialized: true,
    label: device.label,
    reportedLabel: device.label,
    serial: device.serial,
    manufacturer: 'www.CardContact.de',
    model: 'PKCS#15 emulated',
    firmwareVersion: device.firmwareVersion,
    userPinSet: device.pinState !== 'not-initialized',
    pinLengthMinimum: 6,
    pinLengthMaximum: 15,
    userPinState: pinState(device.pinState, device.pinTriesLeft),
    soPinState: pinState(device.soPinState, device.soPinTriesLeft),
    writeProtected: false,
    loggedIn: false,
  };
}
