import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { RecipeFile } from '../workflows/cluster-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';

export interface WrittenFile {
  readonly path: string;
  readonly state: 'written' | 'unchanged';
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw cause;
  }
}

/** A relative path of plain names: nothing in it leads out of the folder. */
function staysInside(name: string): boolean {
  return name.split('/').every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/u.test(part));
}

/**
 * Writes files for git. What is there already and says something else stays, unless it is to be replaced.
 * Failure: App_BadRequest before anything is written.
 */
export async function writeRecipeFiles(
  directory: string,
  files: readonly RecipeFile[],
  replace: boolean,
): Promise<Result<readonly WrittenFile[]>> {
  const folder = resolve(directory);
  if (!files.every(({ name }) => staysInside(name))) throw new Error('A recipe named a file that leads elsewhere.');
  try {
    const present = await Promise.all(files.map(({ name }) => contentOf(join(folder, name))));
    const other = files.find(({ text }, index) => present[index] !== undefined && present[index] !== text);
    if (other !== undefined && !replace) {
      return failure(
        'App_BadRequest',
        `${join(folder, other.name)} is there already and says something else.`,
        'Name another folder, or replace what is there with --replace.',
      );
    }
    const written: WrittenFile[] = [];
    for (const [index, { name, text }] of files.entries()) {
      const path = join(folder, name);
      const isSame = present[index] === text;
      if (!isSame) {
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
      }
      written.push({ path, state: isSame ? 'unchanged' : 'written' });
    }
    return success(written);
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : undefined;
    if (code === undefined) throw cause;
    return failure(
      'App_BadRequest',
      `The files cannot be written to ${folder} (${code}).`,
      'Name a folder that you may write to.',
      { code },
    );
  }
}
