import type { Locator, Page } from '@playwright/test';
import { choose, chooseRadio } from './controls.ts';

export class VaultInitPlanScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: 'Initialise a Vault' });
  }

  async chooseVault(name: string | RegExp): Promise<void> {
    await choose(this.page, 'Vault', name);
  }

  async chooseToken(option: string | RegExp): Promise<void> {
    await choose(this.page, 'Token that protects the shares', option);
  }

  async chooseKey(option: string | RegExp): Promise<void> {
    await choose(this.page, 'Wrapping key', option);
  }

  async setShares(shares: number, threshold: number): Promise<void> {
    await this.#setNumber('Shares', shares);
    await this.#setNumber('Threshold', threshold);
  }

  async #setNumber(label: string, value: number): Promise<void> {
    const field = this.page.getByRole('textbox', { name: label, exact: true });
    await field.fill(String(value));
    // The number counts once the field is left.
    await field.press('Tab');
  }

  get sentence(): Locator {
    return this.page.getByText(/shares open this Vault|shares are needed|One share opens/u);
  }

  /** @param share counted from 1 */
  async sendShare(
    share: number,
    kind: 'on the token' | 'to a PGP key' | 'shown to a custodian',
    custodian = '',
  ): Promise<void> {
    await choose(this.page, `Share ${String(share)} goes`, new RegExp(`^${kind}`, 'u'));
    if (custodian !== '')
      await this.page
        .getByRole('textbox', { name: `Custodian of share ${String(share)}`, exact: true })
        .fill(custodian);
  }

  async sendAllToToken(): Promise<void> {
    await this.page.getByRole('button', { name: 'All on the token' }).click();
  }

  async chooseRootToken(choice: 'Revoked at the end' | 'Stored on the token' | 'Sent to a PGP key'): Promise<void> {
    await chooseRadio(this.page, 'What becomes of the root token?', choice);
  }

  get start(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true });
  }
}
