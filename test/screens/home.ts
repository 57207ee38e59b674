import type { Locator, Page } from '@playwright/test';
import { openSection } from './controls.ts';

export type RehearsalPartTitle = 'Set up a token' | 'Initialise the Vault' | 'Unseal';

export class HomeScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Home');
  }

  /** Shown while no rehearsal is on; says "Try again" after a failure. */
  get startRehearsal(): Locator {
    return this.page.getByRole('button', { name: 'Start a rehearsal' });
  }

  get rehearsalProgress(): Locator {
    return this.page.getByRole('region', { name: 'Rehearse the whole job' }).getByRole('progressbar');
  }

  /** The three cards; there once the rehearsal is ready. */
  get rehearsalPath(): Locator {
    return this.page.getByRole('region', { name: 'The rehearsal, in three parts' });
  }

  part(title: RehearsalPartTitle): Locator {
    return this.rehearsalPath
      .getByRole('listitem')
      .filter({ has: this.page.getByRole('heading', { name: title, exact: true }) });
  }

  async beginPart(title: RehearsalPartTitle): Promise<void> {
    await this.part(title).getByRole('button').click();
  }

  /** Part three while the Vault is open: restarts it and waits until the unseal can begin. */
  async sealByRestart(): Promise<void> {
    await this.part('Unseal').getByRole('button', { name: 'Seal it by a restart: Unseal' }).click();
    await this.part('Unseal').getByRole('button', { name: 'Begin: Unseal' }).waitFor();
  }

  get rehearsalBand(): Locator {
    return this.page.getByRole('region', { name: 'Rehearsal', exact: true });
  }

  async discardRehearsal(): Promise<void> {
    await this.rehearsalBand.getByRole('button', { name: 'Throw the rehearsal away' }).click();
    await this.page
      .getByRole('alertdialog', { name: 'Throw the rehearsal away?' })
      .getByRole('button', { name: 'Throw it away' })
      .click();
  }

  get lock(): Locator {
    return this.page.getByRole('button', { name: 'Lock now' });
  }

  get lockedHeading(): Locator {
    return this.page.getByRole('heading', { name: 'Locked' });
  }

  async unlock(): Promise<void> {
    await this.page.getByRole('button', { name: 'Continue' }).click();
  }

  panel(title: 'Waits for me' | 'Vault servers' | 'Devices' | 'What was done last'): Locator {
    return this.page.getByRole('region', { name: title });
  }
}
