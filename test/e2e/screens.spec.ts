/**
 * Every screen, in light and dark, as small as the window gets and at twice the size of letters: each control
 * has a name, there is one title, and no text is cut off. Pictures are kept; none shows a PIN or a share.
 */
import { expect, test, type Page } from '@playwright/test';
import type { AppView } from '../../electron/contract/views.ts';
import {
  crowdedDevice,
  newDevice,
  smartCardHsm,
  viewWithDevices,
  viewWithNothing,
  viewWithProblems,
  worriedDevice,
} from '../screens/device-views.ts';
import { clustersView, contexts, driftedPush, pushView } from '../screens/cluster-views.ts';
import { HomeScreen } from '../screens/home.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { TokenScreen } from '../screens/token.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import {
  callContract,
  finishRun,
  findRun,
  planVaultInit,
  setUpToken,
  startRehearsal,
  startRun,
  waitForVault,
} from './contract-calls.ts';
import { answerPrompt, closePromptBy, findPrompt, readView } from './drive-run.ts';
import { keepScreenshot, keepZoomedScreenshot, launchApp, type LaunchedApp } from './launch/launch-app.ts';
import { goTo, showMadeView, showOwnView } from './made-view.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';

const testSecrets = { pin: 'screens-test-pin-2711', soPin: 'screens-test-so-pin-2711' };
const themes = ['light', 'dark'] as const;
type Theme = (typeof themes)[number];

async function setTheme(page: Page, theme: Theme): Promise<void> {
  await callContract(page, 'settings.change', { theme, lockAfterMinutes: 60, operatorName: '' });
}

async function setZoom(app: LaunchedApp, factor: number): Promise<void> {
  await app.inMain(({ BrowserWindow }, zoom) => {
    const window = BrowserWindow.getAllWindows()[0];
    window?.setContentSize(1024, 700);
    window?.webContents.setZoomFactor(zoom);
  }, factor);
}

