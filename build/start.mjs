#!/usr/bin/env node
/**
 * `npm start`: installs what is missing, builds what is old, and opens the packaged app. Under root it runs
 * as an ordinary user, because Electron's sandbox refuses root and is never switched off. Without a display
 * it runs the rehearsal in the terminal.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory, findProgram, projectNode, root, say, SetupError } from './setup/commands.mjs';
import { applicationPackages, ensureDebianPackages } from './setup/debian.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';
import { canRead, commandAs, environmentFor, ordinaryUser } from './setup/ordinary-user.mjs';
import { ensureSandbox } from './setup/sandbox.mjs';

const sharedFolder = '/var/cache/key-custodian';

/** Puts a file or folder of root's where the ordinary user can read it; replaces an older one at once. */
async function share(source, name) {
  await mkdir(sharedFolder, { recursive: true, mode: 0o755 });
  const target = join(sharedFolder, name);
  const work = `${target}.${process.pid}`;
  await cp(source, work, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  await rm(target, { recursive: true, force: true });
  await rename(work, target);
  return target;
}

/** Stays until the program ends, passes Ctrl+C on, and ends as it did. */
function runToTheEnd(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

async function rehearseInTerminal(args) {
  const { ensureBundle } = await import('./setup/application.mjs');
  await ensureBundle();
  say('No display here (neither DISPLAY nor WAYLAND_DISPLAY is set): running the rehearsal in the terminal.\n');
  return runToTheEnd(projectNode, [join(root, 'out/main/custodian.cjs'), 'rehearse', ...args], { cwd: root });
}

async function openApp(args) {
  const { ensureBundle, ensurePackage } = await import('./setup/application.mjs');
  const { ensureElectron } = await import('./setup/electron.mjs');
  const electron = await ensureElectron();
  await ensureBundle();
  let { shipped } = await ensurePackage(electron);

  const user = ordinaryUser();
  if (user === undefined) {
    await ensureSandbox(shipped);
    say('Opening Key Custodian');
    return runToTheEnd(join(shipped, 'key-custodian'), args, { cwd: root });
  }

  const environment = await environmentFor(user);
  if (!canRead(user, join(shipped, 'resources/app.asar'))) shipped = await share(shipped, 'linux-unpacked');
  await ensureSandbox(shipped);
  const vault = await findCachedVault();
  if (vault !== undefined && environment.VAULT_BIN === undefined)
    environment.VAULT_BIN = canRead(user, vault) ? vault : await share(vault, 'vault');
  say(`Opening Key Custodian as the user ${user.name}: the sandbox stays on, and it does not run under root.`);
  say(`Its settings and journals are kept under ${user.home}.`);
  const onBus = environment.DBUS_SESSION_BUS_ADDRESS === undefined && findProgram('dbus-run-session') !== undefined;
  const app = [join(shipped, 'key-custodian'), ...args];
  const [program, rest] = onBus ? ['dbus-run-session', ['--', ...app]] : [app[0], app.slice(1)];
  return runToTheEnd(...commandAs(user, program, rest), { cwd: user.home, env: environment });
}

/** Root's cache is closed to the ordinary user; building Vault twice would cost minutes. */
async function findCachedVault() {
  const source = join(root, 'electron/rehearsal/vault-binary.ts');
  if (!existsSync(source)) return undefined;
  const script = `import { findVaultBinary } from ${JSON.stringify(source)};
    process.stdout.write((await findVaultBinary(process.argv[1])) ?? '');`;
  const path = execFileSync(projectNode, ['--input-type=module', '-e', script, cacheDirectory()], { encoding: 'utf8' });
  return path === '' ? undefined : path;
}

try {
  const args = process.argv.slice(2);
  const display = process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY ?? '';
  ensureNodeModules();
  const needed = display === '' ? ['softhsm2', 'gnupg'] : applicationPackages;
  ensureDebianPackages(needed, display === '' ? 'the rehearsal' : 'the app');
  process.exitCode = display === '' ? await rehearseInTerminal(args) : await openApp(args);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
