/**
 * The prompts that a SmartCard-HSM needs, in the packaged app's own prompt window: each by the keyboard alone,
 * as a screen reader names it, light and dark. The window is opened by a run; what it is asked to show and what
 * becomes of its answers is put in its place in main, so that every variant is met without a device.
 */
import { expect, test, type Page } from '@playwright/test';
import type { PromptView } from '../../electron/contract/prompt.ts';
import {
  createSealingKeyPair,
  openSecret,
  sealSecret,
  type SealedSecret,
  type SealingKeyPair,
} from '../../electron/sealing/sealed.ts';
import { PromptScreen } from '../screens/prompt.ts';
import { callContract, startRehearsal, startRun } from './contract-calls.ts';
import { findPrompt } from './drive-run.ts';
import { keepScreenshot, launchApp, type LaunchedApp } from './launch/launch-app.ts';
import { findClippedText, findNameProblems } from './page-inspection.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const subject = {
  rehearsal: false,
  act: 'Initialise the device',
  problem: '',
  tokenLabel: 'Nitrokey for production',
  tokenSerial: 'DENK0104068',
};
const soPin = {
  ...subject,
  id: 'so-pin',
  kind: 'pin',
  role: 'so',
  isNew: true,
  minimumLength: 16,
  maximumLength: 16,
  pinState: 'ok',
  form: 'hex16',
  purpose: 'so-pin of DENK0104068',
} as const;
const password = {
  ...subject,
  id: 'password',
  kind: 'password',
  what: 'Password for DKEK share 1',
  custodian: 'Ada Lovelace',
  isNew: true,
  form: 'password',
  minimumLength: 12,
  purpose: 'dkek share password',
} as const;

let app: LaunchedApp;
let pair: SealingKeyPair;

test.beforeAll(async () => {
  test.setTimeout(5 * 60_000);
  pair = await createSealingKeyPair();
  app = await launchApp();
  const page = await app.window('app://main');
  await page.waitForLoadState();
  const view = await startRehearsal(page);
  const token = view.tokens.find((each) => each.rehearsal);
  if (token === undefined) throw new Error('the rehearsal has no token');
  const runId = await startRun(
    page,
    tokenSetupPlan({
      rehearsal: true,
      storeId: token.storeId,
      storeName: token.storeName,
      slotId: token.slotId,
      expectedSerial: token.serial,
      label: 'prompts',
    }),
  );
  await expect(async () => {
    if (findPrompt(app) === undefined) await callContract(page, 'runs.continue', { runId, typedName: '' });
    expect(findPrompt(app)).toBeDefined();
  }).toPass({ timeout: 60_000 });
  const prompt = findPrompt(app);
  // Loaded whole, before anything is put in its place.
  if (prompt !== undefined) await new PromptScreen(prompt).title.waitFor();
});

test.afterAll(async () => {
  await app.close();
});

/** Shows a prompt in the window that is open, from now on in place of what it was opened for. */
async function show(view: PromptView): Promise<{ readonly page: Page; readonly screen: PromptScreen }> {
  await app.inMain(({ ipcMain }, shown) => {
    const state = { submitted: undefined as unknown, confirmed: false, revealFor: '', sealed: undefined as unknown };
    Reflect.set(globalThis, 'promptUnderTest', state);
    const answer = (name: string, handler: (request: unknown) => unknown): void => {
      ipcMain.removeHandler(`custodian-prompt:${name}`);
      ipcMain.handle(`custodian-prompt:${name}`, async (_event, request) => ({
        ok: true,
        value: await handler(request),
      }));
    };
    answer('prompt.get', () => shown);
    answer('prompt.submit', (request) => {
      state.submitted = request;
      return {};
    });
    answer('prompt.confirm', () => {
      state.confirmed = true;
      return {};
    });
    answer('prompt.reveal', async (request) => {
      state.revealFor = String(Reflect.get(Object(request), 'publicKey'));
      while (state.sealed === undefined) await new Promise((settle) => setTimeout(settle, 20));
      return { sealed: state.sealed };
    });
  }, view);
  const page = findPrompt(app);
  if (page === undefined) throw new Error('no prompt window is open');
  await page.reload();
  const screen = new PromptScreen(page);
  await screen.title.waitFor();
  return { page, screen };
}

