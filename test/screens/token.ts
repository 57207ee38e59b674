import type { Locator, Page } from '@playwright/test';

export type TokenTabTitle = 'Overview' | 'Objects' | 'Values' | 'Backup' | 'PINs' | 'Erase';

/** A token's own page. */
export class TokenScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }

  async openTab(title: TokenTabTitle): Promise<void> {
    const tab = this.page.getByRole('tab', { name: title });
    await tab.click();
    await tab.and(this.page.locator('[aria-selected="true"]')).waitFor();
  }

  get readAgain(): Locator {
    return this.page.getByRole('button', { name: 'Read again' });
  }

  keyWords(keyLabel: string): Locator {
    return this.page.getByRole('list', { name: `PGP words of ${keyLabel}` }).getByRole('listitem');
  }

  get tryKeys(): Locator {
    return this.page.getByRole('button', { name: /^Try (every key|keys and attestation)$/u });
  }

  get objects(): Locator {
    return this.page.getByRole('list', { name: 'Objects on this token' }).locator(':scope > li');
  }

  async find(words: string): Promise<void> {
    await this.page.getByRole('searchbox', { name: 'Find by label, id or kind' }).fill(words);
  }

  async show(kind: 'All' | 'Keys' | 'Certificates' | 'Data objects'): Promise<void> {
    await this.page.getByRole('radio', { name: kind, exact: true }).click();
  }

  /** Opens one object's row. */
  async openObject(label: string): Promise<Locator> {
    const row = this.objects.filter({ hasText: label }).first();
    await row.getByRole('heading', { level: 3 }).getByRole('button').click();
    return row;
  }

  get storeCertificate(): Locator {
    return this.page.getByRole('button', { name: 'Store a certificate' });
  }

  /** Begins the run that deletes it; the run asks for its name. */
  deleteObject(label: string): Locator {
    return this.page.getByRole('button', { name: `Delete ${label}` });
  }

  get checkValues(): Locator {
    return this.page.getByRole('button', { name: /^Check (every value|and repair)$/u });
  }

  readOut(valueLabel: string): Locator {
    return this.page.getByRole('button', { name: `Read out ${valueLabel}` });
  }

  get rewrap(): Locator {
    return this.page.getByRole('button', { name: 'Encrypt under another key…' });
  }

  get copyIntoSecret(): Locator {
    return this.page.getByRole('button', { name: 'Copy into a Secret…' });
  }

  get drill(): Locator {
    return this.page.getByRole('button', { name: 'Begin a backup drill…' });
  }

  get clone(): Locator {
    return this.page.getByRole('button', { name: 'Clone to another device…' });
  }

  pinAct(
    act: 'Change the PIN…' | 'Unblock the PIN…' | 'Set a new PIN with the SO-PIN…' | 'Change the SO-PIN…',
  ): Locator {
    return this.page.getByRole('button', { name: act });
  }

  get beginErasing(): Locator {
    return this.page.getByRole('button', { name: 'Begin erasing…' });
  }
}
