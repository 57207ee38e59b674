import type { channels } from '../contract/channels.ts';
import type { AppView } from '../contract/views.ts';
import { failure, success, type Failure } from '../workflows/failures.ts';
import { createChosenFiles } from './chosen-files.ts';
import { followCompletedRuns } from './completed-runs.ts';
import { createAppHandlers } from './handlers/app.ts';
import { createClusterHandlers } from './handlers/clusters.ts';
import type { HandlerContext } from './handlers/context.ts';
import { createDkekHandlers } from './handlers/dkek.ts';
import { createEtcdHandlers } from './handlers/etcd.ts';
import { createKmsHandlers } from './handlers/kms.ts';
import { createPgpHandlers } from './handlers/pgp.ts';
import { createPresenceHandlers } from './handlers/presence.ts';
import { createPushHandlers } from './handlers/pushes.ts';
import { createRecipeHandlers } from './handlers/recipes.ts';
import { createRehearsalHandlers } from './handlers/rehearsal.ts';
import { createRunHandlers } from './handlers/runs.ts';
import { createStoreHandlers } from './handlers/stores.ts';
import { createTokenHandlers } from './handlers/tokens.ts';
import { createTranscriptHandlers } from './handlers/transcripts.ts';
import { createTransitHandlers } from './handlers/transit.ts';
import { createVaultHandlers } from './handlers/vaults.ts';
import { createPreviews } from './previews.ts';
import type { Handlers } from './registration.ts';

/** One handler for every channel of the main window; what runs changed is followed from here on. */
export function createMainHandlers(context: HandlerContext, currentView: () => AppView): Handlers<typeof channels> {
  followCompletedRuns(context);
  const previews = createPreviews();
  const chosenFiles = createChosenFiles();
  return {
    'view.get': async () => success(currentView()),
    ...createTokenHandlers(context),
    ...createDkekHandlers(context),
    ...createPresenceHandlers({ ...context, problems: () => currentView().presence.problems }),
    ...createStoreHandlers(context),
    ...createVaultHandlers(context),
    ...createClusterHandlers(context),
    ...createRecipeHandlers({ ...context, previews }),
    ...createPushHandlers({ ...context, previews }),
    ...createTransitHandlers(context),
    ...createEtcdHandlers({ ...context, chosenFiles }),
    ...createKmsHandlers({ ...context, chosenFiles }),
    ...createPgpHandlers(context),
    ...createRunHandlers({ ...context, chosenFiles }),
    ...createTranscriptHandlers(context),
    ...createRehearsalHandlers(context),
    ...createAppHandlers(context),
  };
}

/** What a locked app still answers: its (empty) view, unlocking, and how it looks. */
const answeredWhileLocked: ReadonlySet<string> = new Set([
  'view.get',
  'app.unlock',
  'app.lock',
  'app.copy-details',
  'settings.change',
]);

export function createLockGate(isLocked: () => boolean): (channel: string) => Failure | undefined {
  return (channel) =>
    isLocked() && !answeredWhileLocked.has(channel)
      ? failure('App_Locked', 'The app is locked.', 'Unlock it, then do this again.').error
      : undefined;
}
