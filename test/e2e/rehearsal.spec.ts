/** The whole job through the windows of the packaged app: token, Vault, unseal, transcript, lock; tray menu included. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { HomeScreen } from '../screens/home.ts';
import { RunScreen } from '../screens/run.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { UnsealPlanScreen } from '../screens/unseal-plan.ts';
import { VaultInitPlanScreen } from '../screens/vault-init-plan.ts';
import { openSection } from '../screens/controls.ts';
import { driveRunToEnd, readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome, type LaunchedApp } from './launch/launch-app.ts';

const testSecrets = { pin: 'rehearsal-pin-2611', soPin: 'rehearsal-so-pin-2611' };

async function openWindow(app: LaunchedApp): Promise<Page> {
  const page = await app.window('app://main');
  await page.waitForLoadState();
  return page;
}

test('a rehearsal from an empty token to an unsealed Vault', async () => {
  test.setTimeout(8 * 60_000);
  const home = await makeAppHome();
  let app = await launchApp({ home });
  try {
    let page = await openWindow(app);
    let screen = new HomeScreen(page);

    await test.step('starts with the first screen and starts the rehearsal', async () => {
      await screen.startRehearsal.waitFor();
      await keepScreenshot(page, 'home-first');
      await screen.startRehearsal.click();
      await screen.rehearsalPath.waitFor({ timeout: 5 * 60_000 });
      await keepScreenshot(page, 'home-rehearsal');
      await expect(screen.rehearsalBand).toBeVisible();
    });

    await test.step('sets up a token', async () => {
      // The plan page takes the token that is there when it opens.
      await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
      await screen.beginPart('Set up a token');
      const plan = new TokenSetupPlanScreen(page);
      await plan.heading.waitFor();
      await plan.label.fill('rehearsal-token');
      await keepScreenshot(page, 'plan-token-setup');
      await plan.start.click();
      const run = await driveRunToEnd(app, page, 'token-setup', testSecrets);
      expect(run.status).toBe('completed');
    });

    await test.step('initialises the Vault with its shares on the token', async () => {
      await screen.open();
      await screen.beginPart('Initialise the Vault');
      const plan = new VaultInitPlanScreen(page);
      await plan.heading.waitFor();
      await plan.sendAllToToken();
      await keepScreenshot(page, 'plan-vault-init');
      await plan.start.click();
      const run = await driveRunToEnd(app, page, 'vault-init', testSecrets);
      expect(run.status).toBe('completed');
    });

    await test.step('unseals it after a restart of the app and of the Vault', async () => {
      await app.application
        .evaluate(({ app: electron }) => electron.quit())
        .catch((cause: unknown) => {
          if (!(cause instanceof Error)) throw cause;
        });
      await app.close();
      app = await launchApp({ home });
      page = await openWindow(app);
      screen = new HomeScreen(page);
      const ready = async (): Promise<string> => (await readView(page)).rehearsal.state;
      if ((await ready()) === 'none') await screen.startRehearsal.click();
      await expect.poll(ready, { timeout: 60_000 }).toBe('ready');
      await expect.poll(async () => (await readView(page)).vaults[0]?.state, { timeout: 30_000 }).toBe('sealed');
      await keepScreenshot(page, 'home-sealed');
      await screen.open();
      await screen.beginPart('Unseal');
      const plan = new UnsealPlanScreen(page);
      await plan.heading.waitFor();
      await keepScreenshot(page, 'plan-unseal');
      await plan.start.click();
      const run = await driveRunToEnd(app, page, 'unseal', testSecrets);
      expect(run.status).toBe('completed');
      await expect.poll(async () => (await readView(page)).vaults[0]?.state, { timeout: 30_000 }).toBe('unsealed');
    });

    await test.step('saves the transcript as a page and as PDF, and verifies the journal', async () => {
      const run = new RunScreen(page);
      for (const [format, extension] of [
        ['As a page (HTML)', 'html'],
        ['As PDF', 'pdf'],
      ] as const) {
        const target = join(home.directory, `transcript.${extension}`);
        await app.inMain(({ dialog }, filePath) => {
          Reflect.set(dialog, 'showSaveDialog', () => Promise.resolve({ canceled: false, filePath }));
        }, target);
        await run.saveTranscript(format);
        const start = extension === 'pdf' ? '%PDF-' : '<!';
        await expect
          .poll(() =>
            readFile(target, 'latin1').then(
              (text) => text.startsWith(start),
              () => false,
            ),
          )
          .toBe(true);
      }
      const verification = await run.verifyJournal();
      await expect(verification).toBeVisible();
      await keepScreenshot(page, 'journal-verified');
      await page.keyboard.press('Escape');
    });

    await test.step('shows every other screen', async () => {
      for (const section of ['Devices', 'Vaults', 'Runs', 'Journal', 'Settings', 'Home'] as const) {
        await openSection(page, section);
        await keepScreenshot(page, section.toLowerCase());
      }
    });

    await test.step('locks: the view is emptied and the hosts have ended', async () => {
      await screen.lock.click();
      await expect(screen.lockedHeading).toBeVisible();
      await keepScreenshot(page, 'locked');
      const view = await readView(page);
      expect([view.tokens, view.vaults, view.runs, view.stores]).toEqual([[], [], [], []]);
      // A card's module that is just starting is given two seconds to log out.
      const hosts = async (): Promise<readonly string[]> =>
        app.inMain(({ app: electron }) =>
          electron.getAppMetrics().flatMap((metric) => {
            const name = String(metric.name);
            return metric.type === 'Utility' && name.includes('Key Custodian') ? [name] : [];
          }),
        );
      await expect.poll(hosts, { timeout: 5000 }).toEqual([]);
      await screen.unlock();
      await expect(screen.lockedHeading).toBeHidden();
    });

    await test.step('throws the rehearsal away', async () => {
      await screen.discardRehearsal();
      await expect.poll(async () => (await readView(page)).rehearsal.state, { timeout: 30_000 }).toBe('none');
      const view = await readView(page);
      expect(view.runs.filter((run) => run.rehearsal)).toEqual([]);
    });
  } finally {
    await app.close();
    await home.remove();
  }
});
