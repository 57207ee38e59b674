/** The longest stall of main's event loop and the longest gap between two frames of the window, from a moment on. */
import type { Page } from '@playwright/test';
import type { LaunchedApp } from '../../e2e/launch/launch-app.ts';

/** Begins anew where it watched already. */
export async function beginWatching(app: LaunchedApp, page: Page): Promise<void> {
  await app.inMain(() => {
    const { monitorEventLoopDelay } = process.getBuiltinModule('node:perf_hooks');
    const histogram = monitorEventLoopDelay({ resolution: 1 });
    histogram.enable();
    Reflect.set(globalThis, 'measuredDelay', histogram);
  });
  await page.evaluate(() => {
    const watch = { longest: 0 };
    Reflect.set(window, 'watchedFrames', watch);
    let last = performance.now();
    const frame = (now: number): void => {
      watch.longest = Math.max(watch.longest, now - last);
      last = now;
      if (Reflect.get(window, 'watchedFrames') === watch) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
}

/** Ends the watching, which itself wakes main and the window all the time. @returns both in milliseconds */
export async function readWatching(
  app: LaunchedApp,
  page: Page,
): Promise<{ readonly stall: number; readonly frame: number }> {
  const stall = await app.inMain(() => {
    const histogram: unknown = Reflect.get(globalThis, 'measuredDelay');
    if (typeof histogram !== 'object' || histogram === null || !('max' in histogram)) return -1;
    if ('disable' in histogram && typeof histogram.disable === 'function')
      Reflect.apply(histogram.disable, histogram, []);
    return Number(histogram.max) / 1e6;
  });
  const frame = await page.evaluate(() => {
    const watch: unknown = Reflect.get(window, 'watchedFrames');
    Reflect.deleteProperty(window, 'watchedFrames');
    return typeof watch === 'object' && watch !== null && 'longest' in watch ? Number(watch.longest) : -1;
  });
  return { stall, frame };
}
