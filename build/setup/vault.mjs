/** A Vault server program for tests and rehearsals: found where the app finds one, or built into the app's cache. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, cacheDirectory, projectNode, root, say, SetupError } from './commands.mjs';
import { buildWithGo, findGo } from './go.mjs';

const source = join(root, 'electron/rehearsal/vault-binary.ts');

function evaluate(body, execute) {
  const script = `import * as vault from ${JSON.stringify(source)};
    const [cache, sources] = process.argv.slice(1);
    ${body}`;
  const args = ['--input-type=module', '-e', script, cacheDirectory(), join(root, 'build/servers/vault')];
  return execute(projectNode, args);
}

/** @returns the program's path, or undefined where none is on PATH, named by VAULT_BIN or BAO_BIN, or cached */
export function findVault() {
  if (!existsSync(source)) return undefined;
  const path = evaluate(`process.stdout.write((await vault.findVaultBinary(cache)) ?? '');`, ask);
  return path === undefined || path === '' ? undefined : path;
}

function cachedVault() {
  const target = evaluate('process.stdout.write(vault.cachedVaultPath(cache));', ask);
  if (target === undefined) throw new SetupError('electron/rehearsal/vault-binary.ts could not be run.');
  return target;
}

/** Builds one program of the module in build/servers/vault. */
async function build(what, { folder, tags, target }) {
  const go = findGo();
  if (go === undefined)
    throw new SetupError(
      `Tests need ${what}. Install Go 1.25 or later (https://go.dev/dl, Debian's own is too old), and it is built once.`,
    );
  await buildWithGo(go, { module: join(root, 'build/servers/vault'), folder, tags, target });
}

/** Builds Vault once when there is none; that takes some minutes. */
export async function ensureVault() {
  const found = findVault();
  if (found !== undefined) return found;
  say('  Building Vault for the tests, once (about 4 minutes)');
  const target = cachedVault();
  await build('a Vault server (`vault` or `bao` on PATH, or named in VAULT_BIN)', {
    folder: '.',
    tags: ['minimal'],
    target,
  });
  return target;
}

/** Vault's Kubernetes log-in as a program of its own, since the small Vault of the tests has none built in. */
export async function ensureVaultKubernetesLogIn() {
  const target = join(dirname(cachedVault()), 'plugins', 'vault-plugin-auth-kubernetes');
  if (existsSync(target)) return target;
  say('  Building Vault’s Kubernetes log-in for the tests, once (about a minute)');
  await build('Vault’s Kubernetes log-in', { folder: './kubernetes-auth', tags: [], target });
  return target;
}
