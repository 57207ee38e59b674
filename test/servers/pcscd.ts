/**
 * The machine's smart card service with its virtual readers, for tests. There is one pcscd per machine (its socket
 * and the readers' ports are fixed), so whoever starts one holds a machine-wide lock until it is stopped.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { compileNoDelay } from '../../build/setup/no-delay.mjs';
import { pcscdArguments, virtualReadersPath } from '../../build/setup/virtual-readers.mjs';
import { processStartTime, takeMachineLock } from './machine-lock.ts';
import { readReaderStates } from './pcscd-states.ts';

type ReaderPorts = readonly [number, number];

/** Where the virtual reader's slots listen for their cards in a pcscd with Debian's /etc/reader.conf.d/vpcd. */
const debianPorts: ReaderPorts = [0x8c7b, 0x8c7c];

/** The same in one that a test has started. */
const ownPort = Number(/^CHANNELID\s+(0x[0-9A-F]+)$/mu.exec(readFileSync(virtualReadersPath, 'utf8'))?.[1]);
const ownPorts: ReaderPorts = [ownPort, ownPort + 1];
/** The names pcscd gives them. */
export const virtualReaderNames = ['Virtual PCD 00 00', 'Virtual PCD 00 01'] as const;

const driverPath = '/usr/lib/pcsc/drivers/serial/libifdvpcd.so';

export interface CardReaders {
  /** False where a pcscd ran already: it is left running by `stop`. */
  readonly started: boolean;
  /** Ends pcscd, waits for its end and lets the next one have the lock. */
  stop(): Promise<void>;
  /** SIGKILL: the service dies in mid-run. `start` brings it back. */
  kill(): Promise<void>;
  /** Starts it again after `kill` or a stop by hand; the cards that are plugged in are found again by themselves. */
  start(): Promise<void>;
}

/**
 * Starts pcscd and waits until it and its virtual readers answer. Where one runs already (a service of the machine,
 * or one that root started for an ordinary user's tests), that one is used.
 * Starting needs root; using does not.
 * @param options.patience how long to wait for another test's pcscd to end, in milliseconds
 * @param options.lookEvery how often it looks for cards, in milliseconds; 400, pcscd's own, where left out. Shorter
 * for a test that pulls a card out again and again; one that runs already keeps its own
 */
export async function startCardReaders(
  options: { readonly patience?: number; readonly lookEvery?: number } = {},
): Promise<CardReaders> {
  const lock = await takeMachineLock('pcscd', options);
  try {
    if (lock.leftBehind !== undefined) await endLeftBehind(lock.leftBehind);
    if (await areCardReadersRunning()) {
      const refuse = (): Promise<void> =>
        Promise.reject(new Error('This pcscd was not started by the test, so it is not ended by it.'));
      return { started: false, stop: async () => lock.release(), kill: refuse, start: refuse };
    }
    const missing = ['/usr/sbin/pcscd', driverPath].find((path) => !existsSync(path));
    if (missing !== undefined) throw new Error(`${missing} is missing: apt-get install pcscd vsmartcard-vpcd opensc`);
    if (process.getuid?.() !== 0)
      throw new Error('pcscd is not running and only root can start it: run `pcscd -f` as root beforehand.');
    const startNoted = (): Promise<ChildProcess> =>
      startService((pid) => lock.note(`${pid} ${processStartTime(pid)}`), options.lookEvery);
    let child = await startNoted();
    const killAtExit = (): void => void child.kill('SIGKILL');
    process.on('exit', killAtExit);
    return {
      started: true,
      stop: async () => {
        await endService(child, 'SIGTERM');
        process.off('exit', killAtExit);
        lock.release();
      },
      kill: () => endService(child, 'SIGKILL'),
      start: async () => {
        await endService(child, 'SIGTERM');
        child = await startNoted();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** Whether a pcscd answers on its socket and both virtual readers wait for cards. */
export async function areCardReadersRunning(): Promise<boolean> {
  const states = await readReaderStates();
  const names = states?.map((state) => state.name) ?? [];
  return virtualReaderNames.every((name) => names.includes(name)) && findReaderPorts() !== undefined;
}

/** Where the readers of whichever pcscd runs wait for their cards; undefined where none does. */
export function findReaderPorts(): ReaderPorts | undefined {
  return [ownPorts, debianPorts].find((ports) => ports.every(isListening));
}

/**
 * Waits until pcscd itself knows that a virtual reader holds a card, or none. It looks every 0.4 s.
 * @returns false where it does not within the patience, in milliseconds
 */
export async function waitForReader(readerIndex: 0 | 1, wanted: 'card' | 'empty', patience = 10_000): Promise<boolean> {
  const deadline = Date.now() + patience;
  for (;;) {
    const states = await readReaderStates();
    const reader = states?.find((state) => state.name === virtualReaderNames[readerIndex]);
    if (reader !== undefined && reader.hasCard === (wanted === 'card')) return true;
    if (Date.now() > deadline) return false;
    await wait(25);
  }
}

/** For tests that must not start a pcscd of their own (an ordinary user's): throws with what to do where none runs. */
export async function requireCardReaders(): Promise<void> {
  if (!(await areCardReadersRunning()))
    throw new Error('No pcscd with virtual readers runs: start `pcscd -f` as root (vsmartcard-vpcd installed).');
}

async function startService(started: (pid: number) => void, lookEvery: number | undefined): Promise<ChildProcess> {
  const preloaded = await compileNoDelay();
  const look = lookEvery === undefined ? {} : { TEST_PCSCD_LOOK_MS: lookEvery.toString() };
  try {
    return await startWith({ LD_PRELOAD: preloaded.path, ...look }, started);
  } finally {
    await preloaded.remove();
  }
}

async function startWith(
  environment: Readonly<Record<string, string>>,
  started: (pid: number) => void,
): Promise<ChildProcess> {
  const output: string[] = [];
  const child = spawn('/usr/sbin/pcscd', pcscdArguments, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  if (child.pid !== undefined) started(child.pid);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`pcscd ended at once: ${output.join('').slice(-2000)}`);
    if (await areCardReadersRunning()) return child;
    await wait(50);
  }
  child.kill('SIGKILL');
  throw new Error(`pcscd did not answer within 5 s: ${output.join('').slice(-2000)}`);
}

async function endService(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill(signal);
  const impatient = setTimeout(() => child.kill('SIGKILL'), 3000);
  await ended;
  clearTimeout(impatient);
}

/** Ends the pcscd of a test run that died, told by its pid and start time from any later process. */
async function endLeftBehind(note: string): Promise<void> {
  const [pid, startedAt] = note.split(' ');
  if (pid === undefined || pid === '' || startedAt === undefined || startedAt === '') return;
  if (processStartTime(Number(pid)) !== startedAt) return;
  process.kill(Number(pid), 'SIGKILL');
  while (processStartTime(Number(pid)) === startedAt) await wait(20);
}

/** Looks into the kernel's table: a connection made to find out would count as a card that is plugged in. */
function isListening(port: number): boolean {
  const listening = '0A';
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['/proc/net/tcp', '/proc/net/tcp6'].some((table) => {
    if (!existsSync(table)) return false;
    const rows = readFileSync(table, 'utf8').split('\n').slice(1);
    return rows.some((row) => {
      const [, local, , state] = row.trim().split(/\s+/);
      return local?.endsWith(wanted) === true && state === listening;
    });
  });
}
