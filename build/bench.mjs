#!/usr/bin/env node
/**
 * `npm run bench`: runs every measurement in test/bench and prints one table. A measurement is a module
 * whose default export is an async function that answers rows; names after `--` choose some of them.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startCardService } from './setup/card-service.mjs';
import { cacheDirectory, projectNode, root, say, SetupError } from './setup/commands.mjs';
import { applicationPackages, ensureDebianPackages, testPackages } from './setup/debian.mjs';
import { ensureNodeModules } from './setup/node-modules.mjs';

/** Runs one measurement in a process of its own, so that none warms up or burdens the next. */
function measure(file, environment, folder) {
  const result = join(folder, 'rows.json');
  rmSync(result, { force: true });
  const script = `import { writeFileSync } from 'node:fs';
    const module = await import(${JSON.stringify(join(root, 'test/bench', file))});
    const rows = typeof module.default === 'function' ? await module.default() : [];
    writeFileSync(process.argv[1], JSON.stringify(rows ?? []));
    process.exit(0);`;
  const { status } = spawnSync(projectNode, ['--input-type=module', '-e', script, result], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return status === 0 ? JSON.parse(readFileSync(result, 'utf8')) : undefined;
}

function printTable(rows) {
  const columns = ['what', 'measured', 'by hand', 'target', 'met'];
  const cells = rows.map((row) => [
    row.what,
    row.measured,
    row.byHand ?? '',
    row.target ?? '',
    row.met === undefined ? '' : row.met ? 'yes' : 'NO',
  ]);
  const table = [columns, ...cells.map((row) => row.map(String))];
  const widths = columns.map((_, column) => Math.max(...table.map((row) => row[column].length)));
  for (const row of table)
    say(
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    );
}

const folder = mkdtempSync(join(tmpdir(), 'key-custodian-bench-'));
try {
  ensureNodeModules();
  ensureDebianPackages([...new Set([...applicationPackages, ...testPackages])], 'the measurements');
  const { ensureBundle, ensurePackage, toolEnvironment } = await import('./setup/application.mjs');
  const { ensureElectron } = await import('./setup/electron.mjs');
  const { startKubernetesSetup } = await import('./setup/kubernetes.mjs');
  const waitForKubernetes = startKubernetesSetup();
  const { ensureVault } = await import('./setup/vault.mjs');
  await ensureBundle();
  await ensurePackage(await ensureElectron());
  const servers = { VAULT_BIN: await ensureVault(), ...(await waitForKubernetes()) };
  const environment = { ...toolEnvironment, KEY_CUSTODIAN_CACHE: cacheDirectory(), ...servers };
  const chosen = process.argv.slice(2).filter((argument) => argument !== '--');
  const files = readdirSync(join(root, 'test/bench'))
    .filter(
      (name) => name.endsWith('.ts') && readFileSync(join(root, 'test/bench', name), 'utf8').includes('export default'),
    )
    .filter((name) => chosen.length === 0 || chosen.some((part) => name.includes(part)))
    .sort();
  const rows = [];
  const stopCardService = await startCardService();
  try {
    for (const file of files) {
      say(`Measuring: ${file}`);
      const measured = measure(file, environment, folder);
      if (measured === undefined) process.exitCode = 1;
      rows.push(...(measured ?? [{ what: file, measured: 'failed', met: false }]));
    }
  } finally {
    await stopCardService();
  }
  say('');
  printTable(rows);
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
