/** The desktop around a core: tray, windows, lock and the contract between them, wired to each other. */
import { app, nativeTheme } from 'electron';
import { channels } from '../contract/channels.ts';
import { wirePrefix } from '../contract/channel-names.ts';
import { promptChannels } from '../contract/prompt.ts';
import type { AppView } from '../contract/views.ts';
import type { Core } from '../core/core.ts';
import { operatorName, type HandlerContext } from '../ipc/handlers/context.ts';
import { createClusterObserver } from '../ipc/cluster-observer.ts';
import { electronTransport } from '../ipc/ipc-main.ts';
import { createLockGate, createMainHandlers } from '../ipc/main-handlers.ts';
import { createPresenceObserver } from '../ipc/presence-observer.ts';
import { createPromptHandlers } from '../ipc/prompt-handlers.ts';
import { isAtWorkOn } from '../ipc/reader-stores.ts';
import { registerChannels } from '../ipc/registration.ts';
import { createRunObserver } from '../ipc/run-observer.ts';
import { createTokenObserver } from '../ipc/token-observer.ts';
import { createViewPublisher } from '../ipc/view-publisher.ts';
import { toAppView } from '../ipc/views/app-view.ts';
import { createSenderCheck } from '../security/sender-check.ts';
import { reportBug } from './bug-report.ts';
import { createDesktopPort } from './dialogs.ts';
import { createLock } from './lock.ts';
import type { MainWindow } from './main-window.ts';
import { setApplicationMenu } from './menu.ts';
import { notifySealed } from './notifications.ts';
import { unsealInOneClick } from './one-click-unseal.ts';
import { followPower, systemLockFacts } from './power-events.ts';
import type { PromptDesk, PromptSurface } from './prompt-desk.ts';
import type { TrayAction } from './tray-model.ts';
import type { AppTray } from './tray.ts';

export interface DesktopParts {
  readonly core: Core;
  readonly tray: AppTray;
  readonly mainWindow: MainWindow;
  readonly promptSurface: PromptSurface;
  readonly promptDesk: PromptDesk;
  /** Whether this desktop shows tray icons: asked after the start, so that the start does not wait for it. */
  readonly trayHost: Promise<boolean>;
}

export interface DesktopApp {
  /** Ending the process now would lose what Vault has answered. */
  readonly holdsUnsavedShares: boolean;
  /** A person did something in one of the windows. */
  noteActivity(): void;
  windowReady(): void;
  windowClosed(): void;
  act(action: TrayAction): void;
  /** Ends hosts, prompts and timers. */
  close(): Promise<void>;
}