test.describe.serial('every screen', () => {
  let app: LaunchedApp;
  let page: Page;
  const problems: string[] = [];

  test.beforeAll(async () => {
    app = await launchApp();
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
  });

  const inspect = async (
    name: string,
    landmarks: readonly string[] = ['main', 'navigation'],
    paint: (theme: Theme) => Promise<void> = (theme) => setTheme(page, theme),
  ): Promise<void> => {
    for (const problem of await findNameProblems(page, landmarks)) problems.push(`${name}: ${problem}`);
    for (const theme of themes) {
      await paint(theme);
      await setZoom(app, 1);
      await page.waitForTimeout(150);
      for (const clipped of await findClippedText(page)) problems.push(`${name}, ${theme}: ${clipped}`);
      await keepScreenshot(page, `${name}-${theme}`);
    }
    await setZoom(app, 2);
    await page.waitForTimeout(150);
    for (const clipped of await findClippedText(page)) problems.push(`${name}, zoom 2: ${clipped}`);
    await keepZoomedScreenshot(app, `${name}-zoom`);
    await setZoom(app, 1);
  };

  const show = async (name: string, path: string): Promise<void> => {
    await goTo(app, path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await inspect(name);
  };

  /** A page as it is with devices that are made up. */
  const showMade = async (
    name: string,
    path: string,
    view: AppView = viewWithDevices(),
    prepare: () => Promise<void> = () => Promise.resolve(),
  ): Promise<void> => {
    const paint = (theme: Theme): Promise<void> =>
      showMadeView(app, { ...view, settings: { ...view.settings, theme } });
    await paint('light');
    await goTo(app, path);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await prepare();
    await inspect(name, undefined, paint);
  };

  const inspectPrompt = async (name: string): Promise<Page> => {
    const prompt = await app.window('app://prompt');
    await new PromptScreen(prompt).title.waitFor();
    for (const theme of themes) {
      await setTheme(page, theme);
      await prompt.waitForTimeout(150);
      await keepScreenshot(prompt, `prompt-${name}-${theme}`);
      for (const clipped of await findClippedText(prompt)) problems.push(`prompt ${name}, ${theme}: ${clipped}`);
    }
    for (const problem of await findNameProblems(prompt, ['main'])) problems.push(`prompt ${name}: ${problem}`);
    return prompt;
  };

  /** The run's own page, its main button pressed until the prompt is open. */
  const openPrompt = async (runId: string): Promise<void> => {
    await expect(async () => {
      if (findPrompt(app) !== undefined) return;
      const run = await findRun(page, runId);
      if (run?.busy === false) await callContract(page, 'runs.continue', { runId, typedName: '' });
      throw new Error('the prompt is not open yet');
    }).toPass({ intervals: [150], timeout: 30_000 });
  };

  test('before anything is there', async () => {
    await page.getByRole('heading', { level: 1 }).waitFor();
    await inspect('first-home');
    for (const section of ['tokens', 'vaults', 'clusters', 'runs', 'journal', 'settings'])
      await show(`first-${section}`, `/${section}`);
    expect(problems.splice(0)).toEqual([]);
  });

  test('with SmartCard-HSMs', async () => {
    test.setTimeout(240_000);
    const token = smartCardHsm();
    const at = `${token.storeId}/${token.serial}`;
    await showMade('devices', '/tokens');
    await showMade('devices-problems', '/tokens', viewWithProblems);
    await showMade('devices-none', '/tokens', viewWithNothing);
    await showMade('home-devices', '/');
    await showMade('home-device-unusable', '/', viewWithProblems);
    await showMade('home-device-absent', '/', viewWithDevices({ tokens: [], presence: viewWithNothing.presence }));
    await showMade('token-overview', `/tokens/${at}`);
    await showMade('token-objects', `/tokens/${at}/objects`, viewWithDevices(), async () => {
      await new TokenScreen(page).openObject('bank-vaults');
    });
    await showMade('token-objects-many', `/tokens/${at}/objects`, viewWithDevices({ tokens: [crowdedDevice(300)] }));
    for (const tab of ['values', 'backup', 'pins', 'erase']) await showMade(`token-${tab}`, `/tokens/${at}/${tab}`);
    await showMade('token-pins-last-try', `/tokens/${at.replace(token.serial, worriedDevice.serial)}/pins`);
    await showMade('token-gone', '/tokens/opensc/DENK0000000');
    const newOne = `${newDevice.storeId}/${String(newDevice.slotId)}`;
    await showMade('plan-device-setup', `/new/token-setup/${newOne}`);
    await showMade('plan-device-second', `/new/token-setup/${newOne}`, viewWithDevices(), async () => {
      await new TokenSetupPlanScreen(page).chooseDkek('The one of another device');
    });
    for (const act of ['backup-drill', 'device-clone', 'certificate-store', 'values-rewrap'])
      await showMade(`plan-${act}`, `/new/${act}/${at}/`);
    await showMade('plan-pin-change', `/new/pin-change/${at}/unblock-pin`);
    await showMade('plan-value-read-out', `/new/value-read-out/${at}/vault-root`);
    await showMade('run-drill-ended', '/runs/drill');
    await showOwnView(app, page);
    expect(problems.splice(0)).toEqual([]);
  });

  test('with clusters', async () => {
    test.setTimeout(240_000);
    const view = viewWithDevices({ clusters: clustersView(), pushes: [driftedPush, pushView()] });
    const [production, staging] = contexts;
    if (production === undefined || staging === undefined) throw new Error('there are contexts in the view');
    await showMade('clusters', '/clusters', view);
    await showMade('cluster', `/clusters/${production.id}`, view);
    await showMade('cluster-not-allowed', `/clusters/${staging.id}`, view);
    await showMade('cluster-pushes', `/clusters/${production.id}/pushes`, view);
    await showMade('cluster-names', `/clusters/${production.id}/names`, view);
    await showMade('home-drift', '/', view);
    await showMade('recipes', `/new/recipe/${production.id}/`, view);
    for (const recipe of ['bank-vaults', 'softhsm-cluster', 'node-setup', 'pkcs11-seal', 'kms-plugin']) {
      await showMade(`recipe-${recipe}`, `/new/recipe/${production.id}/${recipe}`, view, async () => {
        await page
          .getByText('Everything fits')
          .or(page.getByText(/needs? a look/u))
          .first()
          .waitFor();
      });
    }
    await showMade('plan-transit-setup', `/new/transit-setup//${production.id}`, view);
    await showMade('plan-seal-migration', '/new/seal-migration/', view);
    const token = smartCardHsm();
    await showMade('plan-secret-store', `/new/secret-store/${token.storeId}/${token.serial}/bank-vaults`, view);
    // Last: they ask for the cluster at once, and that one is made up.
    await showMade('plan-kms-verify', `/new/kms-verify/${production.id}//`, view);
    await showMade('kms-status', `/kms/${production.id}`, view);
    await showOwnView(app, page);
    expect(problems.splice(0)).toEqual([]);
  });

  test('with a rehearsal under way', async () => {
    await startRehearsal(page);
    await show('rehearsal-home', '/');
    await show('plan-token-setup', '/new/token-setup//');
    let newPins = 0;
    const token = await setUpToken(app, page, 'rehearsal', 'screens-token', {
      ...testSecrets,
      beforeFirst: async () => {
        newPins += 1;
        await inspectPrompt('new-so-pin');
      },
    });
    expect(newPins).toBe(1);
    await callContract(page, 'tokens.inspect', { storeId: token.storeId, serial: token.serial });
    await show('tokens', '/tokens');
    await show('token', `/tokens/${token.storeId}/${token.serial}`);
    await show('plan-vault-init', '/new/vault-init/rehearsal');

    await callContract(page, 'app.lock', {});
    await page.getByRole('heading', { name: 'Locked' }).waitFor();
    await callContract(page, 'app.unlock', {});
    await expect.poll(async () => (await readView(page)).tokens.length).toBeGreaterThan(0);
    const runId = await startRun(
      page,
      planVaultInit(await readView(page), 'rehearsal', token, { count: 3, threshold: 2, shown: { 3: 'Carol' } }),
    );
    await show('run-begun', `/runs/${runId}`);
    await openPrompt(runId);
    const pinPrompt = await inspectPrompt('pin');
    await closePromptBy(pinPrompt, () => new PromptScreen(pinPrompt).cancel.click());
    await expect.poll(async () => (await findRun(page, runId))?.busy).toBe(false);
    await inspect('run-problem');
    await openPrompt(runId);
    await answerPrompt(await app.window('app://prompt'), testSecrets, new Set(['']));
    await expect
      .poll(async () => {
        const run = await findRun(page, runId);
        return run?.busy === false ? run.steps.find((step) => step.status === 'current')?.id : '';
      })
      .toBe('initialize');
    await inspect('run-initialize');
    // Up to the hand-out; only what is seen before the share is shown.
    await openPrompt(runId);
    const handOut = await inspectPrompt('hand-out');
    await expect(handOut.getByRole('button', { name: 'Show the share to Carol' })).toBeVisible();
    const screen = new PromptScreen(handOut);
    await screen.showShare('Carol');
    const share = await screen.hearShare();
    await screen.writtenDown();
    await closePromptBy(handOut, () => screen.typeBack(share));
    const run = await finishRun(app, page, runId, testSecrets);
    expect(run.status).toBe('completed');
    await inspect('run-ended');
    expect(problems.splice(0)).toEqual([]);
  });

  test('with a sealed Vault, and when all is done', async () => {
    await callContract(page, 'rehearsal.restart-vault', {});
    await waitForVault(page, 'rehearsal', 'sealed');
    await show('home-sealed', '/');
    await show('vaults', '/vaults');
    await show('vault', '/vaults/rehearsal');
    await show('plan-unseal', '/new/unseal/rehearsal');
    const vault = (await readView(page)).vaults[0];
    if (vault === undefined) throw new Error('the Vault is gone');
    const runId = await startRun(page, {
      workflow: 'unseal',
      rehearsal: true,
      vaultId: vault.id,
      vaultName: vault.name,
      connections: vault.nodes.map((node) => ({ address: node.address, trust: vault.trust })),
      sources: [{ kind: 'typed', custodian: 'Carol' }],
    });
    await openPrompt(runId);
    const sharePrompt = await inspectPrompt('share');
    await closePromptBy(sharePrompt, () => new PromptScreen(sharePrompt).cancel.click());
    await show('runs', '/runs');
    await show('journal', '/journal');
    await show('settings', '/settings');
    await new HomeScreen(page).lock.click();
    await page.getByRole('heading', { name: 'Locked' }).waitFor();
    for (const problem of await findNameProblems(page, ['main'])) problems.push(`locked: ${problem}`);
    await keepScreenshot(page, 'locked-dark');
    expect(problems.splice(0)).toEqual([]);
  });
});
