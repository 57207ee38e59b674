/** toxiproxy for the tests, a wire to Vault that can be made slow: found, or built once into the cache. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, findProgram, root, say, SetupError } from './commands.mjs';
import { buildWithGo, findGo, shortHashOf } from './go.mjs';

const moduleDirectory = join(root, 'build/servers/toxiproxy');
const program = 'github.com/Shopify/toxiproxy/v2/cmd/server';

/** Built anew when its versions change; test/servers/toxiproxy.ts looks in the same place. */
function cachedToxiproxy() {
  const hash = shortHashOf(join(moduleDirectory, 'go.mod'));
  return join(cacheDirectory(), 'servers', `toxiproxy-${hash}`, 'toxiproxy-server');
}

/** @returns {Promise<string>} its path. Throws SetupError. */
export async function ensureToxiproxy() {
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
  await buildWithGo(go, { module: moduleDirectory, folder: program, target });
  return target;
}
