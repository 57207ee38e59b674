/** Takes a run through its windows to its end, as a person would: the main button, the typed name, the prompt window. */
import { expect, type Page } from '@playwright/test';
import { appViewSchema, type AppView, type RunView } from '../../electron/contract/views.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { RunScreen } from '../screens/run.ts';
import { keepScreenshot, type LaunchedApp } from './launch/launch-app.ts';

export interface Secrets {
  readonly pin: string;
  readonly soPin: string;
  /** For a value that goes into a Secret at a push. */
  readonly secretValue?: string;
  /** For measurements: a picture holds main up while it is taken. */
  readonly withoutPictures?: true;
  /** Called with the first prompt, before it is answered. */
  readonly beforeFirst?: (prompt: Page) => Promise<void>;
}

export async function readView(page: Page): Promise<AppView> {
  const answer: unknown = await page.evaluate(() => {
    const bridge = Reflect.get(window, 'custodian') as { call(name: string, request: unknown): Promise<unknown> };
    return bridge.call('view.get', {});
  });
  if (typeof answer !== 'object' || answer === null || !('value' in answer)) throw new Error('the window gave no view');
  return appViewSchema.parse(answer.value);
}

/** The newest run of a workflow. */
export async function readRun(page: Page, workflow: RunView['workflow']): Promise<RunView | undefined> {
  return (await readView(page)).runs.find((run) => run.workflow === workflow);
}

/** The prompt window that is open now. */
export function findPrompt(app: LaunchedApp): Page | undefined {
  return app.application.windows().find((page) => page.url().startsWith('app://prompt') && !page.isClosed());
}

/** Does the last thing in a prompt and waits until it is gone. The window may close before the key or click is reported done. */
export async function closePromptBy(page: Page, act: () => Promise<void>): Promise<void> {
  const closed = page.waitForEvent('close');
  await act().catch((cause: unknown) => {
    if (!page.isClosed()) throw cause;
  });
  await closed;
}

/** Answers the prompt that is open. */
export async function answerPrompt(page: Page, secrets: Secrets, seen: Set<string>): Promise<void> {
  const prompt = new PromptScreen(page);
  await prompt.title.waitFor();
  const title = await prompt.title.innerText();
  if (!seen.has(title) && secrets.withoutPictures !== true)
    await keepScreenshot(page, `prompt-${title.toLowerCase().replaceAll(/[^a-z]+/gu, '-')}`);
  if (seen.size === 0) await secrets.beforeFirst?.(page);
  seen.add(title);
  // A SmartCard-HSM's new SO-PIN is made in the prompt unless the person brings one.
  if ((await prompt.ownSoPin.count()) > 0) await prompt.ownSoPin.click();
  if (secrets.secretValue !== undefined && (await prompt.field('Value').count()) > 0) {
    await prompt.typeInto('Value', secrets.secretValue);
    if ((await prompt.field('Value again').count()) > 0) await prompt.typeInto('Value again', secrets.secretValue);
    await closePromptBy(page, () => page.getByRole('button', { name: 'Hand over' }).click());
    return;
  }
  for (const role of ['SO-PIN', 'PIN'] as const) {
    if ((await prompt.field(role).count()) === 0) continue;
    const keys = role === 'PIN' ? secrets.pin : secrets.soPin;
    await prompt.typeInto(role, keys);
    if ((await prompt.field(`${role} again`).count()) > 0) await prompt.typeInto(`${role} again`, keys);
    await closePromptBy(page, () => page.getByRole('button', { name: 'Hand over' }).click());
    return;
  }
  throw new Error(`the prompt "${title}" asks for no PIN`);
}

/** @returns the run as it ended */
export async function driveRunToEnd(
  app: LaunchedApp,
  page: Page,
  workflow: RunView['workflow'],
  secrets: Secrets,
): Promise<RunView> {
  const screen = new RunScreen(page);
  const seen = new Set<string>();
  const deadline = Date.now() + 120_000;
  for (;;) {
    if (Date.now() > deadline) throw new Error(`the run did not end: ${JSON.stringify(await readRun(page, workflow))}`);
    const prompt = findPrompt(app);
    if (prompt !== undefined) {
      await answerPrompt(prompt, secrets, seen);
      continue;
    }
    const run = await readRun(page, workflow);
    if (run !== undefined && run.status !== 'open') {
      await expect(screen.completed).toBeVisible();
      if (secrets.withoutPictures !== true) await keepScreenshot(page, `run-${workflow}-ended`);
      return run;
    }
    const step = run?.steps.find((candidate) => ['current', 'failed'].includes(candidate.status));
    if (run?.busy === false && step !== undefined) {
      expect(step.problem, `${step.title}: ${JSON.stringify(step.problem)}`).toBe(null);
      if (!seen.has(step.id) && secrets.withoutPictures !== true)
        await keepScreenshot(page, `run-${workflow}-${step.id.replaceAll(/[^a-z0-9]+/giu, '-')}`);
      seen.add(step.id);
      if (step.danger !== null && step.danger.typedName !== '') await screen.typeName(step.danger.typedName);
      await screen.mainButton(step.action).click();
    }
    await page.waitForTimeout(150);
  }
}
