/** The longest that main's event loop stood still while a token was initialised and its key was made. */
import { test } from '@playwright/test';
import { launchApp } from '../../e2e/launch/launch-app.ts';
import { HomeScreen } from '../../screens/home.ts';
import { PromptScreen } from '../../screens/prompt.ts';
import { RunScreen } from '../../screens/run.ts';
import { TokenSetupPlanScreen } from '../../screens/token-setup-plan.ts';
import { keepFigure } from './figures.ts';

const testPin = '24681357';
const testSoPin = '13572468';

test('the event loop while a token is set up', async () => {
  const app = await launchApp();
  try {
    const page = await app.window('index.html');
    const home = new HomeScreen(page);
    await home.startRehearsal.click();
    await home.rehearsalPath.waitFor({ timeout: 120_000 });
    await home.beginPart('Set up a token');
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    if ((await plan.label.inputValue()) === '') await plan.label.fill('measured');
    await plan.chooseBits(4096);
    await plan.start.click();
    const run = new RunScreen(page);
    await run.steps.first().waitFor();
    await app.application.evaluate(() => {
      const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
      const histogram = monitorEventLoopDelay({ resolution: 1 });
      histogram.enable();
      Reflect.set(globalThis, 'measuredDelay', histogram);
    });
    await run.mainButton(/./u).first().click();
    const soPrompt = new PromptScreen(await app.window('prompt'));
    await soPrompt.giveNewPin('SO-PIN', testSoPin);
    await soPrompt.page.waitForEvent('close');
    const pinPrompt = new PromptScreen(await app.window('prompt'));
    await pinPrompt.giveNewPin('PIN', testPin);
    await pinPrompt.page.waitForEvent('close');
    await run.completed.waitFor({ timeout: 120_000 });
    const longest = await app.application.evaluate(() => {
      const histogram: unknown = Reflect.get(globalThis, 'measuredDelay');
      return typeof histogram === 'object' && histogram !== null && 'max' in histogram
        ? Number(histogram.max) / 1e6
        : -1;
    });
    keepFigure({ name: 'stall-milliseconds', value: longest });
  } finally {
    await app.close();
  }
});
