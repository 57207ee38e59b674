import type { PresenceProblemView } from '../../contract/views.ts';
import { success } from '../../workflows/failures.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';

export function createPresenceHandlers({
  presence,
  tokens,
  desktop,
  problems,
}: {
  readonly presence: Pick<HandlerContext['presence'], 'refresh'>;
  readonly tokens: Pick<HandlerContext['tokens'], 'refreshReaderStores'>;
  readonly desktop: Pick<HandlerContext['desktop'], 'copyText'>;
  /** The notices as they are shown now. */
  readonly problems: () => readonly PresenceProblemView[];
}): Group<'presence'> {
  return {
    async 'presence.refresh'() {
      const [looked] = await Promise.all([presence.refresh(), tokens.refreshReaderStores()]);
      return looked.ok ? success({}) : looked;
    },

    // A window that was taken over could put commands of its own where a person pastes them into a terminal.
    async 'presence.copy-commands'({ title }) {
      const problem = problems().find((each) => each.title === title && each.commands !== '');
      if (problem === undefined) return notFound('This notice');
      desktop.copyText(problem.commands);
      return success({});
    },
  };
}
