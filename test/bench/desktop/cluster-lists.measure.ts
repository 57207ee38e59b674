/**
 * 1,000 nodes and 5,000 Secrets of a real API server in the window: how soon they are listed beside kubectl, and
 * whether main or the window stands still while they are read, scrolled to their end and narrowed by typing.
 */
import { expect, test, type Locator, type Page } from '@playwright/test';
import { launchApp, makeAppHome, type AppHome, type LaunchedApp } from '../../e2e/launch/launch-app.ts';
import { ClustersScreen } from '../../screens/clusters.ts';
import { picker } from '../../screens/controls.ts';
import { startKubernetes, type KubernetesServer } from '../../servers/kubernetes.ts';
import { createObjects } from './crowd.ts';
import { keepFigure } from './figures.ts';
import { beginWatching, readWatching } from './watch-app.ts';

const context = 'crowded';
const namespaces = 10;
const lists = [
  { id: 'nodes', title: 'Nodes', count: 1_000, some: 'worker-07', last: 'worker-0999' },
  { id: 'secrets', title: 'Secrets', count: 5_000, some: 'credentials-04', last: 'credentials-4999' },
] as const;

const numbered = (name: string, index: number): string => `${name}-${index.toString().padStart(4, '0')}`;

async function fill(kubernetes: KubernetesServer): Promise<void> {
  const [nodes, secrets] = lists;
  const names = Array.from({ length: namespaces }, (_, index) => numbered('team', index));
  await createObjects(
    kubernetes,
    '/api/v1/namespaces',
    names.map((name) => ({ metadata: { name } })),
  );
  await createObjects(
    kubernetes,
    '/api/v1/nodes',
    Array.from({ length: nodes.count }, (_, index) => ({ metadata: { name: numbered('worker', index) } })),
  );
  const each = secrets.count / namespaces;
  for (const [index, namespace] of names.entries()) {
    await createObjects(
      kubernetes,
      `/api/v1/namespaces/${namespace}/secrets`,
      Array.from({ length: each }, (_, at) => ({
        metadata: { name: numbered('credentials', index * each + at) },
        stringData: { user: 'test', password: 'a test value of a usual length' },
      })),
    );
  }
}

/** As a wheel does, a screenful and more at a time, until the end has been in sight. */
async function scrollToEnd(page: Page, list: Locator): Promise<void> {
  await list.hover();
  const isAtEnd = (): Promise<boolean> =>
    list.evaluate((element) => element.scrollTop + element.clientHeight >= element.scrollHeight - 2);
  for (let turns = 0; !(await isAtEnd()); turns += 1) {
    if (turns > 500) throw new Error('The list does not come to its end.');
    await page.mouse.wheel(0, 2_000);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(resolve)));
  }
}

test.describe.serial('lists of a large cluster', () => {
  let kubernetes: KubernetesServer;
  let home: AppHome;
  let app: LaunchedApp;
  let page: Page;

  test.beforeAll(async () => {
    test.setTimeout(5 * 60_000);
    kubernetes = await startKubernetes();
    await fill(kubernetes);
    home = await makeAppHome();
    app = await launchApp({
      home,
      environment: {
        KUBECONFIG: await kubernetes.custodianKubeconfig({ context }),
        KEY_CUSTODIAN_KUBECTL: kubernetes.kubectlPath,
      },
    });
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
    await kubernetes.stop();
    await home.remove();
  });

  for (const { id, title, count, some, last } of lists) {
    test(`${title} by hand and in the window`, async () => {
      const begun = performance.now();
      const byHand = await kubernetes.arrange(['get', id, '-o', 'name', ...(id === 'nodes' ? [] : ['-A'])]);
      const byHandMilliseconds = performance.now() - begun;
      expect(byHand.trim().split('\n')).toHaveLength(count);

      const clusters = new ClustersScreen(page);
      await clusters.open();
      await expect(clusters.card(context).getByText('Reachable')).toBeVisible();
      await clusters.details(context);
      await clusters.openTab('Contents');
      // Nodes are what the tab shows unless something else is chosen.
      const isShown = id === 'nodes';
      if (!isShown) await picker(page, 'Show').click();
      const ask = isShown
        ? page.getByRole('button', { name: 'Read the names' })
        : page.getByRole('option', { name: title, exact: true });
      await ask.waitFor();
      await beginWatching(app, page);
      const asked = performance.now();
      await ask.click();
      await page.getByRole('status').getByText(`${count.toString()} names`, { exact: true }).waitFor();
      const listedMilliseconds = performance.now() - asked;
      const list = page.getByRole('listbox', { name: title });
      await expect(list).toBeVisible();

      await scrollToEnd(page, list);
      await expect(list.getByRole('option', { name: last })).toBeVisible();
      await page.getByRole('searchbox').pressSequentially(some, { delay: 50 });
      await expect(page.getByRole('status').getByText(` of ${count.toString()} names`)).toBeVisible();
      await expect(list.getByRole('option').first()).toContainText(some);
      await page.getByRole('searchbox').press('Escape');
      await expect(page.getByRole('status').getByText(`${count.toString()} names`, { exact: true })).toBeVisible();
      await list.getByRole('option').first().click();
      await page.keyboard.press('End');
      await expect(list.getByRole('option', { name: last })).toBeVisible();

      const { stall, frame } = await readWatching(app, page);
      keepFigure({ name: `${id}-listed-milliseconds`, value: listedMilliseconds, byHand: byHandMilliseconds });
      keepFigure({ name: `${id}-stall-milliseconds`, value: stall });
      keepFigure({ name: `${id}-frame-milliseconds`, value: frame });
    });
  }
});
