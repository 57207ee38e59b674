import { success } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';

export function createPresenceHandlers({ presence, tokens }: HandlerContext): Group<'presence'> {
  return {
    async 'presence.refresh'() {
      const [looked] = await Promise.all([presence.refresh(), tokens.refreshReaderStores()]);
      return looked.ok ? success({}) : looked;
    },
  };
}
