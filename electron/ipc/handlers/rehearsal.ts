import { success } from '../../workflows/failures.ts';
import type { Group, HandlerContext } from './context.ts';

export function createRehearsalHandlers({ core, tokens, runs, changed }: HandlerContext): Group<'rehearsal'> {
  return {
    async 'rehearsal.start'() {
      const result = await core.rehearsal.start();
      if (!result.ok) return result;
      await tokens.refresh();
      changed();
      return success({});
    },
    async 'rehearsal.restart-vault'() {
      const result = await core.rehearsal.restartVault();
      changed();
      return result.ok ? success({}) : result;
    },
    async 'rehearsal.discard'() {
      const result = await core.rehearsal.discard();
      if (!result.ok) return result;
      await Promise.all([tokens.refresh(), runs.reload()]);
      changed();
      return success({});
    },
  };
}
