/** Shows made-up views in the real window, so that screens of devices can be looked at where none is plugged in. */
import type { Page } from '@playwright/test';
import { wirePrefix } from '../../electron/contract/channel-names.ts';
import type { AppView } from '../../electron/contract/views.ts';
import type { LaunchedApp } from './launch/launch-app.ts';

const channel = `${wirePrefix.main}view-changed`;

/** From the first one on, what the app itself would show is held back: a made view has a second argument. */
export async function showMadeView(app: LaunchedApp, view: AppView): Promise<void> {
  await app.inMain(
    ({ BrowserWindow }, [viewChannel, made]) => {
      const contents = BrowserWindow.getAllWindows()[0]?.webContents;
      if (contents === undefined) throw new Error('There is no window.');
      if (!Object.hasOwn(contents, 'send')) {
        const send = contents.send.bind(contents);
        Object.defineProperty(contents, 'send', {
          configurable: true,
          value: (name: string, ...rest: readonly unknown[]) => {
            if (name !== viewChannel || rest.length === 2) send(name, ...rest);
          },
        });
      }
      contents.send(viewChannel, made, 'made');
    },
    [channel, view] as const,
  );
}

/** The window shows what the app knows again. */
export async function showOwnView(app: LaunchedApp, page: Page): Promise<void> {
  await app.inMain(({ BrowserWindow }) => {
    const contents = BrowserWindow.getAllWindows()[0]?.webContents;
    if (contents !== undefined) Reflect.deleteProperty(contents, 'send');
  });
  await page.reload();
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** Leads the window to a page, as a notification does. */
export async function goTo(app: LaunchedApp, path: string): Promise<void> {
  await app.inMain(
    ({ BrowserWindow }, [goToChannel, target]) => {
      BrowserWindow.getAllWindows()[0]?.webContents.send(goToChannel, { path: target });
    },
    [`${wirePrefix.main}go-to`, path] as const,
  );
}
