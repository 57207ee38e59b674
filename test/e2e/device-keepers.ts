/**
 * The people of a SmartCard-HSM at the prompt window: who keep its PIN and SO-PIN, a DKEK share's password, pieces of
 * one. They type key by key and read letter by letter, so that the driver leaves no copy of a secret in the app.
 */
import { expect, type Page } from '@playwright/test';
import type { RunView } from '../../electron/contract/views.ts';
import { PromptScreen, type PromptField } from '../screens/prompt.ts';
import { callContract, findRun } from './contract-calls.ts';
import { closePromptBy, findPrompt } from './drive-run.ts';
import type { LaunchedApp } from './launch/launch-app.ts';

export interface Keepers {
  readonly pin: string;
  readonly dkekPassword: string;
  /** The SO-PIN in force, once there is one that is not the factory's. */
  soPin: string;
  /** What they bring as a new SO-PIN; undefined: the prompt makes one. */
  ownSoPin: string | undefined;
  /** What custodians wrote down, in the order handed out. */
  readonly pieces: string[];
  /** Pieces typed to open a share, in turn. */
  typedPieces: number;
  /** Titles of the prompts that were answered. */
  readonly answered: string[];
  /** Called while a prompt holds what was typed, and what it showed ('' for nothing), before it is handed over. */
  beforeHandingOver: (shown: string) => Promise<void>;
}

/**
 * What a drawing says to a screen reader. Fetched one letter at a time: whatever the driver asks of a page passes
 * through main, so it is asked for no more, and is not told to wait for the text, which it would quote in its log.
 */
async function hear(page: Page): Promise<string> {
  const hearLetter = (index: number): Promise<string> =>
    page.evaluate((wanted) => {
      const lines = Array.from(document.querySelectorAll('[aria-live="assertive"] p'));
      const lettersOf = (line: Element): string[] => line.textContent.replace(/^[^:]*:/u, '').split(' ');
      return lines.flatMap(lettersOf).filter((one) => one !== '')[wanted] ?? '';
    }, index);
  await page.getByRole('button', { name: 'Read aloud' }).click();
  await expect.poll(async () => (await hearLetter(0)).length).toBe(1);
  const letters: string[] = [];
  for (;;) {
    const letter = await hearLetter(letters.length);
    if (letter === '') return letters.join('');
    letters.push(letter);
  }
}

/** Answers the prompt that is open, and waits until it is gone. */
async function answer(keepers: Keepers, page: Page): Promise<void> {
  const screen = new PromptScreen(page);
  await screen.title.waitFor();
  const title = await screen.title.innerText();
  const type = async (label: PromptField, keys: string): Promise<void> => {
    await screen.typeInto(label, keys);
    const again = label === 'PIN' || label === 'SO-PIN' || label === 'Password' ? (`${label} again` as const) : label;
    if (again !== label && (await screen.field(again).count()) > 0) await screen.typeInto(again, keys);
  };
  const press = async (button: string): Promise<void> => {
    await closePromptBy(page, () => page.getByRole('button', { name: button, exact: true }).click());
  };
  /** Shows what is handed out, hears it and types it back. */
  const takeDown = async (show: RegExp, back: PromptField, compare: string): Promise<string> => {
    await page.getByRole('button', { name: show }).click();
    const heard = await hear(page);
    await screen.writtenDown();
    await screen.typeInto(back, heard);
    await keepers.beforeHandingOver(heard);
    await press(compare);
    return heard;
  };
  if (title === 'Choose an SO-PIN' && keepers.ownSoPin === undefined) {
    keepers.soPin = await takeDown(/^Make it and show it$/u, 'The SO-PIN from your paper', 'Compare and hand over');
  } else if (title.startsWith('A piece of a password for')) {
    keepers.pieces.push(await takeDown(/^Show the piece to /u, 'The piece from your paper', 'Compare'));
  } else {
    if (title === 'Choose an SO-PIN') {
      await screen.ownSoPin.click();
      keepers.soPin = keepers.ownSoPin ?? '';
      await type('SO-PIN', keepers.soPin);
    } else if (title === 'Type the SO-PIN') await type('SO-PIN', keepers.soPin);
    else if (title === 'Choose a PIN' || title === 'Type the PIN') await type('PIN', keepers.pin);
    else if (title === 'Choose a password' || title === 'Type the password')
      await type('Password', keepers.dkekPassword);
    else if (title === 'Type your piece of the password') {
      await type('Piece', keepers.pieces[keepers.typedPieces] ?? '');
      keepers.typedPieces += 1;
    } else throw new Error(`nobody answers “${title}”`);
    await keepers.beforeHandingOver('');
    await press('Hand over');
  }
  keepers.answered.push(title);
}

/** Goes on with a run as its main button does, until it is completed; every prompt is answered by its keeper. */
export async function completeRun(app: LaunchedApp, page: Page, runId: string, keepers: Keepers): Promise<RunView> {
  const deadline = Date.now() + 8 * 60_000;
  for (;;) {
    const prompt = findPrompt(app);
    if (prompt !== undefined) await answer(keepers, prompt);
    const run = await findRun(page, runId);
    if (run !== undefined && run.status !== 'open') {
      expect(run.status).toBe('completed');
      return run;
    }
    if (Date.now() > deadline) throw new Error(`the run did not end: ${JSON.stringify(run)}`);
    const step = run?.steps.find((candidate) => ['current', 'failed'].includes(candidate.status));
    if (run?.busy === false && step !== undefined) {
      expect(step.problem, `${step.title}: ${JSON.stringify(step.problem)}`).toBe(null);
      await callContract(page, 'runs.continue', { runId, typedName: step.danger?.typedName ?? '' });
    }
    await page.waitForTimeout(150);
  }
}
