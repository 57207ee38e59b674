/** What page objects share: choosing from a picker and moving by the navigation. */
import type { Locator, Page } from '@playwright/test';

export type Section = 'Home' | 'Devices' | 'Vaults' | 'Clusters' | 'Runs' | 'Journal' | 'Settings';

/** Goes by the left navigation and waits for the page's heading. */
export async function openSection(page: Page, section: Section): Promise<void> {
  await page
    .getByRole('navigation', { name: 'Main' })
    .getByRole('button', { name: new RegExp(`^${section}:`, 'u') })
    .click();
  await page.getByRole('heading', { level: 1, name: section, exact: true }).waitFor();
}

/** The button of a picker: its name is the field's label with the value. */
export function picker(scope: Page | Locator, label: string): Locator {
  return scope.getByRole('button', { name: new RegExp(`(^|\\s)${escapeForPattern(label)}$`, 'u') });
}

export async function choose(page: Page, label: string, option: string | RegExp): Promise<void> {
  await picker(page, label).click();
  await page.getByRole('option', { name: option }).click();
}

/** A radio is drawn by its label; the input itself is hidden. */
export async function chooseRadio(page: Page, group: string, choice: string): Promise<void> {
  await page.getByRole('radiogroup', { name: group }).locator('label').filter({ hasText: choice }).click();
}

export function escapeForPattern(words: string): string {
  return words.replace(/[.*+?^${}()|[\]\\]/gu, '\\$&');
}
