/**
 * PINs and shares typed as markers are searched in every process, file, argument and environment. The markers are
 * put together at run time, and typed key by key, so that the driver leaves no copy in the app.
 */
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { HomeScreen } from '../screens/home.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { callContract, findRun, planVaultInit, startRehearsal, startRun, waitForVault } from './contract-calls.ts';
import { answerPrompt, closePromptBy, driveRunToEnd, findPrompt, readView } from './drive-run.ts';
import { launchApp, type LaunchedApp } from './launch/launch-app.ts';
import { formsOf, processTree, searchMemory } from './process-memory.ts';

const tokenLabel = 'marker-token';

async function mainRendererId(app: LaunchedApp): Promise<number> {
  return app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? -1);
}

async function searchFiles(directory: string, markers: readonly string[]): Promise<readonly string[]> {
  const forms = markers.flatMap(formsOf);
  const found: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch(() => Buffer.alloc(0));
    if (forms.some((form) => content.includes(form))) found.push(path);
  }
  return found;
}

/** The main window and the main process only relay what is sealed: a secret is in neither, even while it is used. */
async function expectNotRelayedInClear(app: LaunchedApp, markers: readonly string[]): Promise<void> {
  for (const id of [await mainRendererId(app), app.mainProcessId]) {
    const search = await searchMemory(id, [...markers, tokenLabel]);
    expect(search.bytesRead).toBeGreaterThan(1024 * 1024);
    // The label is there: the search finds what is there, so it would find a secret.
    expect(search.counts.at(-1)).toBeGreaterThan(0);
    expect({ id, counts: search.counts.slice(0, -1) }).toEqual({ id, counts: markers.map(() => 0) });
  }
}

