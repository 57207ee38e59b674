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
    await chooseRadio(this.page, 'Kind of key', `RSA ${String(bits)}`);
  }

  async chooseMode(mode: 'Erase and initialise it' | 'Keep it, make a wrapping key only'): Promise<void> {
    await chooseRadio(this.page, 'What shall be done with it?', mode);
  }

  /** For a SmartCard-HSM: how its keys can be backed up. */
  async chooseBackup(
    kind: 'With a DKEK made of shares' | 'With a DKEK that the device makes itself' | 'Not at all',
  ): Promise<void> {
    await chooseRadio(this.page, 'How shall keys of this device be backed up?', kind);
  }

  async chooseDkek(origin: 'A new one' | 'The one of another device'): Promise<void> {
    await chooseRadio(this.page, 'Which DKEK?', origin);
  }

  async protectShare(
    share: number,
    kind: 'By one custodian’s password' | 'By several custodians together',
  ): Promise<void> {
    await chooseRadio(this.page, `How share ${String(share)} is opened`, kind);
  }

  /** The one custodian's name, or the names one a line. */
  custodians(share: number): Locator {
    return this.page.getByRole('textbox', { name: new RegExp(`^Custodians? of share ${String(share)}`, 'u') });
  }

  /** The system's file dialog follows. */
  shareFile(share: number): Locator {
    return this.page
      .getByRole('group', { name: `Share ${String(share)}`, exact: true })
      .getByRole('button', { name: /share file|Another file/u });
  }

  get keyCheckValue(): Locator {
    return this.page.getByRole('textbox', { name: 'Key check value that must come out' });
  }

  async chooseSoPin(current: 'The factory’s, which is public' | 'One that its holder types'): Promise<void> {
    await chooseRadio(this.page, 'SO-PIN in force now', current);
  }

  get soPinHolder(): Locator {
    return this.page.getByRole('textbox', { name: 'Keeper of the SO-PIN' });
  }

  get pinHolder(): Locator {
    return this.page.getByRole('textbox', { name: 'Keeper of the PIN', exact: true });
  }

  get start(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true });
  }
}
