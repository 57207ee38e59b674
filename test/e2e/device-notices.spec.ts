/**
 * What is said about devices before anything happens to one: a reader that GnuPG holds with the commands against it,
 * a certificate that lies where another is to be stored, and the wrong device plugged in during a run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type * as PcscMini from 'pcsc-mini';
import type { TokenView } from '../../electron/contract/views.ts';
import { makeTestCertificate } from '../fixtures/certificate.ts';
import { choose } from '../screens/controls.ts';
import { smartCardHsm, viewWithDevices } from '../screens/device-views.ts';
import { RunScreen } from '../screens/run.ts';
import { TokensScreen } from '../screens/tokens.ts';
import { startCardProcess, type CardProcess } from '../servers/card-process.ts';
import { requireCardReaders, virtualReaderNames } from '../servers/pcscd.ts';
import { finishRun, planDeviceSetUp, startRun } from './contract-calls.ts';
import { readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome, type AppHome, type LaunchedApp } from './launch/launch-app.ts';
import { goTo, showMadeView, showOwnView } from './made-view.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';

const testSecrets = { soPin: '2711204227112042', pin: '648219-test' };
const label = 'the right one';
const rightSerial = 'DECC0900611';
const wrongSerial = 'DECC0900622';
/** What a person waits for when a device is plugged in or was changed: OpenSC takes seconds to know it. */
const known = { timeout: 60_000 };

/** Opens the card in the first reader for itself alone, as scdaemon does. @returns gives it back */
async function holdReader(): Promise<() => Promise<void>> {
  const { Client, CardMode, CardDisposition } = createRequire(import.meta.url)('pcsc-mini') as typeof PcscMini;
  const client = new Client();
  const reader = await new Promise<PcscMini.Reader>((resolve) => {
    client.on('reader', (one) => {
      if (one.name() === virtualReaderNames[0]) resolve(one);
    });
    client.start();
  });
  const held = await reader.connect(CardMode.EXCLUSIVE);
  return async () => {
    await held.disconnect(CardDisposition.LEAVE);
    client.stop();
  };
}

/** A process of that name, by which the app tells who holds a reader. */
async function startNamesake(home: AppHome): Promise<ChildProcess> {
  const path = join(home.directory, 'scdaemon');
  await copyFile('/usr/bin/sleep', path);
  return spawn(path, ['600'], { stdio: 'ignore' });
}

