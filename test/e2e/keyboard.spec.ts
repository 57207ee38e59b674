/** A token is set up with the keyboard alone, as somebody does who cannot use a mouse. */
import { expect, test } from '@playwright/test';
import { HomeScreen } from '../screens/home.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { RunScreen } from '../screens/run.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { closePromptBy, findPrompt, readRun, readView } from './drive-run.ts';
import { press, tabTo, typeInto } from './keyboard-only.ts';
import { launchApp } from './launch/launch-app.ts';

const testPin = 'keyboard-pin-2711';
const testSoPin = 'keyboard-so-pin-2711';

test('a token is set up by Tab, Enter and typing', async () => {
  const app = await launchApp();
  try {
    const page = await app.window('app://main');
    await page.waitForLoadState();
    const home = new HomeScreen(page);
    await press(page, home.startRehearsal);
    await home.rehearsalPath.waitFor({ timeout: 60_000 });
    await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
    await press(page, home.part('Set up a token').getByRole('button'));
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    await typeInto(page, plan.label, 'by-keyboard');
    await press(page, plan.start);
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
        await press(page, run.mainButton(step.action));
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
