/** A Nitrokey HSM (in software, behind the real pcscd and OpenSC): set up, a Vault's shares on it, unplugged, plugged in, unsealed. */
import { expect, test, type Page } from '@playwright/test';
import type { TokenView } from '../../electron/contract/views.ts';
import { startCardProcess, type CardProcess } from '../servers/card-process.ts';
import { openSection } from '../screens/controls.ts';
import { TokensScreen } from '../screens/tokens.ts';
import { requireCardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { addVault, finishRun, planDeviceSetUp, planVaultInit, startRun, waitForVault } from './contract-calls.ts';
import { readView } from './drive-run.ts';
import { keepScreenshot, launchApp, type LaunchedApp } from './launch/launch-app.ts';

/** The device's own forms: 16 hexadecimal digits, and 6 to 15 characters. */
const testSecrets = { soPin: '2711204227112042', pin: '648219-test' };
const serial = 'DECC0900271';
const label = 'unseal keys A';

/** What a person waits for when a device is plugged in: OpenSC takes seconds to know it. */
const plugged = { timeout: 30_000 };

async function findDevice(page: Page): Promise<TokenView | undefined> {
  return (await readView(page)).tokens.find((token) => token.serial === serial);
}

async function findToken(page: Page): Promise<TokenView> {
  const token = await findDevice(page);
  if (token === undefined) throw new Error('The device is not among the tokens.');
  return token;
}

test.describe.serial('a Nitrokey HSM', () => {
  let card: CardProcess;
  let vault: TestVault;
  let app: LaunchedApp;
  let page: Page;
  let vaultId: string;

  test.beforeAll(async () => {
    await requireCardReaders();
    card = await startCardProcess(serial);
    vault = await startVaultServer();
    app = await launchApp();
    page = await app.window('app://main');
  });
  test.afterAll(async () => {
    await app.close();
    await card.end();
    await vault.stop();
  });

  test('shows when it is plugged in, with what only such a device has', async () => {
    expect(await findDevice(page)).toBeUndefined();
    await card.tell('plug 0');
    await expect.poll(async () => (await findDevice(page))?.device?.firmwareVersion, plugged).toMatch(/^3\./u);
    const { device } = await findToken(page);
    expect(device?.readerName).toBe('Virtual PCD 00 00');
    expect(device?.freeMemory).toBeGreaterThan(50_000);
    await new TokensScreen(page).open();
    await expect(page.getByText(serial).first()).toBeVisible();
    await keepScreenshot(page, 'devices-nitrokey-new');
  });

  test('is set up by two people, and its status is read back', async () => {
    const runId = await startRun(
      page,
      planDeviceSetUp(await findToken(page), label, {
        currentSoPin: 'factory',
        newSoPin: true,
        dkek: { kind: 'random' },
      }),
    );
    await openSection(page, 'Runs');
    await page.getByRole('button', { name: 'Open Set up a token' }).click();
    const run = await finishRun(app, page, runId, testSecrets);
    expect(run.status).toBe('completed');
    await keepScreenshot(page, 'run-nitrokey-set-up');
    await expect.poll(async () => (await findDevice(page))?.label, plugged).toContain(label);
    // The token's label comes before what the device says of itself.
    await expect
      .poll(async () => (await findToken(page)).device, plugged)
      .toMatchObject({ pinState: 'set', soPinTriesLeft: 15, dkek: { kind: 'ready' } });
    await expect
      .poll(async () => (await findToken(page)).wrappingKeys.map((key) => key.label), plugged)
      .toEqual(['bank-vaults']);
    await new TokensScreen(page).open();
    await keepScreenshot(page, 'devices-nitrokey-set-up');
  });

  test('takes the shares of a Vault', async () => {
    vaultId = await addVault(page, vault);
    const plan = planVaultInit(await readView(page), vaultId, await findToken(page), { count: 3, threshold: 2 });
    const run = await finishRun(app, page, await startRun(page, plan), testSecrets);
    expect(run.status).toBe('completed');
    await waitForVault(page, vaultId, 'unsealed');
    await expect
      .poll(
        async () => (await findToken(page)).objects.filter((object) => object.valueKind === 'share').length,
        plugged,
      )
      .toBe(3);
  });

  test('is unplugged, plugged in elsewhere, and unseals', async () => {
    await card.tell('unplug');
    await expect.poll(async () => (await findDevice(page)) === undefined, plugged).toBe(true);
    await vault.restart();
    await waitForVault(page, vaultId, 'sealed');
    await openSection(page, 'Home');
    await keepScreenshot(page, 'home-nitrokey-missing');
    await card.tell('plug 1');
    await expect.poll(async () => (await findDevice(page))?.device?.readerName, plugged).toBe('Virtual PCD 00 01');
    const view = await readView(page);
    const known = view.vaults.find((each) => each.id === vaultId);
    if (known === undefined) throw new Error('The Vault is gone.');
    const runId = await startRun(page, {
      workflow: 'unseal',
      rehearsal: false,
      vaultId,
      vaultName: known.name,
      connections: known.nodes.map(({ address }) => ({ address, trust: known.trust })),
      sources: [
        { kind: 'token', token: { storeId: (await findToken(page)).storeId, serial, label }, keyLabel: 'bank-vaults' },
      ],
    });
    expect((await finishRun(app, page, runId, testSecrets)).status).toBe('completed');
    await waitForVault(page, vaultId, 'unsealed');
  });
});
