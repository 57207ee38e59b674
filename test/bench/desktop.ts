/** The packaged app as it is shipped: how soon its tray is up, how long its main process stalls, what it takes when idle. */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { figuresFileName, type Figure } from './desktop/figures.ts';
import type { MeasurementRow } from './measurement-row.ts';

const figuresPath = join(import.meta.dirname, '..', 'out', figuresFileName);

interface Words {
  readonly what: string;
  readonly unit: string;
  /** Where there is one. */
  readonly limit?: number;
  readonly target?: string;
}

const words: Readonly<Record<Figure['name'], Words>> = {
  'tray-milliseconds': { what: 'start to tray icon (median of 7)', unit: ' ms', limit: 1000, target: '≤ 1000 ms' },
  'stall-milliseconds': {
    what: 'longest stall of main while a token is set up (RSA 4096)',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'idle-percent': {
    what: 'CPU of all processes, tray only, one Vault followed',
    unit: ' %',
    limit: 0.2,
    target: '< 0.2 %',
  },
  'device-stall-milliseconds': {
    what: 'longest stall of main while a SmartCard-HSM is initialised, makes a slow key and is unplugged',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'device-frame-milliseconds': {
    what: 'longest gap between two frames of the window meanwhile',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'device-shown-milliseconds': {
    what: 'a device shown, after a fresh OpenSC of our own knows it (median of 5)',
    unit: ' ms',
    limit: 500,
    target: '≤ 500 ms',
  },
  'device-after-reader-milliseconds': {
    what: 'a device shown, after its reader has it (longest of 5)',
    unit: ' ms',
    limit: 3000,
    target: '≤ 3000 ms',
  },
  'device-recovered-milliseconds': {
    what: 'pulled out while it makes a key and put back: the run asks for the PIN again, after its reader has it (longest of 2), and comes to its end',
    unit: ' ms',
    limit: 3000,
    target: '≤ 3000 ms',
  },
  'device-wakeups': {
    what: 'wake-ups a second of the helper processes that watch readers and hold tokens, idle',
    unit: '',
    limit: 4,
    target: '≤ 4',
  },
  'nodes-listed-milliseconds': { what: '1,000 nodes listed in the window; by hand: kubectl get -o name', unit: ' ms' },
  'nodes-stall-milliseconds': {
    what: 'longest stall of main while 1,000 nodes are listed, scrolled to the end and searched',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'nodes-frame-milliseconds': {
    what: 'longest gap between two frames of the window meanwhile',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'secrets-listed-milliseconds': {
    what: '5,000 Secrets listed in the window; by hand: kubectl get -o name',
    unit: ' ms',
  },
  'secrets-stall-milliseconds': {
    what: 'longest stall of main while 5,000 Secrets are listed, scrolled to the end and searched',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'secrets-frame-milliseconds': {
    what: 'longest gap between two frames of the window meanwhile',
    unit: ' ms',
    limit: 50,
    target: '≤ 50 ms',
  },
  'window-wakeups': {
    what: 'wake-ups a second of main, its window open and a device plugged in, idle',
    unit: '',
    limit: 4,
    target: '≤ 4',
  },
  'idle-renderers': { what: 'renderer processes while only the tray shows', unit: '', limit: 0, target: '0' },
};

export default function measureDesktop(): readonly MeasurementRow[] {
  rmSync(figuresPath, { force: true });
  const root = join(import.meta.dirname, '..', '..');
  const { status } = spawnSync(
    process.execPath,
    [join(root, 'build', 'run-as-user.mjs'), '--config', 'test/bench/desktop/playwright.config.ts'],
    { cwd: root, stdio: 'inherit' },
  );
  if (status !== 0) throw new Error('A measurement on the packaged app failed.');
  const figures = readFileSync(figuresPath, 'utf8')
    .trim()
    .split('\n')
    .map((line): Figure => JSON.parse(line) as Figure);
  return figures.map(({ name, value, byHand }) => {
    const { what, unit, limit, target } = words[name];
    const written = (figure: number): string => `${figure.toFixed(name === 'idle-percent' ? 3 : 0)}${unit}`;
    return {
      what,
      measured: written(value),
      ...(byHand === undefined ? {} : { byHand: written(byHand) }),
      ...(target === undefined ? {} : { target }),
      ...(limit === undefined ? {} : { met: value <= limit }),
    };
  });
}
