/** Starts on a damaged settings file and damaged journals: the app is there, says so, and keeps what it found. */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { openSection } from '../screens/controls.ts';
import { callContract } from './contract-calls.ts';
import { readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome } from './launch/launch-app.ts';

const damagedSettings = '{"version":1,"preferences":{"theme":"dark","lockAf';
const damagedJournal = `${JSON.stringify({ sequence: 1, at: '2026-11-01T10:00:00.000Z', previous: '0'.repeat(64), event: { type: 'run-started' }, hash: 'f'.repeat(64) })}\n`;
const runId = '20261101T100000Z-abcdef';

test('damaged settings and a damaged journal do not keep the app from starting', async () => {
  const home = await makeAppHome();
  const journalPath = join(home.dataDirectory, 'runs', runId, 'journal.jsonl');
  await mkdir(join(home.dataDirectory, 'runs', runId), { recursive: true, mode: 0o700 });
  await writeFile(join(home.dataDirectory, 'settings.json'), damagedSettings, { mode: 0o600 });
  await writeFile(journalPath, damagedJournal, { mode: 0o600 });
  const app = await launchApp({ home });
  try {
    const page = await app.window('app://main');
    await expect(page.getByText('The settings file was damaged', { exact: false }).first()).toBeVisible();
    await keepScreenshot(page, 'damaged-settings');
    const aside = (await readdir(home.dataDirectory)).filter((name) => name.startsWith('settings.damaged-'));
    expect(aside.length).toBe(1);
    expect(await readFile(join(home.dataDirectory, aside[0] ?? ''), 'utf8')).toBe(damagedSettings);

    await expect
      .poll(async () => (await readView(page)).runs.find((run) => run.id === runId)?.problem?.code)
      .toBe('Custody_JournalDamaged');
    await openSection(page, 'Journal');
    await keepScreenshot(page, 'damaged-journal');
    expect(await readFile(journalPath, 'utf8')).toBe(damagedJournal);
    const verified = await callContract(page, 'journal.verify', { runId });
    expect(verified).toMatchObject({ intact: false });

    // What is changed now is written to a new file, and the damaged one stays beside it.
    await callContract(page, 'settings.change', { theme: 'light', lockAfterMinutes: 15, operatorName: 'Ada' });
    expect(JSON.parse(await readFile(join(home.dataDirectory, 'settings.json'), 'utf8'))).toMatchObject({
      preferences: { theme: 'light', lockAfterMinutes: 15, operatorName: 'Ada' },
    });
    expect(await readFile(join(home.dataDirectory, aside[0] ?? ''), 'utf8')).toBe(damagedSettings);
  } finally {
    await app.close();
    await home.remove();
  }
});
