/**
 * Packages `out/` with Electron: `dist/linux-unpacked` is what is shipped, `dist/test/linux-unpacked` is the
 * same, file for file, save that its inspect fuse is on and a marker file says so: tests can drive it. Run with Node 24:
 * `node build/package.ts <folder of an Electron distribution>`.
 */
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { flipFuses, FuseV1Options, FuseVersion } from '@electron/fuses';
import { Arch, build, Platform, type Configuration } from 'electron-builder';
import { z } from 'zod';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, 'dist');
const executableName = 'key-custodian';

/** What the packages with a native half need at run time; sources, types and build leftovers stay behind. */
const bindingFiles: Readonly<Record<string, readonly string[]>> = {
  pkcs11js: ['package.json', 'LICENSE', 'index.js', 'build/Release/pkcs11.node'],
  'pcsc-mini': [
    'package.json',
    'LICENSE',
    'build/index.js',
    'build/client.js',
    'build/reader.js',
    'build/card.js',
    'build/addon.node.js',
  ],
  '@pcsc-mini/linux-x86_64-gnu': ['package.json', 'addon.node'],
  usb: ['package.json', 'LICENSE.md', 'index.js', 'dist/index.js'],
  '@node-usb/usb-linux-x64-gnu': ['package.json', 'usb.linux-x64-gnu.node'],
};

function configuration(electronDist: string, electronVersion: string): Configuration {
  return {
    appId: 'org.key-custodian.KeyCustodian',
    productName: 'Key Custodian',
    directories: { output: dist, buildResources: join(root, 'build/icons') },
    electronDist,
    electronVersion,
    npmRebuild: false,
    nodeGypRebuild: false,
    publish: null,
    files: [
      'package.json',
      'out/main/main.cjs',
      'out/main/main-*.cjs',
      'out/main/token-host.cjs',
      'out/main/share-host.cjs',
      'out/main/presence-host.cjs',
      'out/main/cluster-host.cjs',
      'out/main/package.json',
      'out/main/third-party-notices.txt',
      'out/preload/**',
      'out/renderer/**',
      'out/icons/**',
      '!node_modules/pkcs11js/{src,includes,binding.gyp,index.d.ts,README.md}',
      '!node_modules/pkcs11js/build/!(Release)',
      '!node_modules/pkcs11js/build/Release/{obj.target,.deps}',
      // Of what npm installed for several platforms, the one that is packaged.
      '!node_modules/@pcsc-mini/!(linux-x86_64-gnu)',
      '!node_modules/@node-usb/!(usb-linux-x64-gnu)',
      '!node_modules/@node-usb/*/README.md',
      '!node_modules/{pcsc-mini,usb}/README.md',
      '!node_modules/{pcsc-mini,usb}/**/*.d.ts',
      '!node_modules/@types',
    ],
    asar: true,
    asarUnpack: ['**/*.node'],
    extraResources: [
      // Go sources of the rehearsal's Vault: built on the person's machine, never shipped as a program.
      { from: 'build/servers/vault', to: 'servers/vault', filter: ['*'] },
      // The command line runs on the machine's own Node: RunAsNode is off in the app.
      { from: 'dist/.staging/command-line', to: 'command-line' },
      // A folder of this name inside a resource is left out unless it is named itself.
      { from: 'dist/.staging/command-line/node_modules', to: 'command-line/node_modules' },
    ],
    linux: { target: [{ target: 'dir', arch: ['x64'] }], executableName, icon: join(root, 'build/icons') },
    electronFuses: {
      runAsNode: false,
      enableCookieEncryption: true,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableEmbeddedAsarIntegrityValidation: true,
      onlyLoadAppFromAsar: true,
      loadBrowserProcessSpecificV8Snapshot: false,
      grantFileProtocolExtraPrivileges: false,
    },
  };
}

/**
 * The command line laid out as in a checkout, so that it finds its hosts, its version and the server sources
 * in the same places. Gathered outside `out/`: electron-builder leaves out of the archive what an extra
 * resource takes.
 */
async function stageCommandLine(): Promise<void> {
  const stage = join(dist, '.staging', 'command-line');
  await rm(stage, { recursive: true, force: true });
  const built = await readdir(join(root, 'out/main'));
  for (const name of [
    ...built.filter((file) => /^custodian(?:-[\w-]+)?\.cjs$/u.test(file)),
    'token-host.cjs',
    'share-host.cjs',
    'presence-host.cjs',
    'cluster-host.cjs',
    'package.json',
    'third-party-notices.txt',
  ])
    await cp(join(root, 'out/main', name), join(stage, 'out/main', name));
  const { name, version, license } = z
    .object({ name: z.string(), version: z.string(), license: z.string() })
    .parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  await writeFile(join(stage, 'package.json'), `${JSON.stringify({ name, version, license }, undefined, 2)}\n`);
  await cp(join(root, 'build/launchers/custodian'), join(stage, 'custodian'));
  await cp(join(root, 'build/servers/vault'), join(stage, 'build/servers/vault'), {
    recursive: true,
    // What is built for tests alone.
    filter: (path) => !path.endsWith('kubernetes-auth'),
  });
  for (const [name, files] of Object.entries(bindingFiles))
    for (const file of files) await cp(join(root, 'node_modules', name, file), join(stage, 'node_modules', name, file));
}

async function makeTestPackage(shipped: string): Promise<void> {
  const folder = join(dist, 'test');
  const work = join(folder, '.making');
  const target = join(folder, 'linux-unpacked');
  await rm(work, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await cp(shipped, work, { recursive: true, verbatimSymlinks: true });
  await flipFuses(join(work, executableName), {
    version: FuseVersion.V1,
    [FuseV1Options.EnableNodeCliInspectArguments]: true,
  });
  // Tells the app that a debugger's switches are no attack here.
  await writeFile(join(work, 'resources/test-package'), 'Made for tests; never shipped.\n');
  await rm(target, { recursive: true, force: true });
  await rename(work, target);
}

const electronDist = process.argv[2];
if (electronDist === undefined) throw new Error('Name the folder of an Electron distribution.');
const electronVersion = (await readFile(join(electronDist, 'version'), 'utf8')).trim().replace(/^v/, '');
const started = performance.now();

await stageCommandLine();
await build({
  projectDir: root,
  targets: Platform.LINUX.createTarget('dir', Arch.x64),
  config: configuration(electronDist, electronVersion),
});
await makeTestPackage(join(dist, 'linux-unpacked'));
await writeFile(join(dist, '.packaged'), `${electronVersion}\n`);
console.log(`  packaged with Electron ${electronVersion} in ${((performance.now() - started) / 1000).toFixed(1)} s`);
