/** A token is set up with the keyboard alone, as somebody does who cannot use a mouse. */
import { expect, test, type Locator, type Page } from '@playwright/test';
import { HomeScreen } from '../screens/home.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { RunScreen } from '../screens/run.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { closePromptBy, findPrompt, readRun, readView } from './drive-run.ts';
import { launchApp } from './launch/launch-app.ts';

const testPin = 'keyboard-pin-2711';
const testSoPin = 'keyboard-so-pin-2711';

/** Presses Tab until the element has the focus, and sees that the focus shows. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor();
  for (let presses = 0; presses < 80; presses += 1) {
    if (await target.evaluate((element) => element === document.activeElement)) {
      const style = await target.evaluate((element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return { outlineStyle, outlineWidth, boxShadow };
      });
      expect(style.outlineStyle !== 'none' || style.boxShadow !== 'none', 'the focus can be seen').toBe(true);
      return;
    }
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${String(target)}`);
}

test('a token is set up by Tab, Enter and typing', async () => {
  const app = await launchApp();
  try {
    const page = await app.window('app://main');
    await page.waitForLoadState();
    const home = new HomeScreen(page);
    await tabTo(page, home.startRehearsal);
    await page.keyboard.press('Enter');
    await home.rehearsalPath.waitFor({ timeout: 60_000 });
    await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
    await tabTo(page, home.part('Set up a token').getByRole('button'));
    await page.keyboard.press('Enter');
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    await tabTo(page, plan.label);
    await page.keyboard.press('Control+A');
    await page.keyboard.type('by-keyboard');
    await tabTo(page, plan.start);
    await page.keyboard.press('Enter');
    const run = new RunScreen(page);
    await run.steps.first().waitFor();

    const deadline = Date.now() + 90_000;
    for (;;) {
      if (Date.now() > deadline) throw new Error('the run did not end');
      const prompt = findPrompt(app);
      if (prompt !== undefined) {
        const screen = new PromptScreen(prompt);
        await screen.title.waitFor();
        const role = (await screen.field('SO-PIN').count()) > 0 ? 'SO-PIN' : 'PIN';
        // The first field has the focus when the prompt opens.
        await expect(screen.field(role)).toBeFocused();
        const secret = role === 'PIN' ? testPin : testSoPin;
        await prompt.keyboard.type(secret);
        if ((await screen.field(`${role} again`).count()) > 0) {
          await tabTo(prompt, screen.field(`${role} again`));
          await prompt.keyboard.type(secret);
        }
        await closePromptBy(prompt, () => prompt.keyboard.press('Enter'));
        continue;
      }
      const view = await readRun(page, 'token-setup');
      if (view !== undefined && view.status !== 'open') {
        expect(view.status).toBe('completed');
        break;
      }
      const step = view?.steps.find((each) => ['current', 'failed'].includes(each.status));
      if (view?.busy === false && step !== undefined) {
        expect(step.problem).toBe(null);
        await tabTo(page, run.mainButton(step.action));
        await page.keyboard.press('Enter');
      }
      await page.waitForTimeout(150);
    }
    await expect
      .poll(async () => (await readView(page)).tokens.some((token) => token.label === 'by-keyboard'))
      .toBe(true);
  } finally {
    await app.close();
  }
});
