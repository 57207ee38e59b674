/** What a screen must hold to be used by everybody: names, one title, landmarks, and nothing cut off. */
import type { Page } from '@playwright/test';

const interactiveRoles = [
  'button',
  'link',
  'textbox',
  'checkbox',
  'radio',
  'radiogroup',
  'combobox',
  'listbox',
  'option',
  'switch',
  'spinbutton',
  'slider',
  'tab',
  'menuitem',
  'meter',
  'progressbar',
  'dialog',
  'alertdialog',
];

/**
 * Reads the page as assistive technology gets it.
 * @param landmarks roles that must be there
 * @returns what is wrong with it, in words
 */
export async function findNameProblems(page: Page, landmarks: readonly string[]): Promise<readonly string[]> {
  const lines = (await page.locator('body').ariaSnapshot()).split('\n').map((line) => line.trim());
  const problems = lines.filter((line) => {
    const found = /^- (?<role>[a-z]+)(?<rest>.*)$/u.exec(line);
    return (
      interactiveRoles.includes(found?.groups?.['role'] ?? '') && !/^ (?:"|\/)/u.test(found?.groups?.['rest'] ?? '')
    );
  });
  const titles = lines.filter((line) => line.startsWith('- heading') && line.includes('[level=1]'));
  if (titles.length !== 1) problems.push(`${String(titles.length)} headings of level 1: ${titles.join(', ')}`);
  for (const landmark of landmarks)
    if (!lines.some((line) => new RegExp(`^- ${landmark}\\b`, 'u').test(line))) problems.push(`no ${landmark}`);
  return [...problems, ...(await findTreeProblems(page))];
}

/**
 * Reads Chromium's own accessibility tree, which a screen reader gets.
 * @returns what can be focused or is a picture and has no name, and headings that leave out a level
 */
async function findTreeProblems(page: Page): Promise<readonly string[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = await session.send('Accessibility.getFullAXTree');
  await session.detach();
  const problems: string[] = [];
  let level = 0;
  // They come level by level of the tree; they are read as a person meets them.
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const unread = nodes.filter(({ parentId }) => parentId === undefined);
  for (let node = unread.pop(); node !== undefined; node = unread.pop()) {
    for (const child of node.childIds?.toReversed() ?? []) {
      const found = byId.get(child);
      if (found !== undefined) unread.push(found);
    }
    // React Aria says there what a button is doing, by the button's name: nothing is left of it once the button is gone.
    if (node.ignored || byId.get(node.parentId ?? '')?.role?.value === 'log') continue;
    const role = String(node.role?.value);
    const name = String(node.name?.value ?? '').trim();
    const property = (wanted: string): unknown => node.properties?.find((each) => each.name === wanted)?.value.value;
    // The page’s main part is focused to be scrolled, and is the only one.
    if (name === '' && property('focusable') === true && !['RootWebArea', 'main'].includes(role))
      problems.push(`a focusable ${role} without a name`);
    if (name === '' && ['image', 'img', 'graphic'].includes(role)) problems.push(`a picture without a name`);
    if (role !== 'heading') continue;
    const next = Number(property('level'));
    if (next > level + 1) problems.push(`heading “${name}” of level ${String(next)} after one of ${String(level)}`);
    level = next;
  }
  return problems;
}

/** @returns each text that is cut off or runs out of the window sideways, with how far */
export async function findClippedText(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    const problems: string[] = [];
    const describe = (element: Element): string =>
      `<${element.tagName.toLowerCase()}> "${element.textContent.trim().slice(0, 60)}"`;
    const root = document.documentElement;
    if (root.scrollWidth > window.innerWidth)
      problems.push(`the page is ${String(root.scrollWidth)} wide in a window of ${String(window.innerWidth)}`);
    for (const element of document.body.querySelectorAll('*')) {
      if (!(element instanceof HTMLElement)) continue;
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      // Hidden from sight on purpose: for screen readers alone.
      if (box.width <= 2 || box.height <= 2 || style.visibility === 'hidden' || style.clipPath !== 'none') continue;
      const scrolls = ['auto', 'scroll'].includes(style.overflowX);
      if (style.overflowX !== 'visible' && element.scrollWidth > element.clientWidth + 1)
        problems.push(
          `${describe(element)}: ${String(element.scrollWidth)} in ${String(element.clientWidth)}${scrolls ? ', scrolls sideways' : ', cut off'}`,
        );
      if (
        ['hidden', 'clip'].includes(style.overflowY) &&
        element !== document.body &&
        element.scrollHeight > element.clientHeight + 2
      )
        problems.push(
          `${describe(element)}: ${String(element.scrollHeight)} high in ${String(element.clientHeight)}, cut off`,
        );
      const ownText = [...element.childNodes].some(
        (node) => node.nodeType === Node.TEXT_NODE && (node.textContent ?? '').trim() !== '',
      );
      if (ownText && (box.right > window.innerWidth + 1 || box.left < -1) && style.position !== 'fixed')
        problems.push(`${describe(element)} stands outside of the window (${String(Math.round(box.right))})`);
    }
    return problems;
  });
}
