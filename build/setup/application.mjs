/** Bundles and packages the app where the last result is older than the sources. */
import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { isFresh } from './freshness.mjs';
import { projectNode, root, run, say, SetupError } from './commands.mjs';

const sources = [
  'electron',
  'native',
  'k8s-bridge',
  'renderer',
  'build/bundle.ts',
  'build/icons',
  'package.json',
  'package-lock.json',
];

/** npm's programs find the project's own Node first, as in npm's scripts. */
export const toolEnvironment = {
  ...process.env,
  PATH: `${dirname(projectNode)}${delimiter}${process.env.PATH ?? ''}`,
};

export async function ensureBundle() {
  if (isFresh('out/.bundled', sources)) return;
  say('  Bundling');
  await rm(join(root, 'out/.bundled'), { force: true });
  if (!run(projectNode, [join(root, 'build/bundle.ts')], { env: toolEnvironment }))
    throw new SetupError('The app could not be bundled; the reason is above.');
}

/**
 * @param electron {{directory: string, version: string}}
 * @returns the folders of the shipped package and of its twin for tests
 */
export async function ensurePackage(electron) {
  const stamp = join(root, 'dist/.packaged');
  const packaged = existsSync(stamp) ? readFileSync(stamp, 'utf8').trim() : '';
  const inputs = ['out/.bundled', 'build/package.ts', 'build/launchers', 'build/servers'];
  if (packaged !== electron.version || !isFresh('dist/.packaged', inputs)) {
    say('  Packaging');
    await rm(stamp, { force: true });
    if (!run(projectNode, [join(root, 'build/package.ts'), electron.directory], { env: toolEnvironment }))
      throw new SetupError('The app could not be packaged; the reason is above.');
  }
  return { shipped: join(root, 'dist/linux-unpacked'), test: join(root, 'dist/test/linux-unpacked') };
}
