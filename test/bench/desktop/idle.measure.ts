/** What the shipped app takes while only its tray shows and it follows one Vault; nothing is attached to it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@playwright/test';
import { followVault } from '../../e2e/launch/followed-vault.ts';
import { makeAppHome, shippedExecutable } from '../../e2e/launch/launch-app.ts';
import { startVaultServer } from '../../servers/vault-server.ts';
import { keepFigure } from './figures.ts';

/** V8 goes on tidying its memory for some half a minute after the start. */
const settleMilliseconds = 45_000;
const watchMilliseconds = 60_000;
/** USER_HZ: what /proc counts in, on every Linux that Electron runs on. */
const ticksPerSecond = 100;

interface ProcessTimes {
  readonly parent: number;
  readonly ticks: number;
  readonly commandLine: string;
}

function readProcesses(): ReadonlyMap<number, ProcessTimes> {
  const found = new Map<number, ProcessTimes>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/u.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /u, '')
        .split(' ');
      const commandLine = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      found.set(Number(name), {
        parent: Number(fields[1]),
        ticks: Number(fields[11]) + Number(fields[12]),
        commandLine,
      });
    } catch (cause) {
      // A process that ended between the listing and the reading.
      if (!(cause instanceof Error)) throw cause;
    }
  }
  return found;
}

function familyOf(root: number): readonly ProcessTimes[] {
  const all = readProcesses();
  const belongs = (id: number): boolean => {
    if (id === root) return true;
    const parent = all.get(id)?.parent;
    return parent !== undefined && parent > 1 && belongs(parent);
  };
  return [...all].filter(([id]) => belongs(id)).map(([, times]) => times);
}

const ticksOf = (family: readonly ProcessTimes[]): number => family.reduce((sum, { ticks }) => sum + ticks, 0);

test('idle in the tray', async () => {
  const vault = await startVaultServer({ storage: 'inmem' });
  const home = await makeAppHome();
  try {
    await followVault(home, vault, 'watched', 'Watched');
    const app = spawn(shippedExecutable, ['--hidden', `--user-data-dir=${home.userDataDirectory}`], {
      cwd: home.directory,
      env: { ...home.environment },
      stdio: 'ignore',
    });
    const ended = once(app, 'exit');
    const family = (): readonly ProcessTimes[] => familyOf(app.pid ?? -1);
    try {
      await new Promise((resolve) => setTimeout(resolve, settleMilliseconds));
      const before = ticksOf(family());
      await new Promise((resolve) => setTimeout(resolve, watchMilliseconds));
      const after = family();
      expect(after.length).toBeGreaterThan(0);
      const seconds = (ticksOf(after) - before) / ticksPerSecond;
      keepFigure({ name: 'idle-percent', value: (100 * seconds) / (watchMilliseconds / 1000) });
      const renderers = after.filter(({ commandLine }) => commandLine.includes('--type=renderer')).length;
      keepFigure({ name: 'idle-renderers', value: renderers });
    } finally {
      app.kill('SIGTERM');
      await ended;
    }
  } finally {
    await home.remove();
    await vault.stop();
  }
});
