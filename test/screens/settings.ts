import type { Locator, Page } from '@playwright/test';
import { chooseRadio, openSection } from './controls.ts';

export class SettingsScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Settings');
  }

  async chooseTheme(theme: 'As the desktop' | 'Light' | 'Dark'): Promise<void> {
    await chooseRadio(this.page, 'Theme', theme);
  }

  get lockAfter(): Locator {
    return this.page.getByRole('textbox', { name: 'Lock after minutes without input' });
  }

  async nameOperator(name: string): Promise<void> {
    await this.page.getByRole('textbox', { name: 'Name' }).fill(name);
    await this.page.getByRole('button', { name: 'Save', exact: true }).click();
  }
}
