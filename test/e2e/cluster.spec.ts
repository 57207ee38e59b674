/**
 * Clusters in the packaged app, on a real kube-apiserver with RBAC, as the user who has just the rights that the docs
 * list: from an empty token to a Vault whose shares are in a Secret, a recipe pushed, drifted and undone, and the
 * unseal from the Secret. Pictures are kept in light and dark; none shows a PIN or a share.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type { TokenView } from '../../electron/contract/views.ts';
import { ClustersScreen, PreviewScreen, RecipeScreen } from '../screens/clusters.ts';
import { HomeScreen } from '../screens/home.ts';
import { choose } from '../screens/controls.ts';
import { UnsealPlanScreen } from '../screens/unseal-plan.ts';
import { VaultInitPlanScreen } from '../screens/vault-init-plan.ts';
import { VaultsScreen } from '../screens/vaults.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { addVault, callContract, setUpToken, waitForVault } from './contract-calls.ts';
import { driveRunToEnd, readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome, type AppHome, type LaunchedApp } from './launch/launch-app.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';

const testSecrets = {
  pin: 'cluster-test-pin-2811',
  soPin: 'cluster-test-so-pin-2811',
  secretValue: 'cluster-test-value-2811',
};
const context = 'test';
const recipe = 'PKCS#11 seal';
const themes = ['light', 'dark'] as const;

test.describe.serial('clusters', () => {
  let kubernetes: KubernetesServer;
  let vault: TestVault;
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;
  let token: TokenView;
  let vaultId: string;
  /** What went wrong in the window itself. */
  const faults: string[] = [];

  let environment: Readonly<Record<string, string>>;
  const openApp = async (): Promise<void> => {
    app = await launchApp({ home, environment });
    page = await app.window('app://main');
    page.on('pageerror', (cause) => faults.push(`${cause.message}\n${cause.stack ?? ''}`));
    await page.waitForLoadState();
  };

  test.beforeAll(async () => {
    kubernetes = await startKubernetes();
    await kubernetes.arrange(['create', 'namespace', 'vault']);
    vault = await startVaultServer();
    home = await makeAppHome();
    const tokenDirectory = join(home.directory, 'tokens');
    const configuration = join(home.directory, 'softhsm2.conf');
    await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });
    await writeFile(configuration, `directories.tokendir = ${tokenDirectory}\nlog.level = ERROR\n`);
    environment = {
      SOFTHSM2_CONF: configuration,
      KUBECONFIG: await kubernetes.custodianKubeconfig({ context, namespace: 'vault' }),
      KEY_CUSTODIAN_KUBECTL: kubernetes.kubectlPath,
    };
    await openApp();
  });
  test.afterEach(() => {
    expect(faults).toEqual([]);
  });
  test.afterAll(async () => {
    await app.close();
    await vault.stop();
    await kubernetes.stop();
    await home.remove();
  });

  /** A picture in light and dark; every control has a name and no text is cut off. */
  const keep = async (name: string): Promise<void> => {
    const problems: string[] = [...(await findNameProblems(page, ['main', 'navigation']))];
    for (const theme of themes) {
      await callContract(page, 'settings.change', { theme, lockAfterMinutes: 60, operatorName: 'Ada' });
      await page.waitForTimeout(200);
      problems.push(...(await findClippedText(page)).map((clipped) => `${theme}: ${clipped}`));
      await keepScreenshot(page, `${name}-${theme}`);
    }
    expect(problems).toEqual([]);
  };

  test('the contexts are listed, looked at when the page opens, and say what may be done', async () => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await expect(clusters.card(context).getByText('Reachable')).toBeVisible();
    await expect(clusters.card(context).getByText('Current context')).toBeVisible();
    await keep('real-clusters');
    await clusters.details(context);
    await clusters.askRights(recipe);
    await expect(clusters.rights).toBeVisible();
    await keep('real-cluster-rights');
    await clusters.openTab('Contents');
    const names = await clusters.listNames('Namespaces');
    await expect(names.getByRole('option', { name: 'kube-system' })).toBeVisible();
    await keep('real-cluster-names');
  });

  test('a recipe says what is wrong as one types, and its manifest stands beside it', async () => {
    const clusters = new ClustersScreen(page);
    const screen = new RecipeScreen(page);
    await clusters.open();
    await clusters.pushTo(context);
    await keep('real-recipes');
    await screen.choose(recipe);
    await expect(screen.fits).toBeVisible();
    await screen.fill('Namespace', 'vault; rm -rf /');
    await expect(screen.needsALook).toBeVisible();
    await keep('real-recipe-problem');
    await screen.fill('Namespace', 'vault');
    await expect(screen.fits).toBeVisible();
    await expect(screen.manifest).toContainText('namespace: vault');
    expect(await screen.manifest.innerText()).not.toContain(testSecrets.secretValue);
    await keep('real-recipe');
  });

  test('it is previewed, pushed after the typed name, and followed', async () => {
    const screen = new RecipeScreen(page);
    await screen.preview(context);
    const { push } = new PreviewScreen(page);
    await expect(push).toBeEnabled();
    await keep('real-preview');
    await push.click();
    const run = await driveRunToEnd(app, page, 'cluster-push', testSecrets);
    expect(run.status).toBe('completed');
    const pushed = (await readView(page)).pushes[0];
    expect(pushed).toMatchObject({ context, recipe: 'pkcs11-seal', state: 'pushed' });
  });

  test('what somebody changes is shown, and is never repaired', async () => {
    const clusters = new ClustersScreen(page);
    const live = await kubernetes.arrange(['get', 'configmaps', '-n', 'vault', '-o', 'name']);
    const name = live
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '' && !line.includes('kube-root-ca'));
    if (name === undefined) throw new Error(`nothing was pushed: ${live}`);
    const data = JSON.parse(await kubernetes.arrange(['get', name, '-n', 'vault', '-o', 'json'])) as {
      readonly data: Readonly<Record<string, string>>;
    };
    const [key = ''] = Object.keys(data.data);
    await kubernetes.arrange([
      'patch',
      name,
      '-n',
      'vault',
      '--field-manager=somebody',
      '-p',
      JSON.stringify({ data: { [key]: '# taken out by somebody\n' } }),
    ]);
    await clusters.open();
    await clusters.details(context);
    await clusters.openTab('Pushes');
    await clusters.compare(recipe);
    await expect(clusters.push(recipe).getByText('Has drifted')).toBeVisible();
    await expect(clusters.push(recipe)).toContainText('somebody');
    await keep('real-drift');
    await new HomeScreen(page).open();
    await expect(new HomeScreen(page).panel('Waits for me')).toContainText(`${recipe} in ${context} has drifted`);
    await keep('real-home-drift');
    expect(await kubernetes.arrange(['get', name, '-n', 'vault', '-o', 'json'])).toContain('taken out by somebody');
  });

  test('the app looks for drift by itself when it starts', async () => {
    await app.close();
    await openApp();
    // Nobody has asked: Home says so before a page of clusters was opened.
    await new HomeScreen(page).open();
    await expect(new HomeScreen(page).panel('Waits for me')).toContainText(`${recipe} in ${context} has drifted`, {
      timeout: 60_000,
    });
  });

  test('a push is undone from what it recorded', async () => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await clusters.details(context);
    await clusters.openTab('Pushes');
    await clusters.undo(recipe);
    const run = await driveRunToEnd(app, page, 'cluster-undo', testSecrets);
    expect(run.status).toBe('completed');
    await expect.poll(async () => (await readView(page)).pushes[0]?.state).toBe('undone');
    const left = await kubernetes.arrange(['get', 'configmaps,secrets', '-n', 'vault', '-o', 'name']);
    expect(left.split('\n').filter((line) => line !== '' && !line.includes('kube-root-ca'))).toEqual([]);
  });

  test('a Vault is initialised with its shares in a Secret', async () => {
    test.setTimeout(240_000);
    token = await setUpToken(app, page, 'softhsm', 'cluster-token', testSecrets);
    vaultId = await addVault(page, vault);
    await waitForVault(page, vaultId, 'uninitialized');
    await new VaultsScreen(page).open();
    await new VaultsScreen(page).initialize('Production');
    const plan = new VaultInitPlanScreen(page);
    await plan.setShares(3, 2);
    await page.getByRole('button', { name: 'All into a Secret' }).click();
    await choose(page, 'Cluster', new RegExp(`^${context}`, 'u'));
    await expect(page.getByText(/^Held to https:/u)).toBeVisible();
    await page.getByRole('textbox', { name: 'Namespace', exact: true }).fill('vault');
    await keep('real-plan-vault-init-secret');
    await plan.start.click();
    const run = await driveRunToEnd(app, page, 'vault-init', testSecrets);
    expect(run.status).toBe('completed');
    const secret = JSON.parse(
      await kubernetes.arrange(['get', 'secret', 'vault-unseal-keys', '-n', 'vault', '-o', 'json']),
    ) as { readonly data: Readonly<Record<string, string>> };
    expect(
      Object.keys(secret.data)
        .filter((key) => key.startsWith('vault-unseal-'))
        .toSorted(),
    ).toEqual(['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2']);
    // Raw RSA-2048 ciphertexts.
    for (const value of Object.values(secret.data)) expect(Buffer.from(value, 'base64').length).toBe(256);
  });

  test('it is unsealed from the Secret', async () => {
    test.setTimeout(240_000);
    await vault.restart();
    await waitForVault(page, vaultId, 'sealed');
    await new VaultsScreen(page).open();
    await new VaultsScreen(page).unseal('Production');
    const plan = new UnsealPlanScreen(page);
    await plan.heading.waitFor();
    // The app put the shares there and knows the token: it proposes the Secret itself, once the token is read.
    await expect(page.getByRole('group', { name: '1. A Secret in a cluster' })).toBeVisible();
    await expect(page.getByText(/^Held to https:/u)).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Namespace', exact: true })).toHaveValue('vault');
    await expect(plan.start).toBeEnabled();
    await keep('real-plan-unseal-secret');
    await plan.start.click();
    const run = await driveRunToEnd(app, page, 'unseal', testSecrets);
    expect(run.status).toBe('completed');
    await waitForVault(page, vaultId, 'unsealed');
    expect(token.label).toBe('cluster-token');
  });
});
