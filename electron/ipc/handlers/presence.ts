import { success } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';

export function createPresenceHandlers({
  presence,
  tokens,
}: {
  readonly presence: Pick<HandlerContext['presence'], 'refresh'>;
  readonly tokens: Pick<HandlerContext['tokens'], 'refreshReaderStores'>;
}): Group<'presence'> {
  return {
    async 'presence.refresh'() {
      const [looked] = await Promise.all([presence.refresh(), tokens.refreshReaderStores()]);
      return looked.ok ? success({}) : looked;
    },
  };
}
