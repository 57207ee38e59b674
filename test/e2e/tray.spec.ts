/** The app with only its tray: no window, no renderer; a second copy; the tray menu. */
import { spawn } from 'node:child_process';
import { expect, test } from '@playwright/test';
import { launchApp, testExecutable } from './launch/launch-app.ts';

test('only the tray: no renderer is alive, and a second copy brings the window', async () => {
  const app = await launchApp({ argumentList: ['--hidden'] });
  try {
    const renderers = (): Promise<number> =>
      app.application.evaluate(
        ({ app: electron }) => electron.getAppMetrics().filter((metric) => metric.type === 'Tab').length,
      );
    expect(await renderers()).toBe(0);
    expect(app.application.windows().length).toBe(0);

    const second = spawn(testExecutable, [`--user-data-dir=${app.home.userDataDirectory}`], {
      env: { ...app.home.environment },
      cwd: app.home.directory,
      stdio: 'ignore',
    });
    const code = await new Promise((settle) => second.once('exit', settle));
    expect(code).toBe(0);
    const page = await app.window('app://main');
    await page.waitForLoadState();
    expect(await renderers()).toBe(1);
  } finally {
    await app.close();
  }
});