export function createDesktopApp(parts: DesktopParts): DesktopApp {
  const { core, tray, mainWindow, promptSurface, promptDesk } = parts;
  let trayAvailable = true;

  const changed = (): void => {
    publisher.changed();
    // A locked view stays the same whatever happens; the tray is what still tells.
    if (lock.locked) showInTray(buildView(false));
  };
  const runs = createRunObserver(core);
  const tokens = createTokenObserver(core, changed, (storeId) => isAtWorkOn(runs.runs, storeId));
  const presence = createPresenceObserver(core, tokens, changed);
  const clusters = createClusterObserver(core, runs, changed);

  const lock = createLock(
    systemLockFacts(() => core.settings.preferences.lockAfterMinutes),
    async () => {
      promptDesk.cancelAll();
      tokens.forget();
      clusters.forget();
      await Promise.all([presence.stop(), core.lock()]);
    },
    () => {
      publisher.renew();
    },
  );

  const buildView = (locked: boolean): AppView =>
    toAppView({ core, tokens, presence, clusters, runs: runs.runs, locked, trayAvailable });
  /** The tray keeps saying which server is sealed while the app is locked; it shows names and states only. */
  const showInTray = ({ vaults, rehearsal }: AppView): void => {
    tray.show({ vaults, rehearsal, locked: lock.locked });
  };
  const publisher = createViewPublisher(
    () => buildView(lock.locked),
    (view) => {
      mainWindow.send('view-changed', view);
      showInTray(lock.locked ? buildView(false) : view);
    },
  );

  const inBackground = (where: string, work: Promise<unknown>): void => {
    work.catch((cause: unknown) => {
      reportBug(where, cause);
    });
  };
  /** Files alone are read for the list; only where this app pushed something is a cluster asked whether it drifted. */
  const lookAtClusters = async (): Promise<void> => {
    await clusters.refresh();
    if (!lock.locked) await clusters.checkDrift('');
  };
  const unlock = (): void => {
    if (!lock.locked) return;
    lock.unlock();
    presence.start();
    inBackground('tokens', tokens.refresh());
    inBackground('clusters', lookAtClusters());
  };
  const tokenLabel = (storeId: string, serial: string): string => {
    const observed = tokens.observed(storeId);
    return observed?.ok === true ? (observed.value.find((token) => token.serial === serial)?.label ?? '') : '';
  };
  const unseal = (vaultId: string): void => {
    lock.noteActivity();
    unlock();
    const show = (path: string): void => {
      mainWindow.open(path);
    };
    inBackground('unseal', unsealInOneClick(vaultId, { core, by: operatorName(core), tokenLabel, show }));
  };

  const act: DesktopApp['act'] = (action) => {
    lock.noteActivity();
    switch (action.kind) {
      case 'open':
        mainWindow.open();
        return;
      case 'unseal':
        unseal(action.vaultId);
        return;
      case 'start-rehearsal':
        unlock();
        mainWindow.open('/');
        inBackground(
          'rehearsal',
          core.rehearsal.start().then(() => tokens.refresh()),
        );
        return;
      case 'discard-rehearsal':
        // Dangerous: the window asks for the deliberate act.
        mainWindow.open('/');
        return;
      case 'lock':
        inBackground('lock', lock.lock());
        return;
      case 'quit':
        app.quit();
        return;
    }
  };

  const context: HandlerContext = {
    core,
    desktop: createDesktopPort(() => mainWindow.window),
    lock,
    tokens,
    presence,
    clusters,
    runs,
    changed,
  };
  registerChannels({
    transport: electronTransport,
    prefix: wirePrefix.main,
    definitions: channels,
    handlers: createMainHandlers(context, () => buildView(lock.locked)),
    isAllowedSender: createSenderCheck('main', () => mainWindow.id),
    refuseNow: createLockGate(() => lock.locked),
    onBug: reportBug,
  });
  registerChannels({
    transport: electronTransport,
    prefix: wirePrefix.prompt,
    definitions: promptChannels,
    handlers: createPromptHandlers(promptDesk.handlers),
    isAllowedSender: createSenderCheck('prompt', () => promptSurface.id),
    refuseNow: () => undefined,
    onBug: reportBug,
  });
  setApplicationMenu({
    lock: () => {
      act({ kind: 'lock' });
    },
    quit: () => {
      act({ kind: 'quit' });
    },
  });

  const applyTheme = (): void => {
    nativeTheme.themeSource = core.settings.preferences.theme;
  };
  applyTheme();
  core.settings.subscribe(() => {
    applyTheme();
    changed();
  });
  core.rehearsal.subscribe(changed);
  core.watch.subscribe(({ newlySealed }) => {
    for (const vault of core.vaults()) {
      if (newlySealed.includes(vault.id)) {
        notifySealed(vault, () => {
          unseal(vault.id);
        });
      }
    }
    changed();
  });
  runs.subscribe((runId) => {
    changed();
    // A run that came to rest may have changed what is on a token.
    const run = runs.runs.find((candidate) => candidate.state.runId === runId);
    if (run?.busy === false && !lock.locked) inBackground('tokens', tokens.refresh());
  });

  const stopFollowingPower = followPower(lock);
  core.watch.start();
  inBackground('runs', runs.reload());
  inBackground(
    'tray',
    parts.trayHost.then((found) => {
      trayAvailable = found;
      changed();
    }),
  );
  changed();

  return {
    get holdsUnsavedShares() {
      return core.shares.holdsUnsaved;
    },
    noteActivity() {
      lock.noteActivity();
    },
    windowReady() {
      publisher.renew();
      // Looking for tokens and readers starts host processes: not before someone wants to see them.
      if (lock.locked) return;
      presence.start();
      inBackground('tokens', tokens.refresh());
      inBackground('clusters', lookAtClusters());
    },
    windowClosed() {
      if (!trayAvailable) app.quit();
    },
    act,
    async close() {
      stopFollowingPower();
      publisher.stop();
      core.watch.stop();
      promptDesk.cancelAll();
      await presence.stop();
      await core.rehearsal.stop();
      await core.close();
    },
  };
}
