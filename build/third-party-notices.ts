/** The licences of what is in the bundles: MIT and the like ask that their text goes wherever the code goes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const packageSchema = z.object({
  name: z.string(),
  version: z.string(),
  // The list is how old packages say it.
  license: z.union([z.string(), z.array(z.object({ type: z.string() }))]),
});

/** The folder of the package that a module is of; undefined for this project's own and for what a bundler makes up. */
function packageFolder(moduleId: string): string | undefined {
  const path = moduleId.replaceAll('\\', '/').replace(/^\0+/u, '').replace(/\?.*$/u, '');
  return /^(?<folder>.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//u.exec(path)?.groups?.['folder'];
}

/** Of its own files, or of its README where that is the only place; empty where there is none. */
async function licenceTexts(folder: string): Promise<readonly string[]> {
  const files = await readdir(folder);
  const own = files.filter((file) => /^(?:licen[cs]e|notice|copying)/iu.test(file)).toSorted();
  if (own.length > 0) return Promise.all(own.map((file) => readFile(join(folder, file), 'utf8')));
  const readme = files.find((file) => /^readme(?:\.md)?$/iu.test(file));
  const text = readme === undefined ? '' : await readFile(join(folder, readme), 'utf8');
  const section = /^(?:#+ *)?licen[cs]e\r?\n.*copyright.*/imsu.exec(text)?.[0];
  return section === undefined ? [] : [section];
}

async function noticeOf(folder: string): Promise<string> {
  const told = packageSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
  const texts = await licenceTexts(folder);
  if (texts.length === 0) throw new Error(`${told.name} is bundled and brings no licence: find its text.`);
  const { license } = told;
  const licence = typeof license === 'string' ? license : license.map(({ type }) => type).join(' or ');
  return [`${told.name} ${told.version} (${licence})`, ...texts.map((text) => text.trim())].join('\n\n');
}

/**
 * @param moduleIds of everything that was bundled, as the bundler names it
 * @returns one part for each package, by name. Throws where a package brings no licence.
 */
export async function thirdPartyNotices(moduleIds: Iterable<string>): Promise<string> {
  const folders = new Set([...moduleIds].map(packageFolder).filter((folder) => folder !== undefined));
  const notices = await Promise.all([...folders].map(noticeOf));
  const rule = `\n\n${'-'.repeat(80)}\n\n`;
  return `Key Custodian contains parts of these packages, each under its own licence.${rule}${notices.toSorted().join(rule)}\n`;
}
