import { success } from '../../workflows/failures.ts';
import type { FailureView } from '../../contract/views.ts';
import type { Group, HandlerContext } from './context.ts';

function detailsAsText(failure: FailureView, version: string): string {
  const details = Object.entries(failure.details ?? {}).map(([name, value]) => `${name}: ${String(value)}`);
  return [`Key Custodian ${version}`, failure.code, failure.message, failure.next, ...details].join('\n');
}

export function createAppHandlers({
  core,
  desktop,
  lock,
  tokens,
  presence,
  clusters,
  changed,
}: HandlerContext): Group<'app' | 'settings'> {
  return {
    async 'app.lock'() {
      await lock.lock();
      return success({});
    },
    async 'app.unlock'() {
      lock.unlock();
      presence.start();
      // The hosts were ended: tokens are looked for again, which may take a while and is not waited for.
      void tokens.refresh();
      void clusters.refresh();
      return success({});
    },
    async 'app.copy-details'({ failure }) {
      desktop.copyText(detailsAsText(failure, core.appVersion));
      return success({});
    },
    async 'settings.change'({ theme, lockAfterMinutes, operatorName }) {
      const result = await core.settings.changePreferences({ theme, lockAfterMinutes, operatorName });
      changed();
      return result.ok ? success({}) : result;
    },
  };
}
