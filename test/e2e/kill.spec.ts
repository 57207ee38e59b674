/**
 * The main process is ended with SIGKILL in the middle of an initialisation, with its windows and hosts; the
 * app is started again and finishes the run through its windows, and the Vault unseals.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@playwright/test';
import { openSection } from '../screens/controls.ts';
import { HomeScreen } from '../screens/home.ts';
import { RunScreen } from '../screens/run.ts';
import { callContract, findRun, planVaultInit, setUpToken, startRehearsal, startRun } from './contract-calls.ts';
import { answerPrompt, driveRunToEnd, findPrompt, readView } from './drive-run.ts';
import { keepScreenshot, launchApp, makeAppHome } from './launch/launch-app.ts';

const testSecrets = { pin: 'kill-test-pin-2711', soPin: 'kill-test-so-pin-2711' };

/** The event, as it stands in the journal, after which the process is ended. */
const moments = [
  { when: 'before Vault is asked', type: 'step-finished', step: 'check-token' },
  { when: 'right after Vault has answered', type: 'step-finished', step: 'initialize' },
  { when: 'between two shares on the token', type: 'step-finished', step: 'store-vault-unseal-1' },
] as const;

for (const { when, type, step } of moments) {
  test(`ended ${when}, the run is taken up again and the Vault unseals`, async () => {
    const home = await makeAppHome();
    let app = await launchApp({ home });
    try {
      let page = await app.window('app://main');
      await startRehearsal(page);
      const token = await setUpToken(app, page, 'rehearsal', 'kill-token', testSecrets);
      const plan = planVaultInit(await readView(page), 'rehearsal', token, { count: 5, threshold: 3 });
      const runId = await startRun(page, plan);
      const journalPath = join(home.dataDirectory, 'rehearsal', 'runs', runId, 'journal.jsonl');
      const wanted = [`"type":"${type}"`, `"step":"${step}"`];
      const isWritten = async (): Promise<boolean> =>
        (await readFile(journalPath, 'utf8')).split('\n').some((line) => wanted.every((part) => line.includes(part)));

      const ended = once(app.mainProcess, 'exit');
      const killWhenWritten = (async () => {
        while (!(await isWritten())) await new Promise((resolve) => setTimeout(resolve, 2));
        process.kill(app.mainProcessId, 'SIGKILL');
      })();
      // Goes on as the main button does until the process is gone: then no call is answered any more.
      const driven = (async () => {
        for (;;) {
          const prompt = findPrompt(app);
          if (prompt !== undefined) await answerPrompt(prompt, testSecrets, new Set());
          const run = await findRun(page, runId);
          if (run?.busy === false && run.status === 'open') {
            const current = run.steps.find((each) => each.status === 'current');
            await callContract(page, 'runs.continue', { runId, typedName: current?.danger?.typedName ?? '' });
          }
          await page.waitForTimeout(20);
        }
      })().catch((cause: unknown) => cause);
      await killWhenWritten;
      const [, signal] = (await ended) as [number | null, string | null];
      expect(signal).toBe('SIGKILL');
      await driven;

      app = await launchApp({ home });
      page = await app.window('app://main');
      await new HomeScreen(page).startRehearsal.click();
      await expect.poll(async () => (await readView(page)).rehearsal.state, { timeout: 60_000 }).toBe('ready');
      await expect.poll(async () => (await findRun(page, runId))?.status).toBe('open');
      const interrupted = await findRun(page, runId);
      expect(interrupted?.steps.some((each) => each.status === 'current' || each.status === 'failed')).toBe(true);
      await openSection(page, 'Runs');
      await keepScreenshot(page, `runs-interrupted-${step}`);
      await page.getByRole('button', { name: /^Open Initialise/u }).click();
      await new RunScreen(page).heading.waitFor();
      const run = await driveRunToEnd(app, page, 'vault-init', testSecrets);
      expect(run.id).toBe(runId);
      expect(run.status).toBe('completed');
      await expect.poll(async () => (await readView(page)).vaults[0]?.state, { timeout: 30_000 }).toBe('unsealed');
      expect(await callContract(page, 'journal.verify', { runId })).toMatchObject({ intact: true, complete: true });
    } finally {
      await app.close();
      await home.remove();
    }
  });
}
