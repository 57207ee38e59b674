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

  /** Allows a program or file, after the dialog that shows it whole. */
  async allow(path: string): Promise<void> {
    await this.page.getByRole('button', { name: `Allow ${path}` }).click();
    await this.page
      .getByRole('alertdialog', { name: 'Allow this to be used?' })
      .getByRole('button', { name: 'Allow it' })
      .click();
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

  /** The system's folder dialog follows. */
  async save(output: 'As manifests' | 'For kustomize' | 'As Helm values'): Promise<void> {
    await this.page.getByRole('button', { name: 'Save…' }).click();
    await this.page.getByRole('menuitem', { name: output }).click();
  }
}

/** What a push would change. */
export class PreviewScreen {
  readonly page: Page;
  constructor(page: Page) {
    this.page = page;
  }

  get push(): Locator {
    return this.page.getByRole('button', { name: 'Push…', exact: true });
  }

  get back(): Locator {
    return this.page.getByRole('button', { name: 'Change the recipe' });
  }

  get missingRights(): Locator {
    return this.page.getByRole('region', { name: /rights? (?:is|are) missing$/u });
  }

  get saveRights(): Locator {
    return this.page.getByRole('button', { name: 'Save the rule…' });
  }

  conflictsOf(manager: string): Locator {
    return this.page.getByText(`${manager} owns these fields`);
  }

  /** The tick by which fields are taken over from their managers. */
  get takeOver(): Locator {
    return this.page.locator('label').filter({ hasText: /^Take \d+ fields? over/u });
  }
}
