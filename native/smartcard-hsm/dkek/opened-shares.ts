/**
 * DKEK shares that were opened to be compared, not imported: held until the last one is there, then wiped. The DKEK is
 * the XOR of its shares (OpenSC, sc-hsm-tool.c), its key check value the first 8 bytes of its SHA-256.
 */
import { createHash } from 'node:crypto';
import { failure, success } from '../../../electron/workflows/failures.ts';
import type { TokenResult } from '../../pkcs11/return-values.ts';

const shareBytes = 32;
const keyCheckValueBytes = 8;

interface Collection {
  readonly name: string;
  readonly shares: Map<number, Uint8Array>;
}

export interface OpenedShares {
  /** Takes a copy of one opened share; shares of another collection are wiped first. */
  put(collection: string, index: number, share: Uint8Array): void;
  /** The key check value that these shares give, hex. Wipes them. Token_SessionLost where one is not held. */
  keyCheckValue(collection: string, count: number): TokenResult<{ readonly keyCheckValue: string }>;
}

export function createOpenedShares(): OpenedShares {
  let held: Collection | undefined;

  function wipe(): void {
    for (const share of held?.shares.values() ?? []) share.fill(0);
    held = undefined;
  }

  return {
    put(collection, index, share) {
      if (held?.name !== collection) wipe();
      held ??= { name: collection, shares: new Map() };
      held.shares.get(index)?.fill(0);
      held.shares.set(index, Uint8Array.from(share));
    },

    keyCheckValue(collection, count) {
      const shares = held?.name === collection ? held.shares : undefined;
      const dkek = new Uint8Array(shareBytes);
      try {
        for (let index = 0; index < count; index += 1) {
          const share = shares?.get(index);
          if (share === undefined) {
            return failure(
              'Token_SessionLost',
              'The opened shares are not held any more: the helper process was started anew since.',
              'Open all of them once more.',
            );
          }
          for (let at = 0; at < shareBytes; at += 1) dkek[at] = (dkek[at] ?? 0) ^ (share[at] ?? 0);
        }
        const hash = createHash('sha256').update(dkek).digest('hex');
        return success({ keyCheckValue: hash.slice(0, 2 * keyCheckValueBytes) });
      } finally {
        dkek.fill(0);
        wipe();
      }
    },
  };
}
