import type { Locator, Page } from '@playwright/test';
import { choose } from './controls.ts';

export class UnsealPlanScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: 'Unseal a Vault' });
  }

  async chooseVault(name: string | RegExp): Promise<void> {
    await choose(this.page, 'Vault', name);
  }

  get nodes(): Locator {
    return this.page.getByRole('list', { name: 'Nodes that will be unsealed' }).getByRole('listitem');
  }

  get useToken(): Locator {
    return this.page.getByRole('button', { name: 'Use shares from a token' });
  }

  /** Adds a custodian who types, as the next source. */
  async addTyped(custodian: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add a custodian who types' }).click();
    await this.page
      .getByRole('textbox', { name: /^Custodian for source/u })
      .last()
      .fill(custodian);
  }

  /** @param source counted from 1 */
  async removeSource(source: number): Promise<void> {
    await this.page.getByRole('button', { name: `Remove source ${String(source)}` }).click();
  }

  get start(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true });
  }
}
