import type { Locator, Page } from '@playwright/test';
import { choose, chooseRadio } from './controls.ts';

export class TokenSetupPlanScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1, name: 'Set up a token' });
  }

  async chooseToken(option: string | RegExp): Promise<void> {
    await choose(this.page, 'Token', option);
  }

  get label(): Locator {
    return this.page.getByRole('textbox', { name: 'Token label' });
  }

  get keyLabel(): Locator {
    return this.page.getByRole('textbox', { name: 'Key label' });
  }

  async chooseBits(bits: 2048 | 3072 | 4096): Promise<void> {
    await chooseRadio(this.page, 'Key length', `RSA ${String(bits)}`);
  }

  async chooseMode(mode: 'Erase and initialise it' | 'Keep it, make a wrapping key only'): Promise<void> {
    await chooseRadio(this.page, 'What shall be done with it?', mode);
  }

  get start(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true });
  }
}
