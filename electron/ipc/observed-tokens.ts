/** What the token observer knows and the token view is made of. */
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
}

/** A token as a run's facts name it; undefined where they hold no serial. */
export function toReference(
  storeId: string,
  serial: string | number | boolean | undefined,
): TokenReference | undefined {
  return typeof serial === 'string' && serial !== '' ? { storeId, serial } : undefined;
}
