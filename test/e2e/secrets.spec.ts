/**
 * PINs typed as markers are searched in every process, file, argument and environment. The markers are
 * put together at run time, and typed key by key, so that the driver leaves no copy in the app.
 */
import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { HomeScreen } from '../screens/home.ts';
import { TokenSetupPlanScreen } from '../screens/token-setup-plan.ts';
import { driveRunToEnd, readView } from './drive-run.ts';
import { launchApp, type LaunchedApp } from './launch/launch-app.ts';
import { processTree, searchMemory } from './process-memory.ts';

async function mainRendererId(app: LaunchedApp): Promise<number> {
  return app.application.evaluate(
    ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.getOSProcessId() ?? -1,
  );
}

async function searchFiles(directory: string, markers: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const content = await readFile(path).catch(() => Buffer.alloc(0));
    if (markers.some((marker) => content.includes(marker) || content.includes(Buffer.from(marker, 'utf16le'))))
      found.push(path);
  }
  return found;
}

test('what is typed as a PIN is never in the main window, and nowhere after lock', async () => {
  test.setTimeout(6 * 60_000);
  const pin = `p${randomBytes(9).toString('hex')}`;
  const soPin = `s${randomBytes(9).toString('hex')}`;
  const markers = [pin, soPin];
  const app = await launchApp();
  try {
    const page = await app.window('app://main');
    const home = new HomeScreen(page);
    await home.startRehearsal.click();
    await home.rehearsalPath.waitFor({ timeout: 5 * 60_000 });
    // The plan page takes the token that is there when it opens.
    await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
    await home.beginPart('Set up a token');
    const plan = new TokenSetupPlanScreen(page);
    await plan.heading.waitFor();
    await plan.label.fill('marker-token');
    await plan.start.click();
    await driveRunToEnd(app, page, 'token-setup', { pin, soPin });

    const renderer = await mainRendererId(app);
    const inWindow = await searchMemory(renderer, [...markers, 'marker-token']);
    expect(inWindow.bytesRead).toBeGreaterThan(1024 * 1024);
    // The label was typed there: the search finds what is there, so it would find a PIN.
    expect(inWindow.counts[2]).toBeGreaterThan(0);
    expect(inWindow.counts.slice(0, 2)).toEqual([0, 0]);

    await home.lock.click();
    await expect(home.lockedHeading).toBeVisible();
    const found: string[] = [];
    for (const id of await processTree(app.mainProcessId)) {
      const name = (await readFile(`/proc/${String(id)}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
      const environment = await readFile(`/proc/${String(id)}/environ`, 'latin1').catch(() => '');
      if (markers.some((marker) => name.includes(marker) || environment.includes(marker)))
        found.push(`arguments or environment of ${String(id)}`);
      const memory = await searchMemory(id, markers).catch(() => undefined);
      // The sandbox's own helpers may not be looked into; they forked before anything was typed. Gone means nothing left.
      const isHelper = name.includes('--type=zygote') || name.includes('chrome-sandbox') || name.trim() === '';
      if ((memory === undefined || memory.bytesRead === 0) && !isHelper)
        found.push(`not searched: ${name.slice(0, 160)}`);
      if (memory?.counts.some((count) => count > 0) === true)
        found.push(`memory of ${name.slice(0, 160)}: ${memory.counts.join(', ')}`);
    }
    expect(found).toEqual([]);
    expect(await searchFiles(app.home.directory, markers)).toEqual([]);
  } finally {
    await app.close();
  }
});
