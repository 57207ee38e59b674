#!/usr/bin/env node
/**
 * `npm test`: set-up, then every check and test, all of them even after a failure.
 * `npm test -- checks unit contract integration e2e` runs only the named parts.
 * The last line is `N passed, N failed`; a skipped test counts as failed.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDirectory, projectNode, root, say, SetupError } from './setup/commands.mjs';
import { applicationPackages, ensureDebianPackages, testPackages } from './setup/debian.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';

const parts = ['checks', 'unit', 'contract', 'integration', 'e2e'];
const wanted = process.argv.slice(2).filter((argument) => argument !== '--');
const unknown = wanted.filter((part) => !parts.includes(part));
if (unknown.length > 0) {
  console.error(`There is no part called ${unknown.join(', ')}. The parts: ${parts.join(', ')}.`);
  process.exit(2);
}
const wants = (part) => wanted.length === 0 || wanted.includes(part);

const results = [];

/** Runs one stage, prints its time and outcome, and remembers its counts whatever happens in it. */
async function stage(name, work) {
  say(`\n── ${name}`);
  const started = performance.now();
  let counts;
  try {
    counts = await work();
  } catch (error) {
    console.error(error instanceof SetupError ? error.message : error);
    counts = { passed: 0, failed: 1 };
  }
  const seconds = (performance.now() - started) / 1000;
  results.push({ name, seconds, ...counts });
  say(`── ${name}: ${counts.passed} passed, ${counts.failed} failed, ${seconds.toFixed(1)} s`);
  return counts.failed === 0;
}

function report() {
  say('\nStage                                 passed   failed    seconds');
  for (const { name, passed, failed, seconds } of results) {
    say(
      `${name.padEnd(36)}${String(passed).padStart(8)}${String(failed).padStart(9)}${seconds.toFixed(1).padStart(11)}`,
    );
  }
  const total = (key) => results.reduce((sum, result) => sum + result[key], 0);
  const failed = total('failed');
  process.exitCode = failed === 0 ? 0 : 1;
  say(`${total('passed')} passed, ${failed} failed`);
}

const environment = {};

/** A program of node_modules, run by the project's own Node; what it says is shown only when it fails. */
function check(script, args) {
  const result = spawnSync(projectNode, [join(root, 'node_modules', script), ...args], {
    cwd: root,
    env: environment,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 256 * 1024 * 1024,
  });
  if (result.status === 0) return { passed: 1, failed: 0 };
  say(`${result.stdout}${result.stderr}`.trimEnd());
  return { passed: 0, failed: 1 };
}

const rooms = ['electron', 'native', 'renderer', 'k8s-bridge', 'build', 'test'];

async function runChecks() {
  await stage('format (prettier)', () => check('prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']));
  await stage('types (tsc)', () => check('typescript/bin/tsc', ['--build']));
  await stage('lint (eslint)', () => check('eslint/bin/eslint.js', ['.', '--max-warnings', '0']));
  const present = rooms.filter((room) => existsSync(join(root, room)));
  const rules = ['--config', 'build/dependency-rules.cjs', '--output-type', 'err', ...present];
  await stage('who imports whom (dependency-cruiser)', () =>
    check('dependency-cruiser/bin/dependency-cruiser.mjs', rules),
  );
  await stage('dead code (knip)', () => check('knip/bin/knip.js', ['--no-progress', '--no-config-hints']));
}

async function runVitest(name, projects, reports) {
  const { countVitest } = await import('./setup/test-reports.mjs');
  const reportPath = join(reports, `${projects.join('-')}.json`);
  await stage(name, () => {
    const selected = projects.flatMap((project) => ['--project', project]);
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportPath}`];
    const { status } = spawnSync(
      projectNode,
      [join(root, 'node_modules/vitest/vitest.mjs'), 'run', ...selected, ...reporters],
      { cwd: root, env: environment, stdio: ['ignore', 'inherit', 'inherit'] },
    );
    return countVitest(reportPath, status);
  });
}

async function runPackagedApp(reports) {
  const { ensureBundle, ensurePackage } = await import('./setup/application.mjs');
  const { ensureElectron } = await import('./setup/electron.mjs');
  const packaged = await stage('package', async () => {
    const electron = await ensureElectron();
    await ensureBundle();
    await ensurePackage(electron);
    return { passed: 1, failed: 0 };
  });
  const { runEndToEnd } = await import('./run-as-user.mjs');
  const { countPlaywright } = await import('./setup/test-reports.mjs');
  const reportPath = join(reports, 'e2e.json');
  await stage('end to end and security (playwright)', async () => {
    if (!packaged) throw new SetupError('There is no package to test.');
    const { startCardService } = await import('./setup/card-service.mjs');
    const stopCardService = await startCardService();
    try {
      return countPlaywright(reportPath, await runEndToEnd([], reportPath));
    } finally {
      await stopCardService();
    }
  });
}

/** Set where a part needs a cluster: its server may take minutes to build, while the quick parts run. */
let waitForKubernetes;

async function provideKubernetes() {
  await stage('Kubernetes for the tests', async () => {
    const variables = await waitForKubernetes();
    Object.assign(environment, variables);
    Object.assign(process.env, variables);
    return { passed: 1, failed: 0 };
  });
}

async function setUp() {
  say('Setting up');
  ensureNodeModules();
  ensureDebianPackages([...new Set([...applicationPackages, ...testPackages])], 'the tests');
  const { toolEnvironment } = await import('./setup/application.mjs');
  Object.assign(environment, toolEnvironment, { KEY_CUSTODIAN_CACHE: cacheDirectory() });
  if (wants('integration') || wants('e2e')) {
    const { startKubernetesSetup } = await import('./setup/kubernetes.mjs');
    waitForKubernetes = startKubernetesSetup();
    const { ensureVault, ensureVaultKubernetesLogIn } = await import('./setup/vault.mjs');
    const path = await ensureVault();
    environment.VAULT_BIN = process.env.VAULT_BIN = path;
    if (wants('integration')) {
      environment.VAULT_KUBERNETES_LOG_IN_BIN = await ensureVaultKubernetesLogIn();
      const { ensureToxiproxy } = await import('./setup/toxiproxy.mjs');
      environment.TOXIPROXY_BIN = await ensureToxiproxy();
    }
  }
}

const reports = await mkdtemp(join(tmpdir(), 'key-custodian-reports-'));
try {
  let ready = true;
  try {
    await setUp();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`\n${error.message}`);
    results.push({ name: 'set-up', seconds: 0, passed: 0, failed: 1 });
    ready = existsSync(projectNode);
  }
  if (ready) {
    if (wants('checks')) await runChecks();
    const quick = ['unit', 'contract'].filter(wants);
    if (quick.length > 0) await runVitest(`${quick.join(' and ')} (vitest)`, quick, reports);
    if (waitForKubernetes !== undefined) await provideKubernetes();
    if (wants('integration')) await runVitest('integration (vitest)', ['integration'], reports);
    if (wants('e2e')) await runPackagedApp(reports);
  }
} finally {
  await rm(reports, { recursive: true, force: true });
}
report();
