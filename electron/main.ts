/** The composition root of the desktop app: the only file that knows everybody. Read it as a boot list. */
import { join } from 'node:path';
import { app, dialog } from 'electron';
import { defaultDataDirectory } from './core/default-directories.ts';
import type { Core } from './core/core.ts';
import { denyCertificateExceptions } from './security/certificates.ts';
import { guardNavigation } from './security/navigation.ts';
import { enforceSandbox } from './security/sandbox.ts';
import { guardEverySession } from './security/session-guards.ts';
import { guardStart } from './security/start-guard.ts';
import { declareAppScheme } from './shell/app-protocol.ts';
import { reportBug } from './shell/bug-report.ts';
import type { DesktopApp } from './shell/desktop-app.ts';
import { oneStartATurn } from './hosts/one-start-a-turn.ts';
import { createElectronLauncher } from './shell/electron-launcher.ts';
import { createMainWindow } from './shell/main-window.ts';
import { createPaths } from './shell/paths.ts';
import { createPromptDesk, type PromptDesk } from './shell/prompt-desk.ts';
import { createPromptWindow } from './shell/prompt-window.ts';
import { quitInOrder } from './shell/quit.ts';
import { becomeSingleInstance } from './shell/single-instance.ts';
import { findTrayHost } from './shell/tray-host.ts';
import { createTray } from './shell/tray.ts';
import type { Result } from './workflows/failures.ts';

const paths = createPaths(__dirname);
const startsHidden = process.argv.includes('--hidden');

async function openCore(promptDesk: PromptDesk): Promise<Result<Core>> {
  // Loaded once the tray is up, as is what is around it: their schemas and clients take longer than all before them.
  const { createCore } = await import('./core/create-core.ts');
  const { defaultCacheDirectory } = await import('./rehearsal/vault-binary.ts');
  // A profile of its own (tests, a second desk) keeps everything in that profile.
  const ownProfile = app.commandLine.hasSwitch('user-data-dir') ? app.getPath('userData') : undefined;
  return createCore({
    appVersion: app.getVersion(),
    dataDirectory: ownProfile === undefined ? defaultDataDirectory(process.env) : join(ownProfile, 'custody'),
    cacheDirectory: defaultCacheDirectory(),
    serverSourcesDirectory: app.isPackaged
      ? join(process.resourcesPath, 'servers', 'vault')
      : join(app.getAppPath(), 'build', 'servers', 'vault'),
    launch: oneStartATurn(createElectronLauncher(paths)),
    prompt: promptDesk.port,
  });
}

async function start(): Promise<void> {
  const running: { desktop: DesktopApp | undefined } = { desktop: undefined };
  let openWhenReady = !startsHidden;
  const openWindow = (): void => {
    if (running.desktop === undefined) openWhenReady = true;
    else running.desktop.act({ kind: 'open' });
  };
  const noteActivity = (): void => running.desktop?.noteActivity();

  if (!becomeSingleInstance(({ hidden }) => hidden || openWindow())) {
    process.stderr.write('Key Custodian runs already: its window was brought to the front.\n');
    app.exit(0);
    return;
  }
  declareAppScheme();
  enforceSandbox();
  guardEverySession();
  guardNavigation();
  denyCertificateExceptions();
  // Closing the window leaves the tray; what happens without one is decided in `desktop-app.ts`.
  app.on('window-all-closed', () => undefined);
  quitInOrder(
    () => running.desktop?.close() ?? Promise.resolve(),
    () => running.desktop?.holdsUnsavedShares !== true,
  );

  await app.whenReady();
  const tray = createTray(paths, (action) => {
    if (running.desktop !== undefined) running.desktop.act(action);
    else if (action.kind === 'quit') app.quit();
    else openWhenReady = true;
  });
  // Read by `npm run bench`.
  performance.mark('tray-up');
  const trayHost = findTrayHost();
  const mainWindow = createMainWindow(paths, {
    onActivity: noteActivity,
    onReady: () => running.desktop?.windowReady(),
    onClosed: () => running.desktop?.windowClosed(),
  });
  const promptSurface = createPromptWindow(paths, () => mainWindow.window, noteActivity);
  const promptDesk = createPromptDesk(promptSurface);
  const opened = await openCore(promptDesk);
  if (!opened.ok) {
    dialog.showErrorBox(opened.error.message, opened.error.next);
    app.exit(1);
    return;
  }
  const core = opened.value;
  const { createDesktopApp } = await import('./shell/desktop-app.ts');
  running.desktop = createDesktopApp({ core, tray, mainWindow, promptSurface, promptDesk, trayHost });
  if (openWhenReady) running.desktop.act({ kind: 'open' });
}

process.on('uncaughtException', (cause) => {
  reportBug('main', cause);
});
process.on('unhandledRejection', (cause) => {
  reportBug('main', cause);
});

const refusedSwitch = guardStart();
if (refusedSwitch === undefined) {
  start().catch((cause: unknown) => {
    reportBug('start', cause);
    app.exit(70);
  });
} else {
  process.stderr.write(
    `Key Custodian does not start with ${refusedSwitch}: it would open the app to other programs.\n`,
  );
  app.exit(64);
}
