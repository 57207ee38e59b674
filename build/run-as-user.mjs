#!/usr/bin/env node
/**
 * Runs Playwright on the packaged app under a virtual display, as an ordinary user: Electron's sandbox
 * refuses root. A checkout that the user can't read (below /root, say) is copied to where it can.
 * As a script it passes its arguments on: `node build/run-as-user.mjs test/e2e/some.spec.ts`.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectNode, root, say } from './setup/commands.mjs';
import { toolEnvironment } from './setup/application.mjs';
import { kubernetesVariables, startKubernetesSetup } from './setup/kubernetes.mjs';
import { canRead, commandAs, environmentFor, ordinaryUser } from './setup/ordinary-user.mjs';
import { ensureSandbox } from './setup/sandbox.mjs';

const deadlineMilliseconds = 45 * 60_000;

/** What Playwright and the tests read. */
const needed = [
  'node_modules',
  'test',
  'electron',
  'native',
  'renderer',
  'k8s-bridge',
  'build',
  'docs',
  'dist',
  'package.json',
  'tsconfig.json',
  'playwright.config.ts',
];

async function readableProject(user, work) {
  const probes = ['node_modules/@playwright/test/cli.js', 'dist/test/linux-unpacked/resources/app.asar', 'test/e2e'];
  if (user === undefined || probes.every((path) => canRead(user, join(root, path)))) return root;
  say('  The checkout is closed to ordinary users: the tests run on a copy of it');
  const copy = join(work, 'project');
  await mkdir(copy);
  for (const name of needed) {
    if (!existsSync(join(root, name))) continue;
    await cp(join(root, name), join(copy, name), {
      recursive: true,
      verbatimSymlinks: true,
      filter: (source) => !source.startsWith(join(root, 'test/out')),
    });
  }
  return copy;
}

/** Ends with the exit code of the program; nothing of it is left running. */
function runGroup(program, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'], detached: true, ...options });
    const endGroup = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    };
    const timer = setTimeout(() => {
      say(`  The end-to-end tests did not end within ${deadlineMilliseconds / 60_000} minutes: ended`);
      endGroup('SIGKILL');
    }, deadlineMilliseconds);
    for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => endGroup(signal));
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(timer);
      endGroup('SIGKILL');
      resolve(code ?? 1);
    });
  });
}

/**
 * @param playwrightArguments what comes after `playwright test`
 * @param reportPath where the JSON report is wanted
 * @returns Playwright's exit code
 */
export async function runEndToEnd(playwrightArguments, reportPath) {
  const user = ordinaryUser();
  // /var/tmp: on disk, and open to everybody where a private TMPDIR may not be.
  const work = await mkdtemp('/var/tmp/key-custodian-e2e-');
  await chmod(work, 0o755);
  try {
    const out = join(work, 'out');
    await mkdir(out);
    if (user !== undefined) await chown(out, user.uid, user.gid);
    const project = await readableProject(user, work);
    for (const name of ['dist/linux-unpacked', 'dist/test/linux-unpacked']) await ensureSandbox(join(project, name));
    const base = user === undefined ? process.env : await environmentFor(user);
    const environment = {
      ...base,
      PATH: toolEnvironment.PATH,
      KEY_CUSTODIAN_TEST_OUT: out,
      KEY_CUSTODIAN_TEST_REPORT: join(out, 'report.json'),
    };
    delete environment.DISPLAY;
    delete environment.WAYLAND_DISPLAY;
    delete environment.XAUTHORITY;
    delete environment.DBUS_SESSION_BUS_ADDRESS;
    for (const variable of ['VAULT_BIN', ...kubernetesVariables]) {
      const program = environment[variable];
      if (program === undefined || user === undefined || canRead(user, program)) continue;
      environment[variable] = join(work, basename(program));
      await cp(program, environment[variable]);
    }
    const node = project === root ? projectNode : join(project, 'node_modules/.bin/node');
    const playwright = [node, join(project, 'node_modules/@playwright/test/cli.js'), 'test', ...playwrightArguments];
    const screen = ['-a', '-s', '-screen 0 1440x1000x24', 'dbus-run-session', '--', ...playwright];
    const code = await runGroup(...commandAs(user, 'xvfb-run', screen), { cwd: project, env: environment });

    const kept = join(root, 'test/out');
    await mkdir(kept, { recursive: true });
    await cp(out, kept, { recursive: true });
    if (reportPath !== undefined && existsSync(join(out, 'report.json')))
      await cp(join(out, 'report.json'), reportPath);
    return code;
  } finally {
    await rm(work, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  Object.assign(process.env, await startKubernetesSetup()());
  process.exitCode = await runEndToEnd(process.argv.slice(2), undefined);
}
