/** What somebody does who cannot use a mouse: Tab, arrows, Enter and typing. */
import { expect, type Locator, type Page } from '@playwright/test';

/** More than any page has to tab through. */
const mostPresses = 80;

/** Whether the focus is on it; false where it is not there (any more). */
const isFocused = (target: Locator): Promise<boolean> =>
  target.evaluateAll((found) => found.some((element) => element === document.activeElement));

/** Whether the focus is on it or in it. */
const hasFocus = (target: Locator): Promise<boolean> =>
  target.evaluateAll((found) => found.some((element) => element.contains(document.activeElement)));

async function pressTabUntil(page: Page, arrived: () => Promise<boolean>): Promise<boolean> {
  for (let presses = 0; presses < mostPresses; presses += 1) {
    if (await arrived()) return true;
    await page.keyboard.press('Tab');
  }
  return false;
}

async function expectVisibleFocus(target: Locator): Promise<void> {
  const { outlineStyle, boxShadow } = await target.evaluate((element) => {
    const style = getComputedStyle(element);
    return { outlineStyle: style.outlineStyle, boxShadow: style.boxShadow };
  });
  expect(outlineStyle !== 'none' || boxShadow !== 'none', 'the focus can be seen').toBe(true);
}

/** Presses Tab until the element has the focus, and sees that the focus shows. */
export async function tabTo(page: Page, target: Locator): Promise<void> {
  await target.waitFor({ state: 'attached' });
  if (!(await pressTabUntil(page, () => isFocused(target)))) throw new Error(`Tab does not lead to ${String(target)}`);
  await expectVisibleFocus(target);
}

/** Presses Tab to something, and then Enter. */
export async function press(page: Page, target: Locator): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press('Enter');
}

/** The same with what may go away by itself while Tab is pressed. @returns whether Enter was pressed on it */
export async function pressIfThere(page: Page, target: Locator): Promise<boolean> {
  const arrived = await pressTabUntil(page, async () => (await isFocused(target)) || (await target.count()) === 0);
  if (!arrived) throw new Error(`Tab does not lead to ${String(target)}`);
  if (!(await isFocused(target))) return false;
  await page.keyboard.press('Enter');
  return true;
}

/** Replaces what is in a field. */
export async function typeInto(page: Page, target: Locator, words: string): Promise<void> {
  await tabTo(page, target);
  await page.keyboard.press('Control+A');
  await page.keyboard.type(words);
}

/** Tabs to a group of radios, wherever in it the focus comes to be, and goes by the arrows to one of them. */
export async function chooseByArrows(page: Page, group: string | RegExp, choice: string | RegExp): Promise<void> {
  const radios = page.getByRole('radiogroup', { name: group });
  const wanted = radios.getByRole('radio', { name: choice });
  await wanted.waitFor({ state: 'attached' });
  if (!(await pressTabUntil(page, () => hasFocus(radios)))) throw new Error(`Tab does not lead to ${String(group)}`);
  // A first Space chooses what has the focus where nothing was chosen yet.
  await page.keyboard.press('Space');
  for (let presses = 0; !(await wanted.isChecked()) && presses < 8; presses += 1)
    await page.keyboard.press('ArrowDown');
  await expect(wanted).toBeChecked();
}

/** Tabs to the row of tabs and goes by the arrows to one of them, as React Aria has it: Enter opens it. */
export async function openTab(page: Page, title: string): Promise<void> {
  await tabTo(page, page.getByRole('tab', { selected: true }));
  const tab = page.getByRole('tab', { name: title });
  for (let presses = 0; !(await isFocused(tab)); presses += 1) {
    if (presses === 12) throw new Error(`The arrows do not lead to the tab ${title}`);
    await page.keyboard.press('ArrowRight');
  }
  await page.keyboard.press('Enter');
  await expect(tab).toHaveAttribute('aria-selected', 'true');
}

/** Opens a menu by Enter, goes down by the arrows to one of its acts and takes it. */
export async function chooseFromMenu(page: Page, opener: Locator, act: string): Promise<void> {
  await press(page, opener);
  const item = page.getByRole('menuitem', { name: act });
  await item.waitFor();
  for (let presses = 0; !(await isFocused(item)); presses += 1) {
    if (presses === 12) throw new Error(`The arrows do not lead to ${act}`);
    await page.keyboard.press('ArrowDown');
  }
  await page.keyboard.press('Enter');
}

/** Waits until the focus is on something of the page: nobody is left nowhere. */
export async function expectFocusKept(page: Page, when: string): Promise<void> {
  await expect
    .poll(() => page.evaluate(() => document.activeElement !== document.body), `the focus is lost ${when}`)
    .toBe(true);
}

/** Names of everything in the page's main part that can be used and that Tab does not lead to; to radios the arrows do. */
export async function findUnreachable(page: Page): Promise<readonly string[]> {
  for (let presses = 0; presses < mostPresses; presses += 1) {
    await page.evaluate(() => document.activeElement?.setAttribute('data-reached', ''));
    await page.keyboard.press('Tab');
  }
  return page.evaluate(() =>
    [
      ...document.querySelectorAll(
        'main button:not(:disabled):not([role=radio]), main input:not([type=radio]):not(:disabled), main textarea, main a[href]',
      ),
    ]
      .filter(
        (element) =>
          element.closest('[aria-hidden=true]') === null &&
          !element.hasAttribute('data-reached') &&
          element.getAttribute('tabindex') !== '-1',
      )
      .map((element) => element.getAttribute('aria-label') ?? element.textContent),
  );
}