const readState = (name: 'submitted' | 'confirmed' | 'revealFor'): Promise<unknown> =>
  app.inMain((_electron, field) => {
    const state: unknown = Reflect.get(globalThis, 'promptUnderTest');
    return Reflect.get(Object(state), field) as unknown;
  }, name);

/** What was handed over, opened as the token host would. */
async function handedOver(purpose: string): Promise<{ readonly text: string; readonly consent: boolean }> {
  await expect.poll(() => readState('submitted')).toBeTruthy();
  const submitted = (await readState('submitted')) as { sealed: SealedSecret; consentToLastTry: boolean };
  const opened = await openSecret(pair, submitted.sealed, purpose);
  if (opened === undefined) throw new Error('what was handed over could not be opened');
  return { text: new TextDecoder().decode(opened), consent: submitted.consentToLastTry };
}

/** Pictures in both themes; named for assistive technology, and nothing cut off. */
async function keepBothThemes(page: Page, name: string): Promise<void> {
  expect(await findNameProblems(page, ['main'])).toEqual([]);
  expect(await findClippedText(page)).toEqual([]);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await keepScreenshot(page, `prompt-${name}-${colorScheme}`);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

const main = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('an SO-PIN is made, shown once, written down and typed back', async () => {
  const { page, screen } = await show({ ...soPin, recipient: pair.publicKey });
  await expect(screen.title).toHaveText('Choose an SO-PIN');
  await expect(page.getByRole('radio', { name: /Make one for me/u })).toBeChecked();
  await keepBothThemes(page, 'so-pin-choice');
  await main(page, 'Make it and show it').focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('img', { name: /SO-PIN, drawn/u })).toBeVisible();
  await keepBothThemes(page, 'so-pin-shown');
  const before = await page.content();
  const digits = await screen.hearShare();
  expect(digits).toMatch(/^[0-9a-f]{16}$/u);
  // Until someone asked to hear it, no element held it.
  expect(before).not.toContain(digits.slice(0, 4));
  await screen.writtenDown();
  const wrong = (digits.startsWith('0') ? '1' : '0') + digits.slice(1);
  await screen.typeInto('The SO-PIN from your paper', wrong);
  await page.keyboard.press('Enter');
  await expect(screen.problem).toContainText('group 1');
  await keepBothThemes(page, 'so-pin-differs');
  expect(await readState('submitted')).toBe(undefined);
  await screen.lookAgain.click();
  expect(await screen.hearShare()).toBe(digits);
  await screen.writtenDown();
  await screen.field('The SO-PIN from your paper').focus();
  for (let key = 0; key < 16; key += 1) await page.keyboard.press('Backspace');
  await page.keyboard.type(digits.toUpperCase().replaceAll(/.{4}/gu, '$& '));
  await page.keyboard.press('Enter');
  expect((await handedOver(soPin.purpose)).text).toBe(digits);
  const after = await page.content();
  expect(after).not.toContain(digits.slice(0, 4));
});

test('one’s own SO-PIN is checked while it is typed, and the public one refused', async () => {
  const { page, screen } = await show({ ...soPin, recipient: pair.publicKey });
  await page.getByRole('radio', { name: /Make one for me/u }).focus();
  await page.keyboard.press('ArrowDown');
  const handOver = main(page, 'Hand over');
  const hint = async (typed: string, words: string): Promise<void> => {
    const field = screen.field('SO-PIN');
    await field.focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Backspace');
    await page.keyboard.type(typed);
    await expect(field).toHaveAccessibleDescription(new RegExp(words, 'u'));
    await expect(handOver).toBeDisabled();
  };
  await hint('0123', 'Not complete yet');
  await hint('012g', 'Only 0 to 9 and a to f');
  await hint('0123456789abcdef0', 'Too long');
  await hint('3537363231383830', 'everybody knows it');
  await screen.typeInto('SO-PIN again', '3537363231383830');
  await expect(handOver).toBeDisabled();
  await keepBothThemes(page, 'so-pin-factory');
  await hint('0123456789ABCDEF', 'Complete');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('Backspace');
  await page.keyboard.type('0123 4567 89ab cdef');
  await expect(handOver).toBeEnabled();
  await page.keyboard.press('Enter');
  expect((await handedOver(soPin.purpose)).text).toBe('0123456789abcdef');
});

