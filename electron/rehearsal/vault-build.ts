/** Builds Vault once from the Go module in `build/servers/vault`, which takes some minutes, and says how far it is. */
import { spawn } from 'node:child_process';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { failure, success, type RehearsalFailureCode, type Result } from '../workflows/failures.ts';
import { cachedVaultPath, findOnPath, findVaultBinary } from './vault-binary.ts';

export interface BuildProgress {
  readonly text: string;
  /** 0 to 1; -1 while it cannot be known. */
  readonly fraction: number;
}

/** A first download and build on a slow machine. */
const buildDeadline = 45 * 60_000;
/** Leaves out plugins that neither rehearsals nor tests use, and with them two thirds of the size. */
const buildTags = ['-tags', 'minimal'];

interface GoRun {
  readonly code: number | null;
  readonly lastLines: readonly string[];
}

async function findGo(): Promise<string | undefined> {
  return (await findOnPath('go')) ?? findOnPath('go', '/usr/local/go/bin:/opt/homebrew/bin:/usr/lib/go/bin');
}

async function runGo(
  go: string,
  argumentList: readonly string[],
  directory: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<GoRun> {
  const environment: Record<string, string> = { GOFLAGS: '-mod=readonly', GOTOOLCHAIN: 'local' };
  for (const name of [
    'PATH',
    'HOME',
    'GOPATH',
    'GOCACHE',
    'GOMODCACHE',
    'GOPROXY',
    'GONOSUMDB',
    'GOSUMDB',
    'TMPDIR',
    'HTTPS_PROXY',
    'https_proxy',
    'NO_PROXY',
    'no_proxy',
    'SSL_CERT_FILE',
  ]) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return new Promise((resolve) => {
    const child = spawn(go, argumentList, {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      killSignal: 'SIGKILL',
    });
    const lastLines: string[] = [];
    const take = (line: string): void => {
      lastLines.push(line);
      if (lastLines.length > 5) lastLines.shift();
      onLine(line);
    };
    createInterface({ input: child.stdout }).on('line', take);
    createInterface({ input: child.stderr }).on('line', take);
    child.on('error', (cause) => resolve({ code: null, lastLines: [...lastLines, cause.message] }));
    child.on('close', (code) => resolve({ code, lastLines }));
  });
}

async function build(
  go: string,
  target: string,
  sources: string,
  onProgress: (progress: BuildProgress) => void,
  signal: AbortSignal,
): Promise<Result<string, RehearsalFailureCode>> {
  const failed = (run: GoRun): Result<string, RehearsalFailureCode> =>
    failure(
      'Rehearsal_VaultBuildFailed',
      'Building Vault did not succeed.',
      'Check the network and the free disk space (4 GB), or put a vault or bao program on PATH, then start the rehearsal again.',
      { output: run.lastLines.join('\n').slice(-1_000) },
    );
  onProgress({ text: 'Fetching the sources of Vault', fraction: -1 });
  let packages = 0;
  const listed = await runGo(go, ['list', '-deps', ...buildTags, '.'], sources, signal, (line) => {
    // Downloads are said on the error stream and end in no package.
    if (!line.includes(' ')) packages += 1;
  });
  if (listed.code !== 0) return failed(listed);
  const temporary = join(dirname(target), `vault.building-${process.pid}`);
  let compiled = 0;
  const built = await runGo(
    go,
    ['build', '-v', '-trimpath', ...buildTags, '-ldflags', '-s -w', '-o', temporary, '.'],
    sources,
    signal,
    (line) => {
      if (line.includes(' ')) return;
      compiled += 1;
      onProgress({
        text: `Building Vault: ${compiled} of at most ${packages} packages`,
        fraction: packages === 0 ? -1 : Math.min(0.99, compiled / packages),
      });
    },
  );
  if (built.code !== 0) {
    await rm(temporary, { force: true });
    return failed(built);
  }
  await rename(temporary, target);
  return success(target);
}

/**
 * The path of a Vault server program: found, or built into the cache.
 * Failures: Rehearsal_VaultMissing (none, and no Go to build it), Rehearsal_VaultBuildFailed.
 */
export async function obtainVaultBinary(
  options: { readonly cacheDirectory: string; readonly serverSourcesDirectory: string },
  onProgress: (progress: BuildProgress) => void,
): Promise<Result<string, RehearsalFailureCode>> {
  const found = await findVaultBinary(options.cacheDirectory);
  if (found !== undefined) return success(found);
  const go = await findGo();
  if (go === undefined)
    return failure(
      'Rehearsal_VaultMissing',
      'No Vault was found, and no Go to build it with.',
      'Install Vault (vault) or OpenBao (bao) on PATH, or install Go so that it can be built once, then start the rehearsal again.',
    );
  const target = cachedVaultPath(options.cacheDirectory);
  await mkdir(dirname(target), { recursive: true });
  return build(
    go,
    target,
    join(options.serverSourcesDirectory, 'vault'),
    onProgress,
    AbortSignal.timeout(buildDeadline),
  );
}
