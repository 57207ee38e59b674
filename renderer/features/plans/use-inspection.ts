import { useEffect } from 'react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';

/** Reads a chosen token's keys and objects (no login) where that was not done yet. */
export function useInspection(token: TokenView | undefined): void {
  const storeId = token?.storeId ?? '';
  const serial = token?.serial ?? '';
  const needed = token !== undefined && token.initialized && !token.inspected;
  useEffect(() => {
    if (needed) void act('tokens.inspect', { storeId, serial });
  }, [needed, storeId, serial]);
}
