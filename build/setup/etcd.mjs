/**
 * etcd and etcdctl for the tests' API server. Debian's package would start a service on the machine, so its files are
 * unpacked into the cache and nothing is installed.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, cacheDirectory, findProgram, isRoot, run, say, SetupError } from './commands.mjs';

const programs = { ETCD_BIN: 'etcd', ETCDCTL_BIN: 'etcdctl' };
const packages = ['etcd-server', 'etcd-client'];

function known(variable, cached) {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const inAssets = assets === undefined ? undefined : join(assets, programs[variable]);
  const candidates = [
    process.env[variable],
    inAssets,
    findProgram(programs[variable]),
    join(cached, programs[variable]),
  ];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

function download(work) {
  // Without this, root's apt tries to hand the work to a user who can't write here, and says so.
  const asRoot = isRoot ? ['-o', 'APT::Sandbox::User=root'] : [];
  return ask('apt-get', ['-qq', ...asRoot, 'download', ...packages], { cwd: work }) !== undefined;
}

async function unpack(target) {
  const hint = 'Install etcd 3.4 or later, or name the programs in ETCD_BIN and ETCDCTL_BIN.';
  if (findProgram('apt-get') === undefined || findProgram('dpkg-deb') === undefined)
    throw new SetupError(`Tests need etcd. ${hint}`);
  await mkdir(dirname(target), { recursive: true });
  const work = await mkdtemp(join(dirname(target), '.fetching-'));
  try {
    say(`  Unpacking Debian's ${packages.join(' and ')} into the cache; nothing is installed`);
    if (!download(work)) {
      const [program, ...rest] = [...(isRoot ? [] : ['sudo', '-n']), 'apt-get', '-qq', 'update'];
      run(program, rest, { stdio: 'ignore' });
      if (!download(work)) throw new SetupError(`apt-get could not download ${packages.join(' and ')}. ${hint}`);
    }
    for (const archive of (await readdir(work)).filter((name) => name.endsWith('.deb'))) {
      if (!run('dpkg-deb', ['--extract', join(work, archive), join(work, 'unpacked')]))
        throw new SetupError(`${archive} could not be unpacked: is the disk full?`);
    }
    await rm(target, { recursive: true, force: true });
    await rename(join(work, 'unpacked'), target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns {Promise<{ETCD_BIN: string, ETCDCTL_BIN: string}>} for the environment of the tests */
export async function ensureEtcd() {
  const directory = join(cacheDirectory(), 'servers', 'etcd');
  const cached = join(directory, 'usr', 'bin');
  const variables = Object.keys(programs);
  if (variables.some((variable) => known(variable, cached) === undefined)) await unpack(directory);
  return Object.fromEntries(variables.map((variable) => [variable, known(variable, cached)]));
}
