import { BrowserWindow, nativeTheme, session } from 'electron';
import type { WindowEvent, WindowEventName } from '../contract/channels.ts';
import { wirePrefix } from '../contract/channel-names.ts';
import { pageOf } from '../security/origins.ts';
import { openSessionTo } from '../security/session-guards.ts';
import { hardenedWebPreferences, partitions } from '../security/web-preferences.ts';
import { servePages } from './app-protocol.ts';
import type { AppPaths } from './paths.ts';

export interface MainWindow {
  /** webContents id, undefined while there is no window. */
  readonly id: number | undefined;
  readonly window: BrowserWindow | undefined;
  /** Makes the window where there is none, brings it to the front, and shows a page of it if one is named. */
  open(path?: string): void;
  send<Name extends WindowEventName>(event: Name, payload: WindowEvent<Name>): void;
  close(): void;
}

const background = { light: '#f5f6f8', dark: '#14171c' } as const;

/**
 * The main window lives from open to close: closing destroys it, so that no renderer is alive while only
 * the tray shows.
 */
export function createMainWindow(
  paths: AppPaths,
  listeners: { readonly onActivity: () => void; readonly onClosed: () => void; readonly onReady: () => void },
): MainWindow {
  const ownSession = openSessionTo(session.fromPartition(partitions.main, { cache: false }), 'main');
  servePages(ownSession, 'main', paths.pages);
  let window: BrowserWindow | undefined;
  let pageReady = false;
  let pendingPath: string | undefined;

  const send: MainWindow['send'] = (event, payload) => {
    if (window !== undefined && !window.isDestroyed()) window.webContents.send(`${wirePrefix.main}${event}`, payload);
  };

  const create = (): BrowserWindow => {
    const created = new BrowserWindow({
      width: 1180,
      height: 780,
      minWidth: 1024,
      minHeight: 700,
      show: false,
      title: 'Key Custodian',
      icon: paths.icon('256x256'),
      backgroundColor: nativeTheme.shouldUseDarkColors ? background.dark : background.light,
      webPreferences: hardenedWebPreferences({ partition: partitions.main, preload: paths.mainPreload }),
    });
    pageReady = false;
    created.once('ready-to-show', () => {
      created.show();
    });
    created.on('page-title-updated', (event) => {
      event.preventDefault();
    });
    created.webContents.on('input-event', listeners.onActivity);
    created.webContents.on('did-finish-load', () => {
      pageReady = true;
      listeners.onReady();
      if (pendingPath !== undefined) send('go-to', { path: pendingPath });
      pendingPath = undefined;
    });
    // A renderer that died shows nothing any more; the next opening makes a new one.
    created.webContents.on('render-process-gone', () => {
      if (!created.isDestroyed()) created.destroy();
    });
    created.on('closed', () => {
      if (window === created) window = undefined;
      listeners.onClosed();
    });
    void created.loadURL(pageOf('main')).catch(() => {
      // The window was closed while it loaded, or the page is missing from the build: either way there is nothing to show.
      if (!created.isDestroyed()) created.destroy();
    });
    return created;
  };

  return {
    get id() {
      return window?.webContents.id;
    },
    get window() {
      return window;
    },
    open(path) {
      if (window === undefined) {
        pendingPath = path;
        window = create();
        return;
      }
      if (window.isMinimized()) window.restore();
      window.show();
      window.focus();
      if (path === undefined) return;
      if (pageReady) send('go-to', { path });
      else pendingPath = path;
    },
    send,
    close() {
      window?.destroy();
    },
  };
}
