import type { Locator, Page } from '@playwright/test';
import { openSection } from './controls.ts';

/** The Devices page: every token, what is plugged in and cannot be used, readers and USB. */
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

  /** @param title the token's label, "New device SERIAL" or "New token, slot N" */
  card(title: string): Locator {
    return this.page.getByRole('region', { name: title, exact: true });
  }

  async setUp(title: string): Promise<void> {
    await this.page.getByRole('button', { name: `Set up this token: ${title}` }).click();
  }

  /** Goes to the token's own page. */
  async openToken(title: string): Promise<void> {
    await this.page
      .getByRole('main')
      .getByRole('button', { name: `Open ${title}`, exact: true })
      .click();
    await this.page.getByRole('heading', { level: 1, name: title }).waitFor();
  }

  /** What is measured on a card: "PIN", "SO-PIN", "Key backup", "Key check value". */
  reading(title: string, name: string): Locator {
    return this.card(title).locator('dl > div').filter({ hasText: name }).locator('dd');
  }

  memory(title: string): Locator {
    return this.card(title).getByRole('meter', { name: 'Memory' });
  }

  /** @param title what is wrong, such as "The card service is not running" */
  problem(title: string | RegExp): Locator {
    return this.page.getByRole('region', { name: title });
  }

  get connections(): Locator {
    return this.page.getByRole('region', { name: 'What the readers and the USB bus show' }).getByRole('listitem');
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
