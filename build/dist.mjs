#!/usr/bin/env node
/**
 * `npm run dist`: the Linux folder (dist/linux-unpacked), a tar.gz and a .deb made from it with tar and
 * dpkg-deb. Nothing in either depends on who made it or when, save for the programs themselves.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { ask, findProgram, root, run, say, SetupError } from './setup/commands.mjs';
import { applicationPackages } from './setup/debian.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';

const { name, version, description, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const dist = join(root, 'dist');
const architecture = { x64: 'amd64', arm64: 'arm64' }[process.arch] ?? process.arch;

/** The same owner and the same times in every archive; the newest source's time, so that it is no lie. */
function reproducibleTar(sourceDate) {
  return ['--owner=0', '--group=0', '--numeric-owner', '--sort=name', `--mtime=@${sourceDate}`];
}

function sourceDate() {
  const committed = ask('git', ['log', '-1', '--format=%ct'])?.trim();
  return process.env.SOURCE_DATE_EPOCH ?? (committed === undefined || committed === '' ? '0' : committed);
}

function makeTarball(date) {
  const folder = `${name}-${version}-linux-${process.arch}`;
  const file = join(dist, `${folder}.tar.gz`);
  const args = [
    ...reproducibleTar(date),
    `--transform=s,^linux-unpacked,${folder},S`,
    '-C',
    dist,
    '-cf',
    '-',
    'linux-unpacked',
  ];
  if (!run('sh', ['-c', 'out=$1; shift; tar "$@" | gzip -n -6 > "$out"', 'sh', file, ...args]))
    throw new SetupError('tar could not make the archive.');
  return file;
}

/** Debian 13 renamed some libraries; either name satisfies. */
function dependsLine() {
  const renamed = new Set(['libgtk-3-0', 'libasound2', 'libatspi2.0-0']);
  const libraries = applicationPackages.filter((library) => library.startsWith('lib'));
  return libraries.map((library) => (renamed.has(library) ? `${library} | ${library}t64` : library)).join(', ');
}

function folderKilobytes(path) {
  const sizes = readdirSync(path, { withFileTypes: true }).map((entry) => {
    const child = join(path, entry.name);
    return entry.isDirectory() ? folderKilobytes(child) : entry.isFile() ? Math.ceil(statSync(child).size / 1024) : 1;
  });
  return sizes.reduce((sum, size) => sum + size, 4);
}

function makeDeb(date) {
  const tree = join(dist, '.staging', 'deb');
  const file = join(dist, `${name}_${version}_${architecture}.deb`);
  rmSync(tree, { recursive: true, force: true });
  const folder = (path) => {
    mkdirSync(join(tree, path), { recursive: true });
    return join(tree, path);
  };
  cpSync(join(dist, 'linux-unpacked'), join(folder('opt'), name), { recursive: true, verbatimSymlinks: true });
  // Set by postinst: a set-uid bit in the archive would stand before root owns the file.
  chmodSync(join(tree, 'opt', name, 'chrome-sandbox'), 0o755);
  symlinkSync(`/opt/${name}/key-custodian`, join(folder('usr/bin'), 'key-custodian'));
  symlinkSync(`/opt/${name}/resources/command-line/custodian`, join(folder('usr/bin'), 'custodian'));
  cpSync(join(root, 'build/debian/key-custodian.desktop'), join(folder('usr/share/applications'), `${name}.desktop`));
  for (const size of [16, 32, 48, 64, 128, 256, 512]) {
    const icons = folder(`usr/share/icons/hicolor/${size}x${size}/apps`);
    cpSync(join(root, `build/icons/${size}x${size}.png`), join(icons, `${name}.png`));
  }
  // Neither enabled nor started: whoever runs a control-plane node decides that.
  cpSync(
    join(root, 'build/systemd/key-custodian-kms.service'),
    join(folder('usr/lib/systemd/system'), 'key-custodian-kms.service'),
  );
  cpSync(join(root, 'build/systemd/key-custodian-kms.sysusers'), join(folder('usr/lib/sysusers.d'), `${name}.conf`));
  cpSync(
    join(root, 'build/systemd/key-custodian-kms.rules'),
    join(folder('usr/share/polkit-1/rules.d'), 'key-custodian-kms.rules'),
  );
  cpSync(
    join(root, 'build/icons/application.svg'),
    join(folder('usr/share/icons/hicolor/scalable/apps'), `${name}.svg`),
  );
  if (existsSync(join(root, 'LICENSE')))
    cpSync(join(root, 'LICENSE'), join(folder(`usr/share/doc/${name}`), 'copyright'));
  const size = folderKilobytes(tree);
  const control = folder('DEBIAN');
  writeFileSync(
    join(control, 'control'),
    `${[
      `Package: ${name}`,
      `Version: ${version}`,
      `Architecture: ${architecture}`,
      'Maintainer: Key Custodian project <key-custodian@localhost>',
      `Installed-Size: ${size}`,
      `Depends: ${dependsLine()}`,
      'Recommends: softhsm2, gnupg, nodejs (>= 20.18), dbus-user-session',
      'Suggests: opensc',
      'Section: admin',
      'Priority: optional',
      `Description: ${description}`,
      ' A desktop app with a tray icon, and the custodian command line on the same core,',
      ' for the people who hold unseal keys: PKCS#11 tokens, Vault initialisation and unseal,',
      ' with a hash-chained transcript of every run.',
      ` License: ${license}.`,
    ].join('\n')}\n`,
  );
  cpSync(join(root, 'build/debian/postinst'), join(control, 'postinst'));
  chmodSync(join(control, 'postinst'), 0o755);
  // What others may not write and all may read, whatever this machine's umask is.
  if (!run('chmod', ['-R', 'u+rwX,go+rX,go-w', tree])) throw new SetupError('chmod failed.');
  const environment = { ...process.env, SOURCE_DATE_EPOCH: date };
  const quiet = { env: environment, stdio: ['ignore', 'ignore', 'inherit'] };
  if (!run('dpkg-deb', ['--root-owner-group', '-Zxz', '-z1', '--build', tree, file], quiet))
    throw new SetupError('dpkg-deb could not make the package.');
  rmSync(tree, { recursive: true, force: true });
  return file;
}

try {
  ensureNodeModules();
  const { ensureBundle, ensurePackage } = await import('./setup/application.mjs');
  const { ensureElectron } = await import('./setup/electron.mjs');
  const electron = await ensureElectron();
  await ensureBundle();
  const { shipped } = await ensurePackage(electron);
  say('  Making the archive');
  const date = sourceDate();
  const files = [makeTarball(date)];
  if (findProgram('dpkg-deb') === undefined) say('  No dpkg-deb here: the .deb is left out');
  else {
    say('  Making the Debian package');
    files.push(makeDeb(date));
  }
  say(`\n${shipped}`);
  for (const file of files) {
    const digest = createHash('sha256').update(readFileSync(file)).digest('hex');
    say(`${file}  ${(statSync(file).size / 1e6).toFixed(1)} MB  sha256 ${digest}`);
  }
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