/** Every process of the app, its arguments and environment, and every file of its home. */
async function expectNowhere(app: LaunchedApp, markers: readonly string[]): Promise<void> {
  const forms = markers.flatMap(formsOf);
  const found: string[] = [];
  for (const id of await processTree(app.mainProcessId)) {
    const name = (await readFile(`/proc/${String(id)}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    const environment = await readFile(`/proc/${String(id)}/environ`).catch(() => Buffer.alloc(0));
    if (forms.some((form) => Buffer.from(name, 'utf8').includes(form) || environment.includes(form)))
      found.push(`arguments or environment of ${String(id)}`);
    // The rehearsal's Vault is who the shares are for; it is no process of the app's own.
    if (/^\S*\/(?:vault|bao) server /u.test(name)) continue;
    const memory = await searchMemory(id, markers).catch(() => undefined);
    // The sandbox's own helpers may not be looked into; they forked before anything was typed. Gone means nothing left.
    const isHelper = name.includes('--type=zygote') || name.includes('chrome-sandbox') || name.trim() === '';
    if ((memory === undefined || memory.bytesRead === 0) && !isHelper)
      found.push(`not searched: ${name.slice(0, 160)}`);
    if (memory?.counts.some((count) => count > 0) === true)
      found.push(`memory of ${name.slice(0, 160)}: ${memory.counts.join(', ')}`);
  }
  expect(found).toEqual([]);
  expect(await searchFiles(app.home.directory, markers)).toEqual([]);
}

test.describe.serial('what is typed or shown in the prompt window', () => {
  const pin = `p${randomBytes(9).toString('hex')}`;
  const soPin = `s${randomBytes(9).toString('hex')}`;
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    app = await launchApp();
    page = await app.window('app://main');
  });
  test.afterAll(async () => {
    await app.close();
  });

  test('PINs are never in the main window or the main process, and nowhere after lock', async () => {
    const home = new HomeScreen(page);
    await startRehearsal(page);
    await home.beginPart('Set up a token');
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    await plan.label.fill(tokenLabel);
    await plan.start.click();
    await driveRunToEnd(app, page, 'token-setup', { pin, soPin });
    await expectNotRelayedInClear(app, [pin, soPin]);

    await home.lock.click();
    await expect(home.lockedHeading).toBeVisible();
    await expectNowhere(app, [pin, soPin]);
    await home.unlock();
  });

  test('a share handed out and a share typed are never there either', async () => {
    const home = new HomeScreen(page);
    await expect.poll(async () => (await readView(page)).tokens.some((token) => token.label === tokenLabel)).toBe(true);
    const view = await readView(page);
    const token = view.tokens.find((each) => each.label === tokenLabel);
    if (token === undefined) throw new Error('the token is gone');

    const initialisation = await startRun(
      page,
      planVaultInit(view, 'rehearsal', token, { count: 3, threshold: 2, shown: { 3: 'Carol' } }),
    );
    let handedOut = '';
    await expect(async () => {
      const run = await findRun(page, initialisation);
      if (run?.status === 'completed') return;
      const prompt = findPrompt(app);
      if (prompt === undefined) {
        if (run?.busy === false) await callContract(page, 'runs.continue', { runId: initialisation, typedName: '' });
      } else if ((await prompt.getByLabel('PIN', { exact: true }).count()) > 0) {
        await answerPrompt(prompt, { pin, soPin }, new Set(['']));
      } else if ((await prompt.getByRole('button', { name: 'Show the share to Carol' }).count()) > 0) {
        const screen = new PromptScreen(prompt);
        await screen.showShare('Carol');
        handedOut = await screen.hearShare();
        await screen.writtenDown();
        await closePromptBy(prompt, () => screen.typeBack(handedOut));
      }
      throw new Error('the initialisation goes on');
    }).toPass({ intervals: [150], timeout: 90_000 });
    expect(handedOut).toMatch(/^[0-9a-f]{66}$/u);
    await expectNotRelayedInClear(app, [pin, handedOut]);

    // The rehearsal's Vault is ended and started again: sealed.
    await endRehearsalVault(app);
    await expect.poll(async () => (await readView(page)).rehearsal.state, { timeout: 20_000 }).toBe('failed');
    await startRehearsal(page);
    await waitForVault(page, 'rehearsal', 'sealed');

    // Of the right form and of no Vault: the share host sends it, and Vault waits for the next.
    const typed = randomBytes(33).toString('hex');
    const vault = (await readView(page)).vaults.find((each) => each.id === 'rehearsal');
    if (vault === undefined) throw new Error('the Vault is gone');
    const unseal = await startRun(page, {
      workflow: 'unseal',
      rehearsal: true,
      vaultId: vault.id,
      vaultName: vault.name,
      connections: vault.nodes.map((node) => ({ address: node.address, trust: vault.trust })),
      sources: [
        { kind: 'typed', custodian: 'Dave' },
        { kind: 'typed', custodian: 'Carol' },
      ],
    });
    for (const share of [typed, handedOut]) {
      await expect.poll(async () => (await findRun(page, unseal))?.busy).toBe(false);
      await expect(async () => {
        if (findPrompt(app) !== undefined) return;
        const run = await findRun(page, unseal);
        if (run?.busy === false) await callContract(page, 'runs.continue', { runId: unseal, typedName: '' });
        throw new Error('the prompt is not open yet');
      }).toPass({ intervals: [150], timeout: 20_000 });
      const prompt = await app.window('app://prompt');
      const screen = new PromptScreen(prompt);
      await screen.field('Key share').waitFor();
      await closePromptBy(prompt, () => screen.giveShare(share));
    }
    await expect.poll(async () => (await findRun(page, unseal))?.busy).toBe(false);
    // Together they fit no Vault: the failure tells so, and quotes neither.
    expect((await findRun(page, unseal))?.steps.some((step) => step.problem?.code === 'Vault_ShareForeign')).toBe(true);
    await expectNotRelayedInClear(app, [pin, typed, handedOut]);

    await home.lock.click();
    await expect(home.lockedHeading).toBeVisible();
    await expectNowhere(app, [pin, soPin, typed, handedOut]);
  });
});

/** Ends the rehearsal's Vault as a crash would; its id is in the file that the app keeps of it. */
async function endRehearsalVault(app: LaunchedApp): Promise<void> {
  for (const id of await processTree(app.mainProcessId)) {
    const name = (await readFile(`/proc/${String(id)}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    if (/^\S*\/(?:vault|bao) server /u.test(name)) process.kill(id, 'SIGKILL');
  }
}
