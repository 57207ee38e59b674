/** The app in its tray: no window, no renderer; the menu's items act; a Vault that is sealed leads to its PIN. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { startTrayHost, type TrayHost, type TrayMenuItem } from '../servers/tray-host.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { callContract, finishRun, planVaultInit, setUpToken, startRun, waitForVault } from './contract-calls.ts';
import { answerPrompt, readView } from './drive-run.ts';
import { followVault } from './launch/followed-vault.ts';
import { launchApp, makeAppHome, testExecutable, type LaunchedApp } from './launch/launch-app.ts';
import { clickNotification, observeNotifications, readNotifications } from './notification-observer.ts';

const testSecrets = { pin: 'tray-test-pin-2711', soPin: 'tray-test-so-pin-2711' };

function countRenderers(app: LaunchedApp): Promise<number> {
  return app.inMain(({ app: electron }) => electron.getAppMetrics().filter((metric) => metric.type === 'Tab').length);
}

test('only the tray: no renderer is alive, and a second copy brings the window', async () => {
  const app = await launchApp({ argumentList: ['--hidden'] });
  try {
    expect(await countRenderers(app)).toBe(0);
    expect(app.application.windows().length).toBe(0);

    const second = spawn(testExecutable, [`--user-data-dir=${app.home.userDataDirectory}`], {
      env: { ...app.home.environment },
      cwd: app.home.directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    second.stderr.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    const [code] = (await once(second, 'close')) as [number | null];
    expect(code).toBe(0);
    expect(said).toContain('runs already');
    const page = await app.window('app://main');
    await page.waitForLoadState();
    expect(await countRenderers(app)).toBe(1);
  } finally {
    await app.close();
  }
});

test.describe.serial('with a Vault that it follows', () => {
  let tray: TrayHost;
  let vault: TestVault;
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    tray = await startTrayHost();
    vault = await startVaultServer();
    const home = await makeAppHome();
    const tokens = join(home.directory, 'tokens');
    await mkdir(tokens, { recursive: true });
    await writeFile(join(home.directory, 'softhsm2.conf'), `directories.tokendir = ${tokens}\nlog.level = ERROR\n`);
    await followVault(home, vault, 'followed', 'Followed Vault');
    app = await launchApp({ home, environment: { SOFTHSM2_CONF: join(home.directory, 'softhsm2.conf') } });
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
    await app.home.remove();
    await vault.stop();
    tray.close();
  });

  const itemLabelled = async (label: string): Promise<TrayMenuItem | undefined> =>
    (await tray.items()).find((item) => item.label === label);
  const openWindowFromTray = async (): Promise<void> => {
    await tray.click('Open');
    page = await app.window('app://main');
    await page.waitForLoadState();
  };

  test('its menu locks, opens, starts a rehearsal and says how each server is', async () => {
    await waitForVault(page, 'followed', 'uninitialized');
    expect(await tray.hasItem()).toBe(true);
    await expect
      .poll(async () => (await tray.items()).map(({ label, enabled }) => ({ label, enabled })))
      .toEqual([
        { label: 'Followed Vault: not initialised', enabled: false },
        { label: 'Open', enabled: true },
        { label: 'Start a rehearsal', enabled: true },
        { label: 'Lock now', enabled: true },
        { label: 'Quit', enabled: true },
      ]);

    await tray.click('Lock now');
    await expect(page.getByRole('heading', { name: 'Locked' })).toBeVisible();
    await expect.poll(() => itemLabelled('Locked')).toMatchObject({ enabled: false });
    await page.getByRole('button', { name: 'Continue' }).click();

    await app.inMain(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await expect.poll(() => countRenderers(app)).toBe(0);
    await openWindowFromTray();
    expect(await countRenderers(app)).toBe(1);

    await tray.click('Start a rehearsal');
    await expect.poll(async () => (await readView(page)).rehearsal.state, { timeout: 60_000 }).toBe('ready');
    await expect.poll(() => itemLabelled('Throw the rehearsal away…')).toMatchObject({ enabled: true });
    await callContract(page, 'rehearsal.discard', {});
  });

  test('a Vault that is sealed turns the icon, is notified, and one click leads to its PIN', async () => {
    const token = await setUpToken(app, page, 'softhsm', 'tray-token', testSecrets);
    const plan = planVaultInit(await readView(page), 'followed', token, { count: 3, threshold: 2 });
    const run = await finishRun(app, page, await startRun(page, plan), testSecrets);
    expect(run.status).toBe('completed');
    await waitForVault(page, 'followed', 'unsealed');
    await expect.poll(() => tray.tooltip()).toContain('nothing is sealed');
    const calm = await tray.icon();
    await observeNotifications(app);

    // Locked, as an app is that nobody sits at: the token's session has ended, so its PIN is needed.
    await callContract(page, 'app.lock', {});
    await vault.restart();
    await expect.poll(() => tray.tooltip(), { timeout: 40_000 }).toContain('Followed Vault sealed');
    expect(await tray.icon()).not.toBe(calm);
    expect(await itemLabelled('Followed Vault: sealed')).toMatchObject({ enabled: false });
    expect(await readNotifications(app)).toEqual(['Followed Vault is sealed']);

    await clickNotification(app);
    const prompt = await app.window('app://prompt');
    await expect(page.getByRole('main').getByRole('heading', { level: 1 })).toContainText('Unseal');
    await answerPrompt(prompt, testSecrets, new Set());
    await waitForVault(page, 'followed', 'unsealed');
    await expect.poll(() => tray.icon()).toBe(calm);
  });

  test('the tray unseals too, from a locked app without a window', async () => {
    await callContract(page, 'app.lock', {});
    await vault.restart();
    await expect.poll(() => tray.tooltip(), { timeout: 40_000 }).toContain('Followed Vault sealed');
    await app.inMain(({ BrowserWindow }) => {
      for (const window of BrowserWindow.getAllWindows()) window.close();
    });
    await expect.poll(() => countRenderers(app)).toBe(0);
    await tray.click('Unseal Followed Vault…');
    await answerPrompt(await app.window('app://prompt'), testSecrets, new Set());
    page = await app.window('app://main');
    await waitForVault(page, 'followed', 'unsealed');
  });

  test('Quit ends the app and every process of it', async () => {
    const ended = once(app.mainProcess, 'exit');
    await tray.click('Quit');
    const [code] = (await ended) as [number | null];
    expect(code).toBe(0);
  });
});
