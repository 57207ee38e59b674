/** Small door to other programs for the set-up: argument arrays, no shell. Runs on Node 20 with nothing installed. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const isRoot = process.getuid?.() === 0;

/** A set-up piece that can't go on: the message says what is missing and what to do. */
export class SetupError extends Error {}

export function say(text) {
  process.stdout.write(`${text}\n`);
}

/** PATH without the project's own programs: for npm, which must not run on a Node that it is about to replace. */
export function outerPath() {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((directory) => !directory.includes('node_modules'))
    .join(delimiter);
}

export function findProgram(name, path = process.env.PATH ?? '') {
  for (const directory of path.split(delimiter)) {
    if (directory === '') continue;
    try {
      accessSync(join(directory, name), constants.X_OK);
      return join(directory, name);
    } catch (error) {
      if (error?.code === undefined) throw error;
    }
  }
  return undefined;
}

/** The Node 24 that the project brings along; its own tools need 22 or later. */
export const projectNode = join(root, 'node_modules', '.bin', 'node');

/** Runs a program with its output shown; answers whether it ended well. */
export function run(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], ...options });
  return result.status === 0;
}

/** Runs a program quietly; answers its output, or undefined when it failed. */
export function ask(program, args, options = {}) {
  const result = spawnSync(program, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  return result.status === 0 ? result.stdout : undefined;
}

/** Where downloads and built servers lie. They can be thrown away at any time. */
export function cacheDirectory() {
  const home = process.env.HOME ?? '/root';
  return process.env.KEY_CUSTODIAN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(home, '.cache'), 'key-custodian');
}
