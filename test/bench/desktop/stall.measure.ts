/** The longest that main's event loop stood still while a token was initialised and its key was made. */
import { expect, test } from '@playwright/test';
import { driveRunToEnd, readView } from '../../e2e/drive-run.ts';
import { launchApp } from '../../e2e/launch/launch-app.ts';
import { HomeScreen } from '../../screens/home.ts';
import { RunScreen } from '../../screens/run.ts';
import { TokenSetupPlanScreen } from '../../screens/token-setup-plan.ts';
import { keepFigure } from './figures.ts';

const testPin = '24681357';
const testSoPin = '13572468';

test('the event loop while a token is set up', async () => {
  const app = await launchApp();
  try {
    const page = await app.window('app://main');
    const home = new HomeScreen(page);
    await home.startRehearsal.click();
    await home.rehearsalPath.waitFor({ timeout: 120_000 });
    // The plan page takes the token that is there when it opens.
    await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
    await home.beginPart('Set up a token');
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    await plan.label.fill('measured');
    await plan.chooseBits(4096);
    await plan.start.click();
    const run = new RunScreen(page);
    await run.steps.first().waitFor();
    await app.inMain(() => {
      const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
      const histogram = monitorEventLoopDelay({ resolution: 1 });
      histogram.enable();
      Reflect.set(globalThis, 'measuredDelay', histogram);
    });
    const ended = await driveRunToEnd(app, page, 'token-setup', {
      pin: testPin,
      soPin: testSoPin,
      withoutPictures: true,
    });
    expect(ended.status).toBe('completed');
    const longest = await app.inMain(() => {
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
