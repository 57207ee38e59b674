import { BrowserWindow, nativeImage, nativeTheme, session, type NativeImage } from 'electron';
import { pageOf } from '../security/origins.ts';
import { openSessionTo } from '../security/session-guards.ts';
import { hardenedWebPreferences, partitions } from '../security/web-preferences.ts';
import { servePages } from './app-protocol.ts';
import type { AppPaths } from './paths.ts';
import type { PromptSurface } from './prompt-desk.ts';

/** Device-independent pixels: the largest prompt, a new password in a rehearsal, shows whole. */
const width = 460;
const height = 460;

const background = { light: '#ffffff', dark: '#1b1f26' } as const;

/**
 * The small window in which PINs and shares are typed and shown. It has a session and a renderer process
 * of its own, and is made for one prompt and destroyed after it, memory and all.
 */
export function createPromptWindow(
  paths: AppPaths,
  parent: () => BrowserWindow | undefined,
  onActivity: () => void,
): PromptSurface {
  const ownSession = openSessionTo(session.fromPartition(partitions.prompt, { cache: false }), 'prompt');
  servePages(ownSession, 'prompt', paths.pages);
  let window: BrowserWindow | undefined;
  /** Decoded once, and no larger than a task bar shows it: each window sends all of it to the X server. */
  let icon: NativeImage | undefined;

  /** Over the main window, a little above its middle. */
  const place = (): { readonly x: number; readonly y: number } | undefined => {
    const frame = parent()?.getBounds();
    if (frame === undefined) return undefined;
    return { x: Math.round(frame.x + (frame.width - width) / 2), y: Math.round(frame.y + (frame.height - height) / 3) };
  };

  return {
    get id() {
      return window?.webContents.id;
    },
    open(onClosed) {
      icon ??= nativeImage.createFromPath(paths.icon('64x64'));
      const created = new BrowserWindow({
        width,
        height,
        // Said at once: moving the window afterwards waits for the X server.
        ...place(),
        useContentSize: true,
        resizable: false,
        minimizable: false,
        maximizable: false,
        fullscreenable: false,
        alwaysOnTop: true,
        skipTaskbar: false,
        show: false,
        title: 'Key Custodian – secure entry',
        icon,
        backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
        webPreferences: hardenedWebPreferences({ partition: partitions.prompt, preload: paths.promptPreload }),
      });
      window = created;
      // Not effective on every Linux desktop, but where it is, screenshots and shares of the screen leave it out.
      created.setContentProtection(true);
      created.setMenuBarVisibility(false);
      created.once('ready-to-show', () => {
        created.show();
        created.focus();
      });
      created.on('page-title-updated', (event) => {
        event.preventDefault();
      });
      created.webContents.on('input-event', onActivity);
      created.webContents.on('render-process-gone', () => {
        if (!created.isDestroyed()) created.destroy();
      });
      created.on('closed', () => {
        if (window === created) window = undefined;
        onClosed();
      });
      void created.loadURL(pageOf('prompt')).catch(() => {
        // Closed while it loaded, or missing from the build: the prompt is over, which cancels the step.
        if (!created.isDestroyed()) created.destroy();
      });
    },
    close() {
      window?.destroy();
      window = undefined;
    },
  };
}
