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
