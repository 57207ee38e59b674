/**
 * What the window says where a push is not as simple as it was thought: a kubeconfig that runs a program, rights that
 * are missing, fields of another manager, a context that leads elsewhere than at the preview, another cluster at the
 * same address; recipes saved as files;
 * and a token's values copied into a Secret. In the packaged app on a real kube-apiserver with RBAC.
 */
import { chmod, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import { parseAllDocuments } from 'yaml';
import { ClustersScreen, PreviewScreen, RecipeScreen } from '../screens/clusters.ts';
import { choose } from '../screens/controls.ts';
import { RunScreen } from '../screens/run.ts';
import { TokenScreen } from '../screens/token.ts';
import { TokensScreen } from '../screens/tokens.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startTcpProxy } from '../servers/tcp-proxy.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import {
  addVault,
  callContract,
  finishRun,
  planVaultInit,
  setUpToken,
  startRun,
  waitForVault,
} from './contract-calls.ts';
import { driveRunToEnd, readRun, readView } from './drive-run.ts';
import { expectFocusKept, press, tabTo, typeInto } from './keyboard-only.ts';
import {
  keepScreenshot,
  keepZoomedScreenshot,
  launchApp,
  makeAppHome,
  type AppHome,
  type LaunchedApp,
} from './launch/launch-app.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';

const testSecrets = {
  pin: 'refusals-test-pin-2811',
  soPin: 'refusals-test-so-pin-2811',
  secretValue: 'refusals-test-value-2811',
};
const recipe = 'PKCS#11 seal';
const themes = ['light', 'dark'] as const;

interface Kubeconfig {
  readonly contexts: readonly [{ readonly name: string; readonly context: object }];
  readonly users: readonly [{ readonly name: string; readonly user: Readonly<Record<string, string>> }];
}

test.describe.serial('clusters that say no', () => {
  let kubernetes: KubernetesServer;
  let vault: TestVault;
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;
  let program: string;
  /** What the program was run with, a line for each time. */
  let programLog: string;
  let kubeconfig: string;
  /** What went wrong in the window itself. */
  const faults: string[] = [];

  /** A kubeconfig whose user's certificate comes from a program beside it, as cloud providers' do. */
  const writeProgramKubeconfig = async (path: string): Promise<void> => {
    const embedded = JSON.parse(
      await readFile(await kubernetes.custodianKubeconfig({ context: 'by-program', namespace: 'vault' }), 'utf8'),
    ) as Kubeconfig;
    const { user } = embedded.users[0];
    const decode = (name: string): string => Buffer.from(user[name] ?? '', 'base64').toString('utf8');
    const apiVersion = 'client.authentication.k8s.io/v1';
    const status = {
      clientCertificateData: decode('client-certificate-data'),
      clientKeyData: decode('client-key-data'),
    };
    const answer = join(home.directory, 'credential.json');
    await writeFile(answer, JSON.stringify({ apiVersion, kind: 'ExecCredential', status }), { mode: 0o600 });
    await writeFile(program, `#!/bin/sh\necho run >> '${programLog}'\nexec cat '${answer}'\n`, { mode: 0o700 });
    const exec = { command: program, args: ['token', '--cluster', 'eu 1'], apiVersion, interactiveMode: 'Never' };
    // A user of another name: of two with one name kubectl takes that of the first file.
    const [named] = embedded.contexts;
    const whole = {
      ...embedded,
      contexts: [{ ...named, context: { ...named.context, user: 'cloud-user' } }],
      users: [{ name: 'cloud-user', user: { exec } }],
    };
    await writeFile(path, JSON.stringify(whole), { mode: 0o600 });
  };

  test.beforeAll(async () => {
    kubernetes = await startKubernetes();
    await kubernetes.arrange(['create', 'namespace', 'vault']);
    vault = await startVaultServer({ storage: 'inmem' });
    home = await makeAppHome();
    const inHome = (name: string): string => join(home.directory, name);
    program = inHome('cloud-login');
    programLog = inHome('cloud-login.log');
    kubeconfig = inHome('kubeconfig');
    await copyFile(await kubernetes.custodianKubeconfig({ context: 'test', namespace: 'vault' }), kubeconfig);
    await copyFile(await kubernetes.limitedKubeconfig({ context: 'limited', namespace: 'vault' }), inHome('limited'));
    for (const path of [kubeconfig, inHome('limited')]) await chmod(path, 0o600);
    await writeProgramKubeconfig(inHome('by-program'));
    await mkdir(inHome('tokens'), { mode: 0o700 });
    await writeFile(inHome('softhsm2.conf'), `directories.tokendir = ${inHome('tokens')}\nlog.level = ERROR\n`);
    app = await launchApp({
      home,
      environment: {
        SOFTHSM2_CONF: inHome('softhsm2.conf'),
        KUBECONFIG: [kubeconfig, inHome('limited'), inHome('by-program')].join(':'),
        KEY_CUSTODIAN_KUBECTL: kubernetes.kubectlPath,
      },
    });
    page = await app.window('app://main');
    page.on('pageerror', (cause) => faults.push(`${cause.message}\n${cause.stack ?? ''}`));
    await page.waitForLoadState();
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

  const setZoom = (factor: number): Promise<void> =>
    app.inMain(({ BrowserWindow }, zoom) => {
      const window = BrowserWindow.getAllWindows()[0];
      window?.setContentSize(1024, 700);
      window?.webContents.setZoomFactor(zoom);
    }, factor);
  /** A picture in light and dark; every control has a name and no text is cut off, at twice the size of letters either. */
  const keep = async (name: string): Promise<void> => {
    const problems: string[] = [...(await findNameProblems(page, ['main', 'navigation']))];
    for (const theme of themes) {
      await callContract(page, 'settings.change', { theme, lockAfterMinutes: 60, operatorName: 'Ada' });
      await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
      problems.push(...(await findClippedText(page)).map((clipped) => `${theme}: ${clipped}`));
      await keepScreenshot(page, `${name}-${theme}`);
    }
    await setZoom(2);
    await expect.poll(() => page.evaluate(() => window.innerWidth)).toBeLessThanOrEqual(512);
    problems.push(...(await findClippedText(page)).map((clipped) => `zoom 2: ${clipped}`));
    await keepZoomedScreenshot(app, `${name}-zoom`);
    await setZoom(1);
    await expect.poll(() => page.evaluate(() => window.innerWidth)).toBeGreaterThan(1000);
    expect(problems).toEqual([]);
  };
  const previewIn = async (context: string): Promise<PreviewScreen> => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await clusters.pushTo(context);
    const screen = new RecipeScreen(page);
    await screen.choose(recipe);
    await screen.fill('Namespace', 'vault');
    await expect(screen.fits).toBeVisible();
    await screen.preview(context);
    return new PreviewScreen(page);
  };
  const configMaps = async (): Promise<readonly string[]> =>
    (await kubernetes.arrange(['get', 'configmaps', '-n', 'vault', '-o', 'name']))
      .split('\n')
      .filter((line) => line !== '' && !line.includes('kube-root-ca'));
  const timesRun = async (): Promise<number> =>
    (await readFile(programLog, 'utf8').catch(() => '')).split('\n').length - 1;

  test('a program that a kubeconfig runs is shown, and run only once it is allowed as it is', async () => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await expect(clusters.card('test').getByText('Reachable')).toBeVisible();
    const card = clusters.card('by-program');
    await expect(card.getByText('Not allowed yet')).toBeVisible();
    await expect(card).toContainText('cloud-login');
    await keep('refusals-clusters');
    await clusters.details('by-program');
    await expect(page.getByRole('main')).toContainText('token --cluster');
    expect(await timesRun()).toBe(0);
    await clusters.allow(program);
    await expect(page.getByRole('main').getByText('Reachable')).toBeVisible();
    expect(await timesRun()).toBeGreaterThan(0);
    await keep('refusals-allowed');

    await writeFile(program, `${await readFile(program, 'utf8')}# other bytes\n`, { mode: 0o700 });
    await writeFile(programLog, '');
    await page.getByRole('button', { name: 'Look now', exact: true }).click();
    await expect(page.getByRole('button', { name: `Allow ${program}` })).toBeVisible();
    await expect(page.getByRole('main').getByText('Not allowed yet')).toBeVisible();
    expect(await timesRun()).toBe(0);
    await keep('refusals-program-changed');
    await clusters.allow(program);
    await expect(page.getByRole('main').getByText('Reachable')).toBeVisible();
  });

  test('missing rights are named with the rule that grants them, and nothing can be pushed', async () => {
    const preview = await previewIn('limited');
    await expect(preview.missingRights).toContainText('configmaps in vault');
    await expect(preview.missingRights).toContainText('kind: RoleBinding');
    await expect(preview.push).toBeDisabled();
    await keep('refusals-rights');
    const path = join(home.directory, 'rights.yaml');
    await app.inMain(({ dialog }, filePath) => {
      Reflect.set(dialog, 'showSaveDialog', () => Promise.resolve({ canceled: false, filePath }));
    }, path);
    await preview.saveRights.click();
    await expect(page.getByText(path)).toBeVisible();
    // Whoever runs the cluster gives it; then it may be pushed.
    await kubernetes.arrange(['apply', '-f', path]);
    await preview.back.click();
    await new RecipeScreen(page).preview('limited');
    await expect(preview.push).toBeEnabled();
    expect(await configMaps()).toEqual([]);
  });

  test('fields of another manager are named and block the push until that is decided', async () => {
    const { input } = (await callContract(page, 'recipes.defaults', { recipe: 'pkcs11-seal' })) as {
      readonly input: Readonly<Record<string, unknown>>;
    };
    const rendered = (await callContract(page, 'recipes.render', { form: { ...input, namespace: 'vault' } })) as {
      readonly manifests: string;
    };
    const others = parseAllDocuments(rendered.manifests)
      .map((document) => document.toJS() as { readonly kind: string; data?: Record<string, string> })
      .filter((manifest) => manifest.kind === 'ConfigMap');
    for (const manifest of others)
      manifest.data = Object.fromEntries(Object.keys(manifest.data ?? {}).map((key) => [key, '# kept by others\n']));
    await kubernetes.arrange(
      ['apply', '--server-side', '--field-manager=argocd-controller', '-f', '-'],
      JSON.stringify({ apiVersion: 'v1', kind: 'List', items: others }),
    );
    const preview = await previewIn('test');
    await expect(preview.conflictsOf('argocd-controller').first()).toBeVisible();
    await expect(preview.push).toBeDisabled();
    await keep('refusals-conflict');
    await preview.takeOver.click();
    await expect(preview.push).toBeEnabled();
    await preview.push.click();
    expect((await driveRunToEnd(app, page, 'cluster-push', testSecrets)).status).toBe('completed');
    const live = await kubernetes.arrange(['get', 'configmaps', '-n', 'vault', '-o', 'yaml']);
    expect(live).not.toContain('kept by others');
  });

  /** A push whose preview was made before the cluster was another one: it is refused in these words. */
  const refusePush = async (picture: string, become: () => Promise<void>, words: string): Promise<void> => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await clusters.pushTo('test');
    const screen = new RecipeScreen(page);
    await screen.choose(recipe);
    await screen.fill('ConfigMap of the stanza', 'elsewhere');
    await expect(screen.fits).toBeVisible();
    await screen.preview('test');
    const before = await configMaps();
    await become();
    await new PreviewScreen(page).push.click();
    const run = new RunScreen(page);
    await run.steps.first().waitFor();
    const view = await readRun(page, 'cluster-push');
    const step = view?.steps.find(({ status }) => status === 'current');
    if (step !== undefined) {
      if (step.danger !== null && step.danger.typedName !== '') await run.typeName(step.danger.typedName);
      await run.mainButton(step.action).click();
    }
    await expect(run.problem).toContainText(words);
    await keep(picture);
    expect(await configMaps()).toEqual(before);
    await run.abandon(view?.subject ?? '');
  };

  test('a context that leads elsewhere than at the preview is refused, and nothing is changed', async () => {
    const other = await startTcpProxy(kubernetes.port);
    const elsewhere = `https://127.0.0.1:${String(other.port)}`;
    const text = await readFile(kubeconfig, 'utf8');
    try {
      await refusePush(
        'refusals-elsewhere',
        () => writeFile(kubeconfig, text.replace(kubernetes.address, elsewhere)),
        `leads to ${elsewhere} instead of ${kubernetes.address}`,
      );
    } finally {
      await writeFile(kubeconfig, text);
      await other.close();
    }
  });

  test('another cluster that answers at the same address is refused, and nothing is changed', async () => {
    const uidOf = ['get', 'namespace', 'kube-system', '-o', 'jsonpath={.metadata.uid}'];
    const uid = await kubernetes.arrange(uidOf);
    const key = '/registry/namespaces/kube-system';
    const stored = await kubernetes.etcdGet(key);
    // What tells one cluster from another is this UID; the rest is as it was.
    const another = `${uid.startsWith('0') ? '1' : '0'}${uid.slice(1)}`;
    try {
      await refusePush(
        'refusals-another-cluster',
        async () => {
          await kubernetes.etcdPut(key, Buffer.from(stored.toString('latin1').replace(uid, another), 'latin1'));
          await expect.poll(() => kubernetes.arrange(uidOf)).toBe(another);
        },
        'Another cluster',
      );
    } finally {
      await kubernetes.etcdPut(key, stored);
      await expect.poll(() => kubernetes.arrange(uidOf)).toBe(uid);
    }
  });

  test('a recipe is saved as files for git, for kustomize and for Helm', async () => {
    const clusters = new ClustersScreen(page);
    await clusters.open();
    await page.getByRole('button', { name: 'Write files without a cluster' }).click();
    const screen = new RecipeScreen(page);
    await screen.choose('Vault with an HSM');
    await expect(screen.fits).toBeVisible();
    for (const [output, wanted] of [
      ['As manifests', /kind: Vault/u],
      ['For kustomize', /kind: Kustomization/u],
      ['As Helm values', /:/u],
    ] as const) {
      const folder = join(home.directory, output.replaceAll(' ', '-'));
      await mkdir(folder);
      await app.inMain(({ dialog }, filePath) => {
        Reflect.set(dialog, 'showOpenDialog', () => Promise.resolve({ canceled: false, filePaths: [filePath] }));
      }, folder);
      await screen.save(output);
      await expect(page.getByText(folder)).toBeVisible();
      await page.getByRole('alert').getByRole('button', { name: 'Dismiss' }).click();
      await expect(page.getByText(folder)).toBeHidden();
      const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((each) => each.isFile());
      const texts = await Promise.all(names.map((each) => readFile(join(each.parentPath, each.name), 'utf8')));
      expect(
        texts.some((text) => wanted.test(text)),
        `${output}: ${texts.join('\n')}`,
      ).toBe(true);
    }
  });

  test('a recipe is chosen, filled in, previewed and pushed by Tab, arrows, Enter and typing alone', async () => {
    for (const name of ['worker-a', 'worker-b', 'worker-c'])
      await kubernetes.arrange(
        ['create', '-f', '-'],
        JSON.stringify({ apiVersion: 'v1', kind: 'Node', metadata: { name } }),
      );
    await new ClustersScreen(page).open();
    await press(page, page.getByRole('button', { name: 'Push a recipe to test' }));
    await press(page, page.getByRole('button', { name: 'Choose: Nodes with a Nitrokey HSM' }));
    await page.getByRole('heading', { level: 1, name: 'Nodes with a Nitrokey HSM' }).waitFor();
    await press(page, page.getByRole('button', { name: 'Choose from the cluster…' }));
    const list = page.getByRole('dialog').getByRole('listbox', { name: 'Nodes' });
    await expect(list.getByRole('option')).toHaveCount(3);
    await tabTo(page, list);
    await page.keyboard.press('Home');
    await page.keyboard.press('Space');
    await page.keyboard.press('End');
    await page.keyboard.press('Space');
    await expect(list.getByRole('option', { selected: true })).toHaveText(['worker-a', 'worker-c']);
    await keepScreenshot(page, 'keyboard-choose-nodes');
    await press(page, page.getByRole('button', { name: 'Choose', exact: true }));
    await expect(page.getByRole('textbox', { name: 'Node 1' })).toHaveValue('worker-a');
    await expect(page.getByRole('textbox', { name: 'Node 2' })).toHaveValue('worker-c');
    await expect(new RecipeScreen(page).fits).toBeVisible();
    await press(page, page.getByRole('button', { name: 'Preview', exact: true }));
    const preview = new PreviewScreen(page);
    await expect(preview.push).toBeEnabled();
    await expectFocusKept(page, 'where the preview opens');
    await press(page, preview.push);
    const run = new RunScreen(page);
    await run.steps.first().waitFor();
    await expect(async () => {
      const view = await readRun(page, 'cluster-push');
      if (view?.status === 'completed') return;
      const step = view?.steps.find(({ status }) => status === 'current' || status === 'failed');
      if (view?.busy === false && step !== undefined) {
        expect(step.problem).toBe(null);
        const typedName = step.danger?.typedName ?? '';
        if (typedName !== '') await typeInto(page, run.typedName(typedName), typedName);
        await press(page, run.mainButton(step.action));
      }
      throw new Error('the run is not done yet');
    }).toPass({ intervals: [200], timeout: 60_000 });
    await expect(run.completed).toBeVisible();
    const node = await kubernetes.arrange(['get', 'node', 'worker-c', '-o', 'json']);
    expect(node).toContain('nitrokey.com/hsm');
    expect(await kubernetes.arrange(['get', 'node', 'worker-b', '-o', 'json'])).not.toContain('nitrokey.com/hsm');
  });

  test('the values of a token are copied into a Secret', async () => {
    test.setTimeout(240_000);
    const token = await setUpToken(app, page, 'softhsm', 'refusals-token', testSecrets);
    const vaultId = await addVault(page, vault);
    await waitForVault(page, vaultId, 'uninitialized');
    const plan = planVaultInit(await readView(page), vaultId, token, { count: 3, threshold: 2 });
    const initialised = await finishRun(app, page, await startRun(page, plan), testSecrets);
    expect(initialised.status).toBe('completed');

    await new TokensScreen(page).open();
    await new TokensScreen(page).openToken('refusals-token');
    const tokenScreen = new TokenScreen(page);
    await tokenScreen.openTab('Values');
    await tokenScreen.copyIntoSecret.click();
    await page.getByRole('heading', { level: 1, name: 'Copy values into a Secret' }).waitFor();
    await choose(page, 'Cluster', /^test/u);
    await expect(page.getByText(/^Held to https:/u)).toBeVisible();
    await page.getByRole('textbox', { name: 'Namespace', exact: true }).fill('vault');
    const start = page.getByRole('button', { name: 'Start', exact: true });
    await expect(start).toBeEnabled();
    await keep('refusals-secret-store');
    await start.click();
    expect((await driveRunToEnd(app, page, 'secret-store', testSecrets)).status).toBe('completed');
    const secret = JSON.parse(
      await kubernetes.arrange(['get', 'secret', 'vault-unseal-keys', '-n', 'vault', '-o', 'json']),
    ) as { readonly data: Readonly<Record<string, string>> };
    expect(
      Object.keys(secret.data)
        .filter((key) => key.startsWith('vault-unseal-'))
        .toSorted(),
    ).toEqual(['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2']);
    for (const value of Object.values(secret.data)) expect(Buffer.from(value, 'base64').length).toBe(256);
  });
});
