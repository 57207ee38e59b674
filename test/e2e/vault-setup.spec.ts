/**
 * What is set up in a Vault and seen of a cluster's encryption, in the packaged app on a real Vault and a real
 * kube-apiserver: Transit for a KMS plugin with the token typed in the prompt window, encryption at rest verified,
 * counted and brought about, from outside and inside etcd’s Pod, a seal migrated from Shamir to Transit and back. No
 * picture shows a token or a share.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, type Locator, type Page } from '@playwright/test';
import type { RunView } from '../../electron/contract/views.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { ClustersScreen, RecipeScreen } from '../screens/clusters.ts';
import { choose, chooseRadio } from '../screens/controls.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { RunScreen } from '../screens/run.ts';
import { VaultsScreen } from '../screens/vaults.ts';
import { startKmsPlugin, type KmsPlugin } from '../servers/kms-plugin.ts';
import { yamlAfter } from '../servers/kubernetes-rights.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { addVault, callContract, waitForVault } from './contract-calls.ts';
import { closePromptBy, findPrompt, readRun, readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome, type AppHome, type LaunchedApp } from './launch/launch-app.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';

const context = 'test';
const provider = 'test-plugin';
const themes = ['light', 'dark'] as const;

test.describe.serial('Vault and encryption set-up', () => {
  let directory: string;
  let kubernetes: KubernetesServer;
  let plugin: KmsPlugin | undefined;
  let sealing: TestVault;
  let vault: TestVault;
  let byHand: ByHand;
  let testRootToken = '';
  let testShares: readonly string[] = [];
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;
  let vaultId: string;
  /** What went wrong in the window itself. */
  const faults: string[] = [];

  test.beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kc-set-'));
    kubernetes = await startKubernetes({ kubelet: true });
    sealing = await startVaultServer({ storage: 'inmem' });
    vault = await startVaultServer({ storage: 'raft' });
    byHand = vaultByHand(vault);
    ({ testRootToken, testShares } = await byHand.initialize(3, 2));
    await byHand.unseal(testShares.slice(0, 2));
    home = await makeAppHome();
    const configuration = join(home.directory, 'softhsm2.conf');
    const tokenDirectory = join(home.directory, 'tokens');
    await mkdir(tokenDirectory, { recursive: true, mode: 0o700 });
    await writeFile(configuration, `directories.tokendir = ${tokenDirectory}\nlog.level = ERROR\n`);
    app = await launchApp({
      home,
      environment: {
        SOFTHSM2_CONF: configuration,
        KUBECONFIG: await kubernetes.custodianKubeconfig({ context, namespace: 'vault' }),
        KEY_CUSTODIAN_KUBECTL: kubernetes.kubectlPath,
      },
    });
    page = await app.window('app://main');
    page.on('pageerror', (cause) => faults.push(`${cause.message}\n${cause.stack ?? ''}`));
    await page.waitForLoadState();
    vaultId = await addVault(page, vault);
    await waitForVault(page, vaultId, 'unsealed');
  });
  test.afterEach(() => {
    expect(faults).toEqual([]);
  });
  test.afterAll(async () => {
    await app.close();
    await vault.stop();
    await sealing.stop();
    await kubernetes.stop();
    await plugin?.stop();
    await home.remove();
    await rm(directory, { recursive: true, force: true });
  });

  /** A picture in light and dark as small as the window gets; every control has a name and no text is cut off. */
  const keep = async (name: string, shown: Page = page): Promise<void> => {
    if (shown === page)
      await app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.setContentSize(1024, 700));
    const landmarks = shown === page ? ['main', 'navigation'] : ['main'];
    const problems: string[] = [...(await findNameProblems(shown, landmarks))];
    for (const theme of themes) {
      await callContract(page, 'settings.change', { theme, lockAfterMinutes: 60, operatorName: 'Ada' });
      await shown.waitForTimeout(200);
      problems.push(...(await findClippedText(shown)).map((clipped) => `${theme}: ${clipped}`));
      await keepScreenshot(shown, `${name}-${theme}`);
    }
    expect(problems).toEqual([]);
  };

  const start = (): Locator => page.getByRole('button', { name: 'Start', exact: true });

  /** Goes on with the newest run of a workflow until it ended or a step is at hand that the test wants to see. */
  const goOn = async (workflow: RunView['workflow'], until: (run: RunView) => boolean): Promise<RunView> => {
    const screen = new RunScreen(page);
    const deadline = Date.now() + 120_000;
    for (;;) {
      const run = await readRun(page, workflow);
      if (Date.now() > deadline) throw new Error(`the run stays as it is: ${JSON.stringify(run)}`);
      const step = run?.steps.find((each) => ['current', 'failed'].includes(each.status));
      if (run?.busy === false && until(run)) return run;
      if (findPrompt(app) !== undefined) {
        await answerPrompt();
        continue;
      }
      if (run?.busy === false && step !== undefined) {
        expect(step.problem, `${step.title}: ${JSON.stringify(step.problem)}`).toBe(null);
        // The page may still show the step before this one.
        await page.getByRole('main').getByRole('heading', { level: 2, name: step.title, exact: true }).waitFor();
        if (step.danger !== null) await screen.typeName(step.danger.typedName);
        await screen.mainButton(step.action).click();
        await expect
          .poll(async () => {
            const now = await readRun(page, workflow);
            const same = now?.steps.find((each) => each.id === step.id);
            return findPrompt(app) !== undefined || now?.busy === true || same?.status !== 'current';
          })
          .toBe(true);
      }
      await page.waitForTimeout(150);
    }
  };
  const ended = (run: RunView): boolean => run.status !== 'open';
  const isAt = (step: RegExp) => (run: RunView) =>
    run.steps.some(({ id, status }) => status === 'current' && step.test(id));

  let given = 0;
  const answerPrompt = async (): Promise<void> => {
    const shown = findPrompt(app);
    if (shown === undefined) throw new Error('no prompt is open');
    const prompt = new PromptScreen(shown);
    await prompt.title.waitFor();
    if ((await prompt.field('Token').count()) > 0) {
      await prompt.typeInto('Token', testRootToken);
      await closePromptBy(shown, () => shown.getByRole('button', { name: 'Hand over' }).click());
      return;
    }
    const share = testShares[given % 2] ?? '';
    given += 1;
    await closePromptBy(shown, () => prompt.giveShare(share));
  };

  test('Transit is set up from the recipe, with a token typed in the prompt window', async () => {
    test.setTimeout(240_000);
    await kubernetes.arrange(['create', 'namespace', 'kms']);
    const clusters = new ClustersScreen(page);
    const recipe = new RecipeScreen(page);
    await clusters.open();
    await clusters.pushTo(context);
    await recipe.choose('KMS v2 plugin');
    await recipe.fill('Name', provider);
    await choose(page, 'Key', 'In Vault Transit');
    await expect(recipe.fits).toBeVisible();
    await keep('vault-setup-recipe');
    await page.getByRole('button', { name: 'Set up Vault for it…' }).click();
    await page.getByRole('heading', { level: 1, name: 'Set up Transit for a KMS plugin' }).waitFor();
    // The recipe’s own choice is a client certificate, so no cluster is asked.
    await expect(start()).toBeEnabled();
    await page.getByRole('textbox', { name: 'Transit key' }).fill('etcd key; rm');
    await expect(start()).toBeDisabled();
    await page.getByRole('textbox', { name: 'Transit key' }).fill('etcd-key');
    await expect(page.getByRole('list', { name: 'The policy that is written' })).toContainText(
      'transit/encrypt/etcd-key',
    );
    await keep('plan-transit-certificate');
    await chooseRadio(page, 'Logs in by', 'Service account');
    await expect(page.getByRole('textbox', { name: 'Role', exact: true })).toHaveValue('kleidi');
    await keep('plan-transit-service-account');
    await chooseRadio(page, 'Logs in by', 'Client certificate');
    await expect(start()).toBeEnabled();
    await start().click();
    await page.getByRole('heading', { level: 1, name: 'Set up Vault for a KMS plugin' }).waitFor();
    await new RunScreen(page).mainButton('Type the token').click();
    const shown = await app.window('app://prompt');
    await expect(new PromptScreen(shown).title).toHaveText('Type the Vault token');
    await keep('prompt-vault-token', shown);
    const run = await goOn('transit-setup', ended);
    expect(run.status).toBe('completed');
    await expect(new RunScreen(page).completed).toBeVisible();
    await keep('run-transit-ended');
    expect(JSON.stringify(await readView(page))).not.toContain(testRootToken);
    expect(await byHand.call('GET', 'transit/keys/etcd-key', {}, testRootToken)).toMatchObject({
      data: { type: 'aes256-gcm96', exportable: false },
    });
  });

  test('encryption at rest is verified, counted, and brought about', async () => {
    test.setTimeout(300_000);
    await kubernetes.arrange(['create', 'secret', 'generic', 'older', '--from-literal=a=test-value']);
    plugin = await startKmsPlugin(join(directory, 'kms.sock'));
    const kms = { apiVersion: 'v2', name: provider, endpoint: `unix://${plugin.socketPath}`, timeout: '5s' };
    const configuration = join(directory, 'encryption.json');
    await writeFile(
      configuration,
      JSON.stringify({
        apiVersion: 'apiserver.config.k8s.io/v1',
        kind: 'EncryptionConfiguration',
        resources: [{ resources: ['secrets', 'configmaps'], providers: [{ kms }, { identity: {} }] }],
      }),
    );
    await kubernetes.restart([`--encryption-provider-config=${configuration}`]);
    const stored = async (): Promise<string> =>
      (await kubernetes.etcdGet('/registry/secrets/default/older')).subarray(0, 27).toString('latin1');
    expect(await stored()).not.toContain('k8s:enc');

    const clusters = new ClustersScreen(page);
    await clusters.open();
    await clusters.details(context);
    await keep('cluster-with-verify');
    await page.getByRole('button', { name: 'Verify encryption…' }).click();
    await page.getByRole('heading', { level: 1, name: 'Verify encryption at rest' }).waitFor();
    await expect(page.getByText(/^Held to https:/u)).toBeVisible();
    await expect(page.getByRole('textbox', { name: 'Plugin' })).toHaveValue(provider);
    await keep('plan-kms-verify-pod');
    await chooseRadio(page, 'Read it', 'By its address');
    await page.getByRole('textbox', { name: 'Address', exact: true }).fill(kubernetes.etcd.address);
    await expect(start()).toBeDisabled();
    const { caPath, certificatePath, keyPath } = kubernetes.etcd;
    for (const [button, path] of [
      ['Choose the CA…', caPath],
      ['Choose the certificate…', certificatePath],
      ['Choose the key…', keyPath],
    ] as const) {
      await app.inMain(({ dialog }, filePath) => {
        Reflect.set(dialog, 'showOpenDialog', () => Promise.resolve({ canceled: false, filePaths: [filePath] }));
      }, path);
      await page.getByRole('button', { name: button }).click();
      await expect(page.getByText(path.split('/').at(-1) ?? path).first()).toBeVisible();
    }
    await expect(start()).toBeEnabled();
    await keep('plan-kms-verify-address');
    await start().click();
    await goOn('kms-verify', ended);
    const lies = page.getByRole('region', { name: 'How objects lie in etcd' });
    await expect(lies.getByRole('table', { name: 'By key: Secrets' })).toContainText('not encrypted');
    await expect(lies).toContainText('unencrypted or under another key');
    await keep('run-kms-counted');

    await lies.getByRole('button', { name: 'Re-encrypt…' }).click();
    await page.getByRole('heading', { level: 1, name: 'Verify encryption at rest' }).waitFor();
    // What was chosen before is there again.
    await expect(page.getByRole('textbox', { name: 'Address', exact: true })).toHaveValue(kubernetes.etcd.address);
    await expect(start()).toBeEnabled();
    await start().click();
    await goOn('kms-verify', isAt(/^rewrite-secrets$/u));
    await expect(page.getByRole('heading', { level: 2, name: 'Write Secrets again' })).toBeVisible();
    await keep('run-kms-rewrite');
    const run = await goOn('kms-verify', ended);
    expect(run.status).toBe('completed');
    await expect(lies).toContainText('All of it lies under the key in force.');
    await keep('run-kms-ended');
    expect(await stored()).toBe(`k8s:enc:kms:v2:${provider}:`);
  });

  test('encryption at rest is verified inside etcd’s Pod, by one who may run a command there', async () => {
    test.setTimeout(240_000);
    const clusters = new ClustersScreen(page);
    const run = new RunScreen(page);
    await clusters.open();
    await clusters.details(context);
    await page.getByRole('button', { name: 'Verify encryption…' }).click();
    await page.getByRole('heading', { level: 1, name: 'Verify encryption at rest' }).waitFor();
    await chooseRadio(page, 'Read it', 'Inside its Pod');
    await expect(page.getByRole('textbox', { name: 'Plugin' })).toHaveValue(provider);
    await expect(start()).toBeEnabled();
    await start().click();
    await run.steps.first().waitFor();
    await goOn('kms-verify', ({ steps }) => steps.some(({ status }) => status === 'failed'));
    await expect(run.problem).toContainText('pods');
    await keep('run-kms-pod-refused');
    // Whoever runs the cluster grants it for the check; the same step goes on.
    await kubernetes.arrange(['apply', '-f', '-'], await yamlAfter('<!-- exec -->'));
    await run.mainButton('Try again').click();
    await expect(run.problem).toBeHidden();
    expect((await goOn('kms-verify', ended)).status).toBe('completed');
    const lies = page.getByRole('region', { name: 'How objects lie in etcd' });
    await expect(lies).toContainText('All of it lies under the key in force.');
    await keep('run-kms-pod-ended');
  });

  test('which key the API server uses is told, and when the old one may go', async () => {
    test.setTimeout(240_000);
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await clusters.details(context);
    await page.getByRole('button', { name: 'KMS health' }).click();
    await page.getByRole('heading', { level: 1, name: 'KMS health' }).waitFor();
    // Not among the rights that recipes need: the page says which one is missing.
    const refused = page.getByRole('main').getByRole('alert');
    await expect(refused).toContainText('/metrics', { timeout: 60_000 });
    await keep('kms-status-refused');
    await kubernetes.arrange(['apply', '-f', '-'], await yamlAfter('<!-- kms-status -->'));
    const again = async (): Promise<void> => {
      await page.getByRole('button', { name: 'Ask again' }).click();
    };
    await again();
    const card = page.getByRole('region', { name: provider, exact: true });
    const keys = card.getByRole('table', { name: `Keys: ${provider}` });
    await expect(card).toContainText('All API servers are healthy and use the same key.', { timeout: 60_000 });
    await expect(refused).toHaveCount(0);
    await expect(keys).toContainText('not counted');
    await page.getByText('Count in etcd what lies under which key').click();
    await chooseRadio(page, 'Read it', 'Inside its Pod');
    await again();
    await expect(keys).toContainText('test-key-1', { timeout: 60_000 });
    await expect(keys).toContainText('No: it is in use.');
    await keep('kms-status-in-use');

    plugin?.rotate();
    await kubernetes.restart([`--encryption-provider-config=${join(directory, 'encryption.json')}`]);
    await again();
    await expect(keys).toContainText('No: objects lie under it. Re-encrypt them first.', { timeout: 60_000 });
    await keep('kms-status-stored');
    for (const kind of ['secrets', 'configmaps'])
      await kubernetes.arrange(['annotate', kind, '--all', '--all-namespaces', 'test/written=again']);
    await again();
    await expect(keys).toContainText('Yes, unless a backup of etcd was made under it.', { timeout: 60_000 });
    await expect(card).toContainText('1 old key may go.');
    await keep('kms-status-may-go');
  });

  test('a seal is migrated from key shares to Transit, and back', async () => {
    test.setTimeout(360_000);
    const sealingByHand = vaultByHand(sealing);
    const keys = await sealingByHand.initialize(1, 1);
    await sealingByHand.unseal(keys.testShares);
    await sealingByHand.call('PUT', 'sys/mounts/transit', { type: 'transit' }, keys.testRootToken);
    await sealingByHand.call('PUT', 'transit/keys/seal', {}, keys.testRootToken);

    const planMigration = async (): Promise<void> => {
      await new VaultsScreen(page).open();
      await new VaultsScreen(page).details('Production');
      await page.getByRole('button', { name: 'More for Production' }).click();
      await page.getByRole('menuitem', { name: 'Migrate the seal…' }).click();
      await page.getByRole('heading', { level: 1, name: 'Migrate the seal' }).waitFor();
    };
    const addCustodians = async (): Promise<void> => {
      for (const custodian of ['Ada', 'Grace']) {
        await page.getByRole('button', { name: 'Add a custodian who types' }).click();
        await page
          .getByRole('textbox', { name: /^Custodian for source/u })
          .last()
          .fill(custodian);
      }
      await expect(start()).toBeEnabled();
    };
    const sealNow = async (): Promise<string | undefined> =>
      (await readView(page)).vaults.find(({ id }) => id === vaultId)?.nodes[0]?.sealType;
    const stanza = `seal "transit" {
  address = "${sealing.address}"
  token = "${keys.testRootToken}"
  key_name = "seal"
  mount_path = "transit"
  tls_ca_cert = "${sealing.caPath}"
`;

    await planMigration();
    await choose(page, 'Migrate to', 'Transit of another Vault');
    await addCustodians();
    await keep('plan-seal-migration');
    await start().click();
    const guide = page.getByRole('group', { name: 'What you do at the node' });
    await expect(guide).toContainText('VAULT_TOKEN');
    await expect(guide.getByRole('list', { name: 'For the configuration file' })).toContainText('seal "transit"');
    await keep('run-seal-migration-node');
    await vault.restart(`${stanza}}`);
    expect((await goOn('seal-migration', ended)).status).toBe('completed');
    await expect(new RunScreen(page).completed).toBeVisible();
    await keep('run-seal-migration-ended');
    await expect.poll(sealNow, { timeout: 30_000 }).toBe('transit');

    // The other way there is one seal to go to, and the shares are what are recovery keys now.
    await planMigration();
    await expect(page.getByRole('heading', { level: 3, name: 'What you do at each node' })).toBeVisible();
    await addCustodians();
    await keep('plan-seal-migration-back');
    await start().click();
    await expect(guide).toContainText('disabled = "true"');
    await keep('run-seal-migration-back');
    await vault.restart(`${stanza}  disabled = "true"\n}`);
    expect((await goOn('seal-migration', ended)).status).toBe('completed');
    await expect.poll(sealNow, { timeout: 30_000 }).toBe('shamir');
    // Without any stanza it is the Vault of before, and opens by its shares.
    await vault.restart('');
    await byHand.unseal(testShares.slice(0, 2));
    await waitForVault(page, vaultId, 'unsealed');
  });
});
