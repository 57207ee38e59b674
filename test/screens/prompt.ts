/** The prompt window: what is typed goes by the keyboard only, since pasting and filling are refused. */
import type { Locator, Page } from '@playwright/test';

export type PromptField =
  | 'PIN'
  | 'PIN again'
  | 'SO-PIN'
  | 'SO-PIN again'
  | 'The SO-PIN from your paper'
  | 'Password'
  | 'Password again'
  | 'Value'
  | 'Value again'
  | 'Piece'
  | 'Token'
  | 'The piece from your paper'
  | 'Key share'
  | 'The share from your paper';

export class PromptScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get title(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  get problem(): Locator {
    return this.page.getByRole('alert');
  }

  get cancel(): Locator {
    return this.page.getByRole('button', { name: 'Cancel' });
  }

  get consent(): Locator {
    return this.page.locator('label').filter({ hasText: 'I know that a wrong try now locks the token' });
  }

  /** The choice that lets a person type a new SO-PIN of their own. */
  get ownSoPin(): Locator {
    return this.page.locator('label').filter({ hasText: 'Type my own' });
  }

  field(label: PromptField): Locator {
    return this.page.getByLabel(label, { exact: true });
  }

  async typeInto(label: PromptField, keys: string): Promise<void> {
    await this.field(label).focus();
    await this.page.keyboard.type(keys);
  }

  /** An existing PIN, handed over. */
  async givePin(role: 'PIN' | 'SO-PIN', keys: string): Promise<void> {
    await this.typeInto(role, keys);
    await this.page.getByRole('button', { name: 'Hand over' }).click();
  }

  /** A new PIN, typed twice and handed over. */
  async giveNewPin(role: 'PIN' | 'SO-PIN', keys: string): Promise<void> {
    await this.typeInto(role, keys);
    await this.typeInto(`${role} again`, keys);
    await this.page.getByRole('button', { name: 'Hand over' }).click();
  }

  async giveShare(keys: string): Promise<void> {
    await this.typeInto('Key share', keys);
    await this.page.getByRole('button', { name: 'Present it' }).click();
  }

  async showShare(custodian: string): Promise<void> {
    await this.page.getByRole('button', { name: `Show the share to ${custodian}` }).click();
  }

  /** The share on the canvas has no text; a test hears it as a screen reader would. @returns the share as typed */
  async hearShare(): Promise<string> {
    await this.page.getByRole('button', { name: 'Read aloud' }).click();
    const lines = await this.page.locator('[aria-live="assertive"] p').allTextContents();
    return lines.map((line) => line.replace(/^Line \d+:/u, '').replaceAll(' ', '')).join('');
  }

  async writtenDown(): Promise<void> {
    await this.page.getByRole('button', { name: 'I have written it down' }).click();
  }

  async typeBack(keys: string): Promise<void> {
    await this.typeInto('The share from your paper', keys);
    await this.page.getByRole('button', { name: 'Compare' }).click();
  }

  get lookAgain(): Locator {
    return this.page.getByRole('button', { name: 'Look again' });
  }
}
