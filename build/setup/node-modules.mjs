/** node_modules as the lock file says, with pkcs11js built. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram, outerPath, projectNode, root, run, say, SetupError } from './commands.mjs';
import { buildPackages, ensureDebianPackages } from './debian.mjs';

const stamp = join(root, 'node_modules', '.key-custodian-lock');

function lockHash() {
  const hash = createHash('sha256').update(readFileSync(join(root, 'package-lock.json')));
  return hash.digest('hex');
}

function isCurrent() {
  const addon = join(root, 'node_modules', 'pkcs11js', 'build', 'Release', 'pkcs11.node');
  return (
    existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash() && existsSync(addon) && existsSync(projectNode)
  );
}

/** Headers that lie beside the running Node save node-gyp a download that not every machine can make. */
function headersBesideNode(path) {
  const node = findProgram('node', path);
  if (node === undefined) return {};
  const prefix = dirname(dirname(realpathSync(node)));
  const there = existsSync(join(prefix, 'include', 'node', 'node_api.h'));
  return there ? { npm_config_nodedir: prefix } : {};
}

export function ensureNodeModules() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 18))
    throw new SetupError(`Node ${process.versions.node} is too old: install Node 20.18 or later, then start again.`);
  if (isCurrent()) return;

  if (['make', 'g++', 'python3'].some((name) => findProgram(name) === undefined))
    ensureDebianPackages(buildPackages, 'building the PKCS#11 binding');
  say('  Installing Node modules as package-lock.json says (npm ci)');
  const path = outerPath();
  const npm = findProgram('npm', path);
  if (npm === undefined) throw new SetupError('npm is not on PATH: install Node 20.18 or later with npm.');
  const environment = { ...headersBesideNode(path), ...process.env, PATH: path };
  if (!run(npm, ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { env: environment }))
    throw new SetupError('npm ci failed. Its own words are above; most often the registry could not be reached.');
  if (!existsSync(join(root, 'node_modules/pkcs11js/build/Release/pkcs11.node'))) {
    // npm older than 11 runs install scripts unasked; a user's ignore-scripts setting does not.
    if (!run(npm, ['rebuild', 'pkcs11js', 'node', '--ignore-scripts=false'], { env: environment }))
      throw new SetupError("pkcs11js could not be built: make, g++ and python3 are needed, and Node's headers.");
  }
  writeFileSync(stamp, lockHash());
}
