/** Finds a Vault or OpenBao server program, or builds Vault once from the Go module in `build/servers/vault`. */
import { access, constants } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

/** The version that `build/servers/vault/go.mod` names. */
export const builtVaultVersion = '1.21.1';

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first executable of that name on PATH. */
export async function findOnPath(
  name: string,
  searchPath: string = process.env['PATH'] ?? '',
): Promise<string | undefined> {
  for (const directory of searchPath.split(delimiter)) {
    if (!isAbsolute(directory)) continue;
    const candidate = join(directory, name);
    if (await isExecutable(candidate)) return candidate;
  }
  return undefined;
}

/** Where built servers lie unless the app was told otherwise. */
export function defaultCacheDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return (
    environment['KEY_CUSTODIAN_CACHE'] ??
    join(environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'key-custodian')
  );
}

export function cachedVaultPath(cacheDirectory: string): string {
  return join(cacheDirectory, 'servers', `vault-${builtVaultVersion}`, 'vault');
}

/**
 * VAULT_BIN, BAO_BIN, `vault` or `bao` on PATH, then the cache.
 * @returns an absolute path, or undefined where there is none
 */
export async function findVaultBinary(
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  for (const name of ['VAULT_BIN', 'BAO_BIN']) {
    const named = environment[name];
    if (named !== undefined && isAbsolute(named) && (await isExecutable(named))) return named;
  }
  for (const name of ['vault', 'bao']) {
    const found = await findOnPath(name, environment['PATH'] ?? '');
    if (found !== undefined) return found;
  }
  const cached = cachedVaultPath(cacheDirectory);
  return (await isExecutable(cached)) ? cached : undefined;
}
