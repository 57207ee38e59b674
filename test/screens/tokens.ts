import type { Locator, Page } from '@playwright/test';
import { openSection } from './controls.ts';

export class TokensScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Devices');
  }

  store(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  /** @param title the token's label, or "New token, slot N" */
  card(title: string): Locator {
    return this.page.getByRole('region', { name: title, exact: true });
  }

  async setUp(title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Set up this token: ${title}` }).click();
  }

  async inspect(title: string): Promise<void> {
    await this.card(title)
      .getByRole('button', { name: /^(Show keys and objects|Read again)/u })
      .click();
  }

  keyWords(keyLabel: string): Locator {
    return this.page.getByRole('list', { name: `PGP words of ${keyLabel}` }).getByRole('listitem');
  }

  get refresh(): Locator {
    return this.page.getByRole('button', { name: 'Look again' });
  }

  get addModule(): Locator {
    return this.page.getByRole('button', { name: 'Add a PKCS#11 module' });
  }

  get addModuleDialog(): Locator {
    return this.page.getByRole('dialog', { name: 'Add a PKCS#11 module' });
  }
}
