/** The machine's Go, and servers for the tests that it builds from pinned modules, each once into the cache. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { findProgram, SetupError } from './commands.mjs';

/** @returns its path, or undefined where there is none */
export function findGo() {
  const usual = '/usr/local/go/bin/go';
  return findProgram('go') ?? (existsSync(usual) ? usual : undefined);
}

/** For the name of a folder in the cache, so that what a file says is built anew when it changes. */
export function shortHashOf(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 12);
}

/**
 * Builds one program and puts it in its place whole, at the lowest priority, beside whatever else runs. What Go says is
 * kept until it is of use.
 * @param {string} go
 * @param {{ module: string, folder: string, target: string, tags?: string[], stamps?: string[] }} what `folder` names
 *   the main package as seen from `module`; `stamps` are more flags for the linker
 * @returns {Promise<void>} rejected with a SetupError
 */
export async function buildWithGo(go, { module, folder, target, tags = [], stamps = [] }) {
  mkdirSync(dirname(target), { recursive: true });
  const work = `${target}.${process.pid}`;
  const args = ['build', '-trimpath', '-mod=readonly', ...(tags.length > 0 ? ['-tags', tags.join(',')] : [])];
  const child = spawn(
    'nice',
    ['-n', '19', go, ...args, '-ldflags', ['-s', '-w', ...stamps].join(' '), '-o', work, folder],
    {
      cwd: module,
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const killAtExit = () => child.kill();
  process.once('exit', killAtExit);
  const words = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => words.push(chunk));
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  process.removeListener('exit', killAtExit);
  if (status !== 0) {
    rmSync(work, { force: true });
    throw new SetupError(
      `${Buffer.concat(words).toString().trim().slice(-2000)}\n` +
        `${basename(target)} could not be built. Most often the Go proxy could not be reached.`,
    );
  }
  renameSync(work, target);
}
