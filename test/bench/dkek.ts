/**
 * Making a DKEK share file, here and by sc-hsm-tool on a card in software: both derive a key in thirty million
 * rounds of MD5. Beside it, the longest time that this process's event loop had to wait meanwhile.
 *
 * Alone, as root: npx node test/bench/dkek.ts
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { pathToFileURL } from 'node:url';
import { createDkekShareFile } from '../../native/smartcard-hsm/dkek/dkek-share-file.ts';
import { createCard } from '../fixtures/smartcard-hsm/card.ts';
import { runTool } from '../fixtures/smartcard-hsm/tools.ts';
import { startCardReaders } from '../servers/pcscd.ts';
import type { MeasurementRow } from './measurement-row.ts';

const testPassword = 'test password';
const rounds = 2;
const mostOfTool = 1;
const longestStall = 50;

interface DkekMeasurement {
  /** Milliseconds; the best of the rounds, so that what else the machine did counts least. */
  readonly own: number;
  readonly tool: number;
  /** Milliseconds, the longest within the quieter round. */
  readonly stall: number;
}

async function measureOwn(): Promise<{ readonly milliseconds: number; readonly stall: number }> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const start = performance.now();
  const { share } = await createDkekShareFile(Buffer.from(testPassword));
  const milliseconds = performance.now() - start;
  delay.disable();
  share.fill(0);
  return { milliseconds, stall: delay.max / 1e6 };
}

async function measureTool(path: string): Promise<number> {
  const options = ['--create-dkek-share', path, '--password', testPassword];
  const start = performance.now();
  const { exitCode, output } = await runTool('sc-hsm-tool', options, { deadline: 180_000 });
  if (exitCode !== 0) throw new Error(`sc-hsm-tool ended with ${exitCode}: ${output}`);
  return performance.now() - start;
}

async function measureDkek(): Promise<DkekMeasurement> {
  const directory = await mkdtemp(join(tmpdir(), 'key-custodian-dkek-bench-'));
  const readers = await startCardReaders();
  const card = createCard();
  try {
    await card.plugIn();
    const own: number[] = [];
    const tool: number[] = [];
    const stalls: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const measured = await measureOwn();
      own.push(measured.milliseconds);
      stalls.push(measured.stall);
      tool.push(await measureTool(join(directory, `share-${round}.pbe`)));
    }
    return { own: Math.min(...own), tool: Math.min(...tool), stall: Math.min(...stalls) };
  } finally {
    card.unplug();
    await readers.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

export default async function measure(): Promise<readonly MeasurementRow[]> {
  const { own, tool, stall } = await measureDkek();
  return [
    {
      what: 'DKEK share file made (30,000,000 rounds of MD5)',
      measured: `${seconds(own)}, ${(own / tool).toFixed(2)} of sc-hsm-tool`,
      byHand: seconds(tool),
      target: `≤ ${mostOfTool} of sc-hsm-tool`,
      met: own / tool <= mostOfTool,
    },
    {
      what: 'Event loop stalled while a DKEK share file is made',
      measured: `${stall.toFixed(0)} ms`,
      target: `≤ ${longestStall} ms`,
      met: stall <= longestStall,
    },
  ];
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.log(await measure());
