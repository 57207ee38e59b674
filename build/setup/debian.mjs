/** Debian packages that the app, its tests or its build need. */
import { ask, findProgram, isRoot, run, say, SetupError } from './commands.mjs';

/** Electron's shared libraries and what the rehearsal's tokens, PGP and a Nitrokey HSM need. */
export const applicationPackages = [
  'softhsm2',
  'opensc',
  'pcscd',
  'gnupg',
  'libgtk-3-0',
  'libnss3',
  'libasound2',
  'libgbm1',
  'libnotify4',
  'libxss1',
  'libxtst6',
  'libatspi2.0-0',
  'libdrm2',
  'libsecret-1-0',
];
export const buildPackages = ['make', 'g++', 'python3'];
export const testPackages = [
  'openssl',
  'gcc',
  'make',
  'xvfb',
  'xauth',
  'dbus',
  'libglib2.0-bin',
  'vsmartcard-vpcd',
  'umockdev',
  'systemd',
];

function installedPackages(names) {
  // dpkg-query fails as a whole when one name is unknown, and still prints the others.
  const installed = new Set();
  for (const name of names) {
    if (ask('dpkg-query', ['-W', '-f', '${Status}', name])?.includes('install ok installed')) installed.add(name);
  }
  return installed;
}

/** Debian 13 and Ubuntu 24.04 renamed some libraries for 64-bit time. */
function withTime64(name) {
  return `${name}t64`;
}

function candidate(name) {
  const text = ask('apt-cache', ['policy', name]) ?? '';
  return /Candidate: (?!\(none\))/.test(text);
}

/**
 * Installs what is missing; takes a moment when nothing is.
 * @param names packages by their Debian 12 names
 * @param what said to the person: what they are for
 */
export function ensureDebianPackages(names, what) {
  if (findProgram('dpkg-query') === undefined || findProgram('apt-get') === undefined) {
    say(`  This is no Debian: ${what} needs what Debian calls ${names.join(' ')}. Going on as if it were there.`);
    return;
  }
  const installed = installedPackages(names.flatMap((name) => [name, withTime64(name)]));
  const missing = names.filter((name) => !installed.has(name) && !installed.has(withTime64(name)));
  if (missing.length === 0) return;

  const asRoot = isRoot ? [] : ask('sudo', ['-n', 'true']) === undefined ? undefined : ['sudo', '-n'];
  if (asRoot === undefined) {
    throw new SetupError(
      `${what} needs Debian packages that are not installed, and this user may not install them.\n` +
        `Run this once, then start again:\n\n  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}\n`,
    );
  }
  say(`  Installing Debian packages for ${what}: ${missing.join(' ')}`);
  const [first, ...rest] = [...asRoot, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq'];
  const quiet = { stdio: ['ignore', 'ignore', 'inherit'] };
  if (!run(first, [...rest, 'update'], quiet)) say('  apt-get update did not end well; trying with what is known.');
  const chosen = missing.map((name) => (!candidate(name) && candidate(withTime64(name)) ? withTime64(name) : name));
  if (!run(first, [...rest, 'install', '-y', '--no-install-recommends', ...chosen], quiet))
    throw new SetupError(`apt-get could not install ${chosen.join(' ')}. Install them by hand, then start again.`);
}
