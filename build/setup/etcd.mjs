/**
 * etcd and etcdctl for the tests' API server, of the version that Kubernetes 1.34 ships: an API server answers lists
 * from its cache only where etcd is 3.5.13 or later, and Debian's is not. So none is looked for on PATH.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, root, say, SetupError } from './commands.mjs';
import { buildWithGo, findGo, shortHashOf } from './go.mjs';

const module = join(root, 'build/servers/etcd');
const programs = [
  { variable: 'ETCD_BIN', name: 'etcd', folder: '.' },
  { variable: 'ETCDCTL_BIN', name: 'etcdctl', folder: './etcdctl' },
];

/** Built anew when its versions change; test/servers/kubernetes-programs.ts looks in the same place. */
function cached(name) {
  return join(cacheDirectory(), 'servers', `etcd-${shortHashOf(join(module, 'go.mod'))}`, name);
}

function found({ variable, name }) {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const inAssets = assets === undefined ? undefined : join(assets, name);
  return [process.env[variable], inAssets, cached(name)].find((path) => path !== undefined && existsSync(path));
}

/**
 * Builds what is missing, in about a minute.
 * @returns {Promise<{ETCD_BIN: string, ETCDCTL_BIN: string}>} for the environment of the tests. Throws SetupError.
 */
export async function ensureEtcd() {
  for (const program of programs) {
    if (found(program) !== undefined) continue;
    const go = findGo();
    if (go === undefined)
      throw new SetupError(
        `Tests need ${program.name}. Install Go 1.25 or later (https://go.dev/dl), and it is built once, or name ` +
          `one of etcd 3.5.13 or later in ${program.variable}.`,
      );
    say(`  Building ${program.name} for the tests, once (under a minute)`);
    await buildWithGo(go, { module, folder: program.folder, target: cached(program.name) });
  }
  return Object.fromEntries(programs.map((program) => [program.variable, found(program)]));
}
