/** Whether what was built is newer than what it was built from. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './commands.mjs';

function newest(path) {
  const { mtimeMs } = statSync(path);
  if (!statSync(path).isDirectory()) return mtimeMs;
  // A folder's own time tells of removed files.
  return readdirSync(path).reduce((latest, name) => Math.max(latest, newest(join(path, name))), mtimeMs);
}

/**
 * @param product a file that is written last when all went well
 * @param sources files and folders that it is made from
 */
export function isFresh(product, sources) {
  const stamp = join(root, product);
  if (!existsSync(stamp)) return false;
  const made = statSync(stamp).mtimeMs;
  return sources.every((source) => !existsSync(join(root, source)) || newest(join(root, source)) <= made);
}
