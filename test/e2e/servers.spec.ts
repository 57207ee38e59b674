/** Servers, modules and settings through the windows: CA file, pinned certificate, added PKCS#11 module, preferences. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { JournalScreen } from '../screens/journal.ts';
import { SettingsScreen } from '../screens/settings.ts';
import { TokensScreen } from '../screens/tokens.ts';
import { VaultsScreen } from '../screens/vaults.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome, type AppHome, type LaunchedApp } from './launch/launch-app.ts';

const testPin = '24681357';
const modulePath = '/usr/lib/softhsm/libsofthsm2.so';

/** The system's file dialog answers with this path. */
async function willChoose(app: LaunchedApp, path: string): Promise<void> {
  await app.inMain(({ dialog }, filePath) => {
    Reflect.set(dialog, 'showOpenDialog', () => Promise.resolve({ canceled: false, filePaths: [filePath] }));
  }, path);
}

test.describe.serial('what a person adds', () => {
  let home: AppHome;
  let vault: TestVault;
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    vault = await startVaultServer({ storage: 'inmem' });
    home = await makeAppHome();
    const tokenDirectory = join(home.directory, 'tokens');
    const configuration = join(home.directory, 'softhsm2.conf');
    await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });
    await writeFile(configuration, `directories.tokendir = ${tokenDirectory}\nlog.level = ERROR\n`);
    const environment = { SOFTHSM2_CONF: configuration };
    execFileSync(
      'softhsm2-util',
      ['--init-token', '--free', '--label', 'mine', '--pin', testPin, '--so-pin', testPin],
      { env: { ...process.env, ...environment }, stdio: 'ignore' },
    );
    app = await launchApp({ home, environment });
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
    await vault.stop();
    await home.remove();
  });

  test('a server by its CA file', async () => {
    const vaults = new VaultsScreen(page);
    await vaults.open();
    await vaults.fillNew('By CA file', [vault.address]);
    await vaults.chooseTrust('By a CA file');
    await willChoose(app, vault.caPath);
    await vaults.addDialog.getByRole('button', { name: 'Choose a CA file…' }).click();
    await vaults.confirmAdd.click();
    await expect(vaults.addDialog).toBeHidden();
    await expect
      .poll(async () => (await readView(page)).vaults.find(({ name }) => name === 'By CA file')?.state)
      .toBe('uninitialized');
    await keepScreenshot(page, 'vault-added');
  });

  test('a server by the certificate that was compared', async () => {
    const vaults = new VaultsScreen(page);
    await vaults.open();
    await vaults.fillNew('Pinned', [vault.address]);
    await vaults.pinCertificate();
    await keepScreenshot(page, 'vault-pin-certificate');
    await vaults.confirmAdd.click();
    await expect(vaults.addDialog).toBeHidden();
    const added = (await readView(page)).vaults.find(({ name }) => name === 'Pinned');
    expect(added?.trust).toEqual({ kind: 'pinned', sha256: vault.certificateSha256 });
    await vaults.open();
    await expect(vaults.card('Pinned')).toBeVisible();
    await vaults.details('Pinned');
    await expect(page.getByRole('heading', { level: 1, name: 'Pinned' })).toBeVisible();
  });

  test('a server that this machine does not trust is refused with what to do', async () => {
    const vaults = new VaultsScreen(page);
    await vaults.open();
    await vaults.fillNew('Unknown authority', [vault.address]);
    await vaults.chooseTrust('By this machine');
    await vaults.confirmAdd.click();
    await expect(vaults.addDialog.getByText('Vault_CertificateInvalid')).toBeVisible();
    await vaults.addDialog.getByRole('button', { name: 'Cancel' }).click();
    expect((await readView(page)).vaults.map(({ name }) => name)).toEqual(['By CA file', 'Pinned']);
  });

  test('a PKCS#11 module by its path, and none that is not one', async () => {
    const tokens = new TokensScreen(page);
    await tokens.open();
    await tokens.addModule.click();
    await willChoose(app, vault.caPath);
    await tokens.addModuleDialog.getByRole('button', { name: 'Choose a file…' }).click();
    await tokens.addModuleDialog.getByRole('button', { name: 'Try it and add' }).click();
    await expect(tokens.addModuleDialog.getByText('Token_ModuleNotPkcs11')).toBeVisible();
    // The system's own SoftHSM is in the list by itself.
    await willChoose(app, modulePath);
    await tokens.addModuleDialog.getByRole('button', { name: 'Choose a file…' }).click();
    await tokens.addModuleDialog.getByRole('button', { name: 'Try it and add' }).click();
    await expect(tokens.addModuleDialog.getByText('That module is in the list already.')).toBeVisible();
    const ownCopy = join(home.directory, 'another-vendor.so');
    await copyFile(modulePath, ownCopy);
    await willChoose(app, ownCopy);
    await tokens.addModuleDialog.getByRole('button', { name: 'Choose a file…' }).click();
    await tokens.addModuleDialog.getByRole('textbox', { name: 'Name' }).fill('My module');
    await tokens.addModuleDialog.getByRole('button', { name: 'Try it and add' }).click();
    await expect(tokens.addModuleDialog).toBeHidden();
    await expect
      .poll(async () => (await readView(page)).tokens.filter(({ storeName }) => storeName === 'My module').length)
      .toBeGreaterThan(0);
    await expect(tokens.store('My module')).toBeVisible();
    await keepScreenshot(page, 'module-added');
  });

  test('preferences are kept', async () => {
    const settings = new SettingsScreen(page);
    await settings.open();
    await settings.chooseTheme('Dark');
    await settings.nameOperator('Ada');
    await expect
      .poll(async () => (await readView(page)).settings)
      .toMatchObject({ theme: 'dark', operatorName: 'Ada' });
    expect(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches)).toBe(true);
  });

  test('a file that is no journal is found damaged', async () => {
    const journal = new JournalScreen(page);
    await journal.open();
    await willChoose(app, vault.caPath);
    await journal.verifyFile.click();
    const dialog = page.getByRole('dialog', { name: 'Verification' });
    await expect(dialog).toBeVisible();
    await expect(dialog).toContainText(/not|damaged|changed/iu);
  });
});
