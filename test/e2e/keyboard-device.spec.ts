/**
 * A Nitrokey HSM (in software, behind the real pcscd and OpenSC) by the keyboard alone: set up from its own page, its
 * key exported and its PIN changed, an object deleted, and what its pages do when it is pulled out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, type Page } from '@playwright/test';
import type { RunView, TokenView } from '../../electron/contract/views.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { RunScreen } from '../screens/run.ts';
import { TokenScreen } from '../screens/token.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { startCardProcess, type CardProcess } from '../servers/card-process.ts';
import { requireCardReaders } from '../servers/pcscd.ts';
import { closePromptBy, findPrompt, readRun, readView } from './drive-run.ts';
import {
  chooseByArrows,
  chooseFromMenu,
  expectFocusKept,
  findUnreachable,
  openTab,
  press,
  pressIfThere,
  tabTo,
  typeInto,
} from './keyboard-only.ts';
import { launchApp, type LaunchedApp } from './launch/launch-app.ts';
import { findNameProblems } from './page-inspection.ts';

const testSoPin = '2711204227112042';
const serial = 'DECC0900281';
const label = 'by keyboard';
/** What a person waits for when a device is plugged in or was changed: OpenSC takes seconds to know it. */
const known = { timeout: 60_000 };

test.describe.serial('a Nitrokey HSM without a mouse', () => {
  let card: CardProcess;
  let app: LaunchedApp;
  let page: Page;
  let testPin = '648219-test';
  let nextTestPin = testPin;

  test.beforeAll(async () => {
    await requireCardReaders();
    card = await startCardProcess(serial);
    await card.tell('plug 0');
    app = await launchApp();
    page = await app.window('app://main');
    await page.waitForLoadState();
  });
  test.afterAll(async () => {
    await app.close();
    await card.end();
  });

  const findDevice = async (): Promise<TokenView | undefined> =>
    (await readView(page)).tokens.find((token) => token.serial === serial);

  const section = (name: string) =>
    page.getByRole('navigation', { name: 'Main' }).getByRole('button', { name: new RegExp(`^${name}:`, 'u') });

  /** From wherever one is, to the device's own page. */
  async function openDevice(title: string): Promise<void> {
    await press(page, section('Devices'));
    await press(page, page.getByRole('main').getByRole('button', { name: `Open ${title}`, exact: true }));
    const { heading } = new TokenScreen(page);
    await expect(heading).toHaveText(title);
    // So that a screen reader begins there.
    await expect(heading).toBeFocused();
  }

  /** Answers a prompt: a new SO-PIN of one's own, a PIN, each typed as often as it is asked for. */
  async function answer(prompt: Page): Promise<void> {
    const screen = new PromptScreen(prompt);
    await screen.title.waitFor();
    await expectFocusKept(prompt, 'when a prompt opens');
    if ((await screen.ownSoPin.count()) > 0) await chooseByArrows(prompt, /./u, /Type my own/u);
    const role = (await screen.field('SO-PIN').count()) > 0 ? 'SO-PIN' : 'PIN';
    const isNew = (await screen.field(`${role} again`).count()) > 0;
    const secret = role === 'SO-PIN' ? testSoPin : isNew ? nextTestPin : testPin;
    await tabTo(prompt, screen.field(role));
    await prompt.keyboard.type(secret);
    if (isNew) {
      await tabTo(prompt, screen.field(`${role} again`));
      await prompt.keyboard.type(secret);
    }
    await closePromptBy(prompt, () => prompt.keyboard.press('Enter'));
  }

  /** Takes the run whose page is open to its end; between its steps the focus stays with the step. */
  async function finish(workflow: RunView['workflow']): Promise<void> {
    const run = new RunScreen(page);
    await run.steps.first().waitFor();
    const deadline = Date.now() + 150_000;
    for (;;) {
      const view = await readRun(page, workflow);
      if (Date.now() > deadline) throw new Error(`the run did not end: ${JSON.stringify(view)}`);
      const prompt = findPrompt(app);
      if (prompt !== undefined) {
        await answer(prompt);
        continue;
      }
      if (view !== undefined && view.status !== 'open') {
        expect(view.status).toBe('completed');
        break;
      }
      const step = view?.steps.find((each) => ['current', 'failed'].includes(each.status));
      if (view?.busy === false && step !== undefined) {
        expect(step.problem).toBe(null);
        const typed = step.danger?.typedName ?? '';
        const button = run.mainButton(step.action);
        if (typed !== '') {
          await expect(button).toBeDisabled();
          await typeInto(page, page.getByRole('textbox', { name: `Type “${typed}” to go on` }), typed);
        }
        if ((await button.count()) > 0 && (await pressIfThere(page, button)))
          await expectFocusKept(page, `when “${step.title}” begins`);
      }
      await page.waitForTimeout(150);
    }
    await expect(run.completed).toBeVisible();
    await expect(page.getByRole('heading', { name: 'Completed' })).toBeFocused();
  }

  test('is set up from its own page', async () => {
    test.setTimeout(240_000);
    await expect.poll(async () => (await findDevice())?.device?.firmwareVersion, known).toMatch(/^3\./u);
    expect((await findDevice())?.initialized).toBe(false);
    await openDevice(`New device ${serial}`);
    await openTab(page, 'Backup');
    await expect(page.getByText('Not decided yet').first()).toBeVisible();
    await press(page, page.getByRole('tabpanel').getByRole('button', { name: 'Set up', exact: true }));

    const plan = new TokenSetupPlanScreen(page);
    await expect(plan.heading).toBeFocused();
    await typeInto(page, plan.label, label);
    await chooseByArrows(page, 'How shall keys of this device be backed up?', /the device makes itself/u);
    await typeInto(page, plan.soPinHolder, 'Sofia');
    await typeInto(page, plan.pinHolder, 'Paul');
    await typeInto(page, page.getByRole('textbox', { name: /^Wrong PINs/u }), '4');
    expect(await findUnreachable(page)).toEqual([]);
    await expect(plan.start).toBeEnabled();
    await press(page, plan.start);
    await finish('token-setup');
    await expect.poll(async () => (await findDevice())?.label, known).toBe(label);
    expect(await card.tell('status')).toMatchObject({ initialised: true, pinTriesLeft: 4 });
    await expect.poll(async () => (await findDevice())?.initialized, known).toBe(true);
  });

  test('tells a screen reader what its steps do, and gives the focus back after a dialog', async () => {
    await expect(page.getByRole('status', { name: 'Key Custodian' })).not.toBeEmpty();
    const save = page.getByRole('button', { name: 'Save the transcript' });
    await press(page, save);
    await expect(page.getByRole('menu')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(save).toBeFocused();
    const verify = page.getByRole('button', { name: 'Verify the journal' });
    await press(page, verify);
    await expect(page.getByRole('dialog', { name: 'Verification' })).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(verify).toBeFocused();
    expect(await findNameProblems(page, ['main', 'navigation'])).toEqual([]);
  });

  test('gives its public key away', async () => {
    const filePath = join(app.home.directory, 'exported.pub');
    await app.inMain(({ dialog }, path) => {
      Reflect.set(dialog, 'showSaveDialog', () => Promise.resolve({ canceled: false, filePath: path }));
    }, filePath);
    await openDevice(label);
    await openTab(page, 'Objects');
    await press(page, page.getByRole('heading', { level: 3 }).getByRole('button', { name: /^bank-vaults/u }));
    const opener = page.getByRole('button', { name: 'Export the public key bank-vaults' });
    await chooseFromMenu(page, opener, 'For SSH');
    await expect(page.getByText(`Saved: ${filePath}`)).toBeVisible();
    await expect(opener).toBeFocused();
    expect(await readFile(filePath, 'utf8')).toMatch(/^ssh-rsa /u);
    expect(await findUnreachable(page)).toEqual([]);
    await press(page, page.getByRole('alert').getByRole('button', { name: 'Dismiss' }));
    await expectFocusKept(page, 'when a message is dismissed');
  });

  test('gets another PIN', async () => {
    test.setTimeout(120_000);
    await openDevice(label);
    await openTab(page, 'PINs');
    await press(page, page.getByRole('button', { name: 'Change the PIN…' }));
    await typeInto(page, page.getByRole('textbox', { name: /holder|Who/iu }), 'Paul');
    expect(await findUnreachable(page)).toEqual([]);
    await press(page, page.getByRole('button', { name: 'Start', exact: true }));
    nextTestPin = '912846-test';
    await finish('pin-change');
    testPin = nextTestPin;
  });

  test('has its drill and clone pages reached', async () => {
    for (const act of ['Begin a backup drill…', 'Clone to another device…']) {
      await openDevice(label);
      await openTab(page, 'Backup');
      await press(page, page.getByRole('button', { name: act }));
      await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeAttached();
      expect(await findUnreachable(page), act).toEqual([]);
    }
  });

  test('loses its key by a deliberate act', async () => {
    test.setTimeout(120_000);
    await openDevice(label);
    await openTab(page, 'Objects');
    await press(page, page.getByRole('heading', { level: 3 }).getByRole('button', { name: /^bank-vaults/u }));
    await press(page, page.getByRole('button', { name: 'Delete bank-vaults' }));
    await finish('object-delete');
    await expect.poll(async () => (await findDevice())?.wrappingKeys.length, known).toBe(0);
  });

  test('keeps the focus when it is pulled out and put back', async () => {
    await openDevice(label);
    await openTab(page, 'PINs');
    await tabTo(page, page.getByRole('button', { name: 'Change the PIN…' }));
    await card.tell('unplug');
    const heading = page.getByRole('heading', { level: 1 });
    await expect(heading).toHaveText('This device is not plugged in', known);
    await expect(heading).toBeFocused();
    await card.tell('plug 0');
    await expect(heading).toHaveText(label, known);
    await expect(heading).toBeFocused();
  });
});
