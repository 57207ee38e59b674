import type { Locator, Page } from '@playwright/test';
import { chooseRadio, openSection } from './controls.ts';

export class VaultsScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Vaults');
  }

  card(name: string): Locator {
    return this.page.getByRole('region', { name, exact: true });
  }

  async details(name: string): Promise<void> {
    await this.page.getByRole('button', { name: `Details: ${name}` }).click();
  }

  async unseal(name: string): Promise<void> {
    await this.page
      .getByRole('button', { name: `Unseal ${name}` })
      .first()
      .click();
  }

  async initialize(name: string): Promise<void> {
    await this.page
      .getByRole('button', { name: `Initialise ${name}` })
      .first()
      .click();
  }

  get addDialog(): Locator {
    return this.page.getByRole('dialog', { name: 'Add a server' });
  }

  async fillNew(name: string, addresses: readonly string[]): Promise<void> {
    await this.page.getByRole('button', { name: 'Add a server' }).click();
    await this.addDialog.getByRole('textbox', { name: 'Name' }).fill(name);
    await this.addDialog.getByRole('textbox', { name: 'Addresses' }).fill(addresses.join('\n'));
  }

  async chooseTrust(choice: 'By this machine' | 'By a CA file' | 'By comparing the certificate myself'): Promise<void> {
    await chooseRadio(this.page, 'How is its certificate trusted?', choice);
  }

  /** Fetches the certificate and says that it was compared. */
  async pinCertificate(): Promise<void> {
    await this.chooseTrust('By comparing the certificate myself');
    await this.addDialog.getByRole('button', { name: 'Fetch the certificate' }).click();
    await this.addDialog.locator('label').filter({ hasText: 'I have compared this fingerprint' }).click();
  }

  get confirmAdd(): Locator {
    return this.addDialog.getByRole('button', { name: 'Reach it and add' });
  }
}
