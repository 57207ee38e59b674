import type { Locator, Page } from '@playwright/test';
import { openSection } from './controls.ts';

export class JournalScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Journal');
  }

  row(title: string | RegExp): Locator {
    return this.page.getByRole('row').filter({ hasText: title });
  }

  /** @returns the dialog with the outcome */
  async verify(title: string): Promise<Locator> {
    await this.page
      .getByRole('button', { name: `Verify ${title}` })
      .first()
      .click();
    return this.page.getByRole('dialog', { name: 'Verification' });
  }

  get verifyFile(): Locator {
    return this.page.getByRole('button', { name: 'Verify a file…' });
  }
}
