/** A Vault server program for tests and rehearsals: found where the app finds one, or built into the app's cache. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ask, cacheDirectory, projectNode, root, run, say, SetupError } from './commands.mjs';
import { findGo } from './go.mjs';

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

/** Builds one program of the module in build/servers/vault and puts it in its place whole. */
function build(what, { program, tags, target }) {
  const go = findGo();
  if (go === undefined)
    throw new SetupError(
      `Tests need ${what}. Install Go 1.25 or later (https://go.dev/dl, Debian's own is too old), and it is built once.`,
    );
  mkdirSync(dirname(target), { recursive: true });
  const work = `${target}.${process.pid}`;
  const args = ['build', '-trimpath', '-mod=readonly', ...tags, '-ldflags', '-s -w', '-o', work, program];
  const environment = { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' };
  if (!run(go, args, { cwd: join(root, 'build/servers/vault'), env: environment })) {
    rmSync(work, { force: true });
    throw new SetupError(
      `${what} could not be built; the reason is above. Most often the Go proxy could not be reached.`,
    );
  }
  renameSync(work, target);
}

/** Builds Vault once when there is none; that takes some minutes and shows its progress. */
export function ensureVault() {
  const found = findVault();
  if (found !== undefined) return found;
  say('  Building Vault for the tests, once (about 4 minutes)');
  const target = cachedVault();
  build('a Vault server (`vault` or `bao` on PATH, or named in VAULT_BIN)', {
    program: '.',
    tags: ['-tags', 'minimal'],
    target,
  });
  return target;
}

/** Vault's Kubernetes log-in as a program of its own, since the small Vault of the tests has none built in. */
export function ensureVaultKubernetesLogIn() {
  const target = join(dirname(cachedVault()), 'plugins', 'vault-plugin-auth-kubernetes');
  if (existsSync(target)) return target;
  say('  Building Vault’s Kubernetes log-in for the tests, once (about a minute)');
  build('Vault’s Kubernetes log-in', { program: './kubernetes-auth', tags: [], target });
  return target;
}