test('the SO-PIN in force has its tries shown, and its last one is not used without consent', async () => {
  const { page, screen } = await show({
    ...soPin,
    isNew: false,
    pinState: 'final-try',
    problem: 'The SO-PIN was wrong.',
    recipient: pair.publicKey,
  });
  await expect(screen.title).toHaveText('Type the SO-PIN');
  await expect(page.getByText('This is the last try')).toBeVisible();
  await screen.typeInto('SO-PIN', '00112233445566FF');
  await expect(main(page, 'Hand over')).toBeDisabled();
  await keepBothThemes(page, 'so-pin-last-try');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Space');
  await main(page, 'Hand over').focus();
  await page.keyboard.press('Enter');
  expect(await handedOver(soPin.purpose)).toEqual({ text: '00112233445566ff', consent: true });
});

test('a new password for a DKEK share is typed twice, and nothing is pasted', async () => {
  const { page, screen } = await show({ ...password, recipient: pair.publicKey });
  await expect(screen.title).toHaveText('Choose a password');
  await expect(page.getByText('Only Ada Lovelace types now')).toBeVisible();
  const testPassword = 'Überlang und geübt 12';
  await screen.typeInto('Password', 'too short');
  await expect(screen.field('Password')).toHaveAccessibleDescription(/At least 12 characters/u);
  await screen.typeInto('Password', ' by far');
  await screen.typeInto('Password again', 'too short by fat');
  await expect(main(page, 'Hand over')).toBeDisabled();
  await keepBothThemes(page, 'password-new');
  for (const label of ['Password', 'Password again'] as const) {
    await screen.field(label).focus();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Control+v');
    await page.keyboard.type(testPassword);
  }
  await page.keyboard.press('Enter');
  expect((await handedOver(password.purpose)).text).toBe(testPassword);
});

test('a piece of a password is typed in digits as it was handed out', async () => {
  const { page, screen } = await show({
    ...password,
    what: 'Piece 2 of 3 for DKEK share 1',
    isNew: false,
    form: 'piece',
    minimumLength: 0,
    recipient: pair.publicKey,
  });
  const testPiece = '02c30a1122334455670f223344556677aa';
  await screen.typeInto('Piece', testPiece.slice(0, 30));
  await expect(main(page, 'Hand over')).toBeDisabled();
  await keepBothThemes(page, 'piece');
  await screen.typeInto('Piece', testPiece.slice(30));
  await page.keyboard.press('Enter');
  expect((await handedOver(password.purpose)).text).toBe(testPiece);
});

test('a piece is handed out to one custodian, who types it back', async () => {
  const purpose = 'dkek share piece for display';
  const { page, screen } = await show({
    id: 'hand-out',
    kind: 'hand-out',
    what: 'piece',
    rehearsal: true,
    act: 'Write down piece 2 of 3 and type it back',
    problem: '',
    custodian: 'Ada Lovelace',
    label: 'piece 2 of 3 for DKEK share 1',
    vaultName: '',
    purpose,
  });
  await expect(screen.title).toHaveText('A piece of a password for Ada Lovelace');
  await keepBothThemes(page, 'piece-hand-out');
  await main(page, 'Show the piece to Ada Lovelace').focus();
  await page.keyboard.press('Enter');
  await expect.poll(() => readState('revealFor')).toBeTruthy();
  const testPiece = '02c30a1122334455670f223344556677aa';
  const sealed = await sealSecret(String(await readState('revealFor')), new TextEncoder().encode(testPiece), purpose);
  await app.inMain((_electron, given) => {
    const state: unknown = Reflect.get(globalThis, 'promptUnderTest');
    Reflect.set(Object(state), 'sealed', given);
  }, sealed);
  expect(await screen.hearShare()).toBe(testPiece);
  await keepBothThemes(page, 'piece-shown');
  await screen.writtenDown();
  await screen.typeInto('The piece from your paper', testPiece);
  await page.keyboard.press('Enter');
  await expect.poll(() => readState('confirmed')).toBe(true);
});
