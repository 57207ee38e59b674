/** A Vault server program for tests and rehearsals: found, or built by the same code as the app's. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ask, cacheDirectory, findProgram, projectNode, root, run, say, SetupError } from './commands.mjs';

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

/** Builds Vault once when there is none; that takes some minutes and shows its progress. */
export function ensureVault() {
  const found = findVault();
  if (found !== undefined) return found;
  if (findProgram('go') === undefined && !existsSync('/usr/local/go/bin/go'))
    throw new SetupError(
      'Tests need a Vault server. Put `vault` or `bao` on PATH, or name one in VAULT_BIN; or install Go 1.25 or later ' +
        "(https://go.dev/dl, Debian's own is too old), and it is built once, in about 4 minutes.",
    );
  say('  Building Vault for the tests, once (about 4 minutes)');
  run(projectNode, [join(root, 'build/setup/build-vault.ts')]);
  const built = findVault();
  if (built === undefined) throw new SetupError('Vault could not be built; the reason is above.');
  return built;
}
