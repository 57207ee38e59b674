/** toxiproxy for the tests, a wire to Vault that can be made slow: found, or built once into the cache. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDirectory, findProgram, root, run, say, SetupError } from './commands.mjs';
import { findGo } from './go.mjs';

const moduleDirectory = join(root, 'build/servers/toxiproxy');
const program = 'github.com/Shopify/toxiproxy/v2/cmd/server';

/** Built anew when its versions change; test/servers/toxiproxy.ts looks in the same place. */
function cachedToxiproxy() {
  const versions = readFileSync(join(moduleDirectory, 'go.mod'));
  const hash = createHash('sha256').update(versions).digest('hex').slice(0, 12);
  return join(cacheDirectory(), 'servers', `toxiproxy-${hash}`, 'toxiproxy-server');
}

/** @returns its path. Throws SetupError. */
export function ensureToxiproxy() {
  const target = cachedToxiproxy();
  const found = [process.env.TOXIPROXY_BIN, findProgram('toxiproxy-server'), target].find(
    (path) => path !== undefined && existsSync(path),
  );
  if (found !== undefined) return found;
  const go = findGo();
  if (go === undefined)
    throw new SetupError(
      'Tests need toxiproxy. Put toxiproxy-server on PATH, name one in TOXIPROXY_BIN, or install Go 1.25 or later ' +
        '(https://go.dev/dl), and it is built once.',
    );
  say('  Building toxiproxy for the tests, once (under a minute)');
  mkdirSync(dirname(target), { recursive: true });
  const work = `${target}.${process.pid}`;
  const args = ['build', '-trimpath', '-mod=readonly', '-ldflags', '-s -w', '-o', work, program];
  if (!run(go, args, { cwd: moduleDirectory, env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' } })) {
    rmSync(work, { force: true });
    throw new SetupError(
      'toxiproxy could not be built; the reason is above. Most often the Go proxy could not be reached.',
    );
  }
  renameSync(work, target);
  return target;
}
