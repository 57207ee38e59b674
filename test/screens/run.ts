import type { Locator, Page } from '@playwright/test';

export class RunScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  get steps(): Locator {
    return this.page.getByRole('region', { name: 'Steps' }).getByRole('listitem');
  }

  step(title: string | RegExp): Locator {
    return this.steps.filter({ hasText: title });
  }

  get currentStep(): Locator {
    return this.page.locator('[aria-current="step"]');
  }

  /** The one main button; its words are the step's own, or "Try again". */
  mainButton(action: string | RegExp): Locator {
    return this.page.getByRole('main').getByRole('button', { name: action });
  }

  /** For a dangerous step: types the name that it asks for. */
  async typeName(name: string): Promise<void> {
    await this.typedName(name).fill(name);
  }

  typedName(name: string): Locator {
    return this.page.getByRole('textbox', { name: `Type “${name}” to go on` });
  }

  get working(): Locator {
    return this.page.getByRole('main').getByRole('progressbar');
  }

  get problem(): Locator {
    return this.page.getByRole('main').getByRole('group', { name: 'Something went wrong' });
  }

  get evidence(): Locator {
    return this.page.getByRole('region', { name: 'Evidence' });
  }

  get gauge(): Locator {
    return this.page.getByRole('meter', { name: 'Shares presented' });
  }

  get completed(): Locator {
    return this.page.getByText('Every step is done and written down.');
  }

  async noteDeviation(words: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Note a deviation' }).click();
    const dialog = this.page.getByRole('dialog', { name: 'Note a deviation' });
    await dialog.getByRole('textbox', { name: 'What happened' }).fill(words);
    await dialog.getByRole('button', { name: 'Write it down' }).click();
  }

  async abandon(subject: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Abandon this run' }).click();
    const dialog = this.page.getByRole('alertdialog', { name: 'Abandon this run?' });
    await dialog.getByRole('textbox').fill(subject);
    await dialog.getByRole('button', { name: 'Abandon it' }).click();
  }

  /** The system's file dialog follows. */
  async saveTranscript(format: 'As a page (HTML)' | 'As PDF' | 'For machines (JSON Lines)'): Promise<void> {
    await this.page.getByRole('button', { name: 'Save the transcript' }).click();
    await this.page.getByRole('menuitem', { name: format }).click();
  }

  async verifyJournal(): Promise<Locator> {
    await this.page.getByRole('button', { name: 'Verify the journal' }).click();
    return this.page.getByRole('dialog', { name: 'Verification' });
  }
}
