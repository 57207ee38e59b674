import type { Locator, Page } from '@playwright/test';
import { choose, openSection } from './controls.ts';

export class ClustersScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async open(): Promise<void> {
    await openSection(this.page, 'Clusters');
  }

  card(context: string): Locator {
    return this.page.getByRole('region', { name: context, exact: true });
  }

  async details(context: string): Promise<void> {
    await this.page.getByRole('button', { name: `Open ${context}`, exact: true }).click();
    await this.page.getByRole('heading', { level: 1, name: context, exact: true }).waitFor();
  }

  async pushTo(context: string): Promise<void> {
    await this.page.getByRole('button', { name: `Push a recipe to ${context}` }).click();
  }

  async openTab(name: 'Overview' | 'Pushes' | 'Contents'): Promise<void> {
    await this.page.getByRole('tab', { name: new RegExp(`^${name}`, 'u') }).click();
  }

  /** Asks the server what it grants for a recipe. */
  async askRights(recipe: string): Promise<void> {
    await choose(this.page, 'Recipe', recipe);
    await this.page.getByRole('button', { name: 'Ask the server' }).click();
  }

  get rights(): Locator {
    return this.page.getByRole('table', { name: 'Rights' });
  }

  push(recipe: string): Locator {
    return this.page.getByRole('region', { name: recipe, exact: true });
  }

  async compare(recipe: string): Promise<void> {
    await this.page.getByRole('button', { name: `Compare ${recipe} with what is live now` }).click();
  }

  async undo(recipe: string): Promise<void> {
    await this.page.getByRole('button', { name: `Undo ${recipe}` }).click();
  }

  /** Shows the names of a kind; they are read page by page. */
  async listNames(kind: 'Nodes' | 'Namespaces' | 'Secrets' | 'ConfigMaps'): Promise<Locator> {
    await choose(this.page, 'Show', kind);
    return this.page.getByRole('listbox', { name: kind });
  }
}

export class RecipeScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  async choose(recipe: string): Promise<void> {
    await this.page.getByRole('button', { name: `Choose: ${recipe}` }).click();
    await this.page.getByRole('heading', { level: 1, name: recipe }).waitFor();
  }

  field(label: string): Locator {
    return this.page.getByRole('textbox', { name: label, exact: true });
  }

  async fill(label: string, value: string): Promise<void> {
    await this.field(label).fill(value);
  }

  tick(label: string): Locator {
    return this.page.locator('label').filter({ hasText: label });
  }

  get manifest(): Locator {
    return this.page.getByRole('list', { name: 'Manifest' });
  }

  get fits(): Locator {
    return this.page.getByText('Everything fits');
  }

  get needsALook(): Locator {
    return this.page.getByText(/fields? needs? a look/u);
  }

  async preview(context: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Preview', exact: true }).click();
    await this.page.getByRole('heading', { level: 1, name: `What would change in ${context}` }).waitFor();
  }

  diff(object: string): Locator {
    return this.page.getByRole('list', { name: `What changes in ${object}` });
  }

  get push(): Locator {
    return this.page.getByRole('button', { name: 'Push…', exact: true });
  }
}
