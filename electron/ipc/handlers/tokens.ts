import { success } from '../../workflows/failures.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';

export function createTokenHandlers({ core, tokens }: HandlerContext): Group<'tokens'> {
  return {
    async 'tokens.refresh'() {
      await tokens.refresh();
      return success({});
    },
    async 'tokens.inspect'({ storeId, serial }) {
      if (!core.stores().some((store) => store.id === storeId)) return notFound('The token store');
      return tokens.inspect({ storeId, serial });
    },
  };
}