test.describe.serial('what is said of devices', () => {
  let right: CardProcess;
  let wrong: CardProcess;
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;
  let scdaemon: ChildProcess;
  let giveBack: (() => Promise<void>) | undefined;

  test.beforeAll(async () => {
    await requireCardReaders();
    right = await startCardProcess(rightSerial);
    wrong = await startCardProcess(wrongSerial);
    home = await makeAppHome();
    await right.tell('plug 0');
    giveBack = await holdReader();
    scdaemon = await startNamesake(home);
    app = await launchApp({ home });
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
    await giveBack?.();
    scdaemon.kill();
    await right.end();
    await wrong.end();
    await home.remove();
  });

  const findDevice = async (serial: string): Promise<TokenView | undefined> =>
    (await readView(page)).tokens.find((token) => token.serial === serial && token.device !== null);

  test('a reader that GnuPG holds is named, and the commands against it are copied', async () => {
    const tokens = new TokensScreen(page);
    await tokens.open();
    const notice = tokens.problem(`GnuPG holds ${virtualReaderNames[0]}`);
    await expect(notice).toBeVisible(known);
    await expect(notice).toContainText('scdaemon');
    expect(await findNameProblems(page, ['main', 'navigation'])).toEqual([]);
    await keepScreenshot(page, 'devices-held-by-gnupg');
    await app.inMain(({ clipboard }) => clipboard.writeText('before'));
    await notice.getByRole('button', { name: 'Copy' }).click();
    await expect(notice.getByRole('status')).toHaveText('The commands are on the clipboard.');
    const shown = await notice.getByLabel('Commands').textContent();
    expect(shown).toContain('gpgconf --kill scdaemon');
    await expect.poll(() => app.inMain(({ clipboard }) => clipboard.readText())).toBe(shown);
    scdaemon.kill();
    await giveBack?.();
    giveBack = undefined;
    await expect(notice).toBeHidden(known);
    await expect.poll(async () => (await findDevice(rightSerial))?.device?.firmwareVersion, known).toMatch(/^3\./u);
  });

  test('a certificate that lies there already is named, and no other takes its place', async () => {
    const path = join(home.directory, 'other.der');
    await writeFile(path, await makeTestCertificate('/CN=other.example'));
    await app.inMain(({ dialog }, filePath) => {
      Reflect.set(dialog, 'showOpenDialog', () => Promise.resolve({ canceled: false, filePaths: [filePath] }));
    }, path);
    await showMadeView(app, viewWithDevices());
    const { storeId, serial } = smartCardHsm();
    await goTo(app, `/new/certificate-store/${storeId}/${serial}/`);
    await page.getByRole('button', { name: 'Choose a certificate…' }).click();
    await expect(page.getByText('other.der')).toBeVisible();
    const key = 'Key that it belongs to';
    const over = page.getByText('A certificate lies there already');
    const request = page.getByText(/takes the place of the key’s certificate request/u);
    await choose(page, key, /^bank-vaults/u);
    await expect(request).toBeVisible();
    await expect(over).toBeHidden();
    await choose(page, key, /^release-signing/u);
    await expect(over).toBeVisible();
    await expect(page.getByText(/^This device keeps one certificate for each key/u).first()).toContainText(
      'CN=Release signing',
    );
    await expect(request).toBeHidden();
    expect(await findNameProblems(page, ['main', 'navigation'])).toEqual([]);
    expect(await findClippedText(page)).toEqual([]);
    await keepScreenshot(page, 'plan-certificate-over-another');
    await showOwnView(app, page);
  });

  test('the wrong device in a run is named by its serial, and gets no PIN', async () => {
    test.setTimeout(240_000);
    await expect.poll(async () => (await findDevice(rightSerial)) !== undefined, known).toBe(true);
    const device = await findDevice(rightSerial);
    if (device === undefined) throw new Error('The device is gone.');
    const choices = { currentSoPin: 'factory', newSoPin: true, dkek: { kind: 'none' } } as const;
    const setUp = await finishRun(
      app,
      page,
      await startRun(page, planDeviceSetUp(device, label, choices)),
      testSecrets,
    );
    expect(setUp.status).toBe('completed');
    await expect.poll(async () => (await findDevice(rightSerial))?.wrappingKeys.length, known).toBe(1);
    const keys = ((await findDevice(rightSerial))?.wrappingKeys ?? []).map((key) => ({ label: key.label, id: key.id }));

    await right.tell('unplug');
    await expect.poll(async () => (await findDevice(rightSerial)) === undefined, known).toBe(true);
    await wrong.tell('plug 0');
    await expect.poll(async () => (await findDevice(wrongSerial)) !== undefined, known).toBe(true);
    const { storeId } = device;
    const token = { storeId, serial: rightSerial, label };
    const runId = await startRun(page, {
      workflow: 'key-test',
      rehearsal: false,
      token,
      keys,
      attest: false,
    });
    await goTo(app, `/runs/${runId}`);
    const run = new RunScreen(page);
    await run.mainButton('Type the PIN').click();
    await expect(run.problem).toBeVisible(known);
    await expect(run.problem).toContainText(rightSerial);
    await expect(run.problem).toContainText(`Another one is: serial ${wrongSerial}. Nothing was sent to it.`);
    await keepScreenshot(page, 'run-wrong-device');
    expect(await wrong.tell('status')).toMatchObject({ initialised: false });

    await wrong.tell('unplug');
    await right.tell('plug 0');
    await expect.poll(async () => (await findDevice(rightSerial))?.label, known).toBe(label);
    await run.mainButton('Try again').click();
    // The problem goes as soon as it is tried again.
    await expect(run.problem).toBeHidden(known);
    expect((await finishRun(app, page, runId, testSecrets)).status).toBe('completed');
    expect(await right.tell('status')).toMatchObject({ pinTriesLeft: 3 });
  });
});
