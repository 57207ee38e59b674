/** What the KMS bench measures: the bundled provider, a minimal Go plugin, and the Go client that calls both. */
import { execFile, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { KmsPlace, KmsToken } from '../fixtures/kms-provider.ts';
import { kmsTestPin } from '../fixtures/kms-provider.ts';
import { softHsmModulePath } from '../fixtures/softhsm.ts';
import { connectKms } from '../servers/kms-client.ts';
import type { MeasurementRow } from './measurement-row.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const sources = join(root, 'test/servers/kms-go');

/** What the provider's deployment sets malloc to: the systemd unit's, which the image has as well (`kms-deployment`). */
function readAllocatorSettings(): Readonly<Record<string, string>> {
  const unit = readFileSync(join(root, 'build/systemd/key-custodian-kms.service'), 'utf8');
  const settings = unit.matchAll(/^Environment=(MALLOC_\w+)=(\d+)$/gmu);
  return Object.fromEntries([...settings].map(([, name = '', value = '']) => [name, value] as const));
}

export interface MeasuredPlugin {
  readonly socketPath: string;
  /** Megabytes. */
  residentMemory(): number;
  end(): void;
}

/** Builds the programs where the sources are newer; Go itself knows that. @returns their folder */
export async function buildGoPrograms(): Promise<string> {
  const usual = '/usr/local/go/bin/go';
  const target = join(process.env['KEY_CUSTODIAN_CACHE'] ?? join(root, 'out'), 'servers', 'kms-go');
  await mkdir(target, { recursive: true });
  const args = ['build', '-trimpath', '-mod=readonly', '-o', `${target}/`, '.', './transit', './load'];
  await run(existsSync(usual) ? usual : 'go', args, {
    cwd: sources,
    env: { ...process.env, CGO_ENABLED: '1', GOWORK: 'off' },
  });
  return target;
}

async function startPlugin(
  program: string,
  argumentList: readonly string[],
  token: KmsToken | undefined,
  socketPath: string,
  options: { readonly environment?: Readonly<Record<string, string>>; readonly testSecret?: string } = {},
): Promise<MeasuredPlugin> {
  const child = spawn(program, argumentList, {
    env: {
      PATH: process.env['PATH'] ?? '',
      ...options.environment,
      ...(token === undefined ? {} : { SOFTHSM2_CONF: token.configurationPath }),
    },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.stdin.end(`${options.testSecret ?? kmsTestPin}\n`);
  const client = connectKms(socketPath);
  try {
    // Each failed call waits a while by itself.
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const status = await client.status();
      if (status.ok && status.value.healthz === 'ok') break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  } finally {
    client.close();
  }
  return {
    socketPath,
    residentMemory: () => {
      const status = readFileSync(`/proc/${String(child.pid)}/status`, 'utf8');
      return Number(/VmRSS:\s+(\d+) kB/u.exec(status)?.[1]) / 1024;
    },
    end: () => {
      child.kill('SIGKILL');
    },
  };
}

/** @param token whose store it finds; none with Transit */
export function startBundledProvider(token: KmsToken | undefined, place: KmsPlace): Promise<MeasuredPlugin> {
  const bundle = join(root, 'out/main/custodian.cjs');
  const argumentList = [bundle, 'kms', 'serve', '--config', place.configurationPath];
  return startPlugin(process.execPath, argumentList, token, place.socketPath, { environment: readAllocatorSettings() });
}

export function startGoPlugin(programs: string, token: KmsToken, place: KmsPlace): Promise<MeasuredPlugin> {
  const socketPath = join(place.directory, 'go.socket');
  return startPlugin(
    join(programs, 'kms-go'),
    [socketPath, softHsmModulePath, token.label, 'kms-key'],
    token,
    socketPath,
  );
}

/** @param folder where its socket may lie */
export function startGoTransitPlugin(
  programs: string,
  vault: { readonly address: string; readonly caPath: string },
  key: string,
  testToken: string,
  folder: string,
): Promise<MeasuredPlugin> {
  const socketPath = join(folder, 'go-transit.socket');
  const argumentList = [socketPath, vault.address, vault.caPath, key];
  return startPlugin(join(programs, 'transit'), argumentList, undefined, socketPath, { testSecret: testToken });
}

/** Of a provider, in megabytes. */
const residentLimit = 90;

export function memoryRow(what: string, megabytes: number): MeasurementRow {
  return {
    what,
    measured: `${megabytes.toFixed(0)} MB`,
    target: `${residentLimit} MB`,
    met: megabytes < residentLimit,
  };
}

/** @returns milliseconds of each call, sorted */
export async function measureCalls(
  programs: string,
  plugin: MeasuredPlugin,
  what: 'encrypt' | 'decrypt' | 'status',
  inFlight: number,
  calls: number,
): Promise<readonly number[]> {
  const argumentList = [plugin.socketPath, what, String(inFlight), String(calls)];
  const { stdout } = await run(join(programs, 'load'), argumentList, { maxBuffer: 64 * 1024 * 1024 });
  const nanoseconds = z.array(z.number()).parse(JSON.parse(stdout));
  return nanoseconds.map((value) => value / 1_000_000).toSorted((one, other) => one - other);
}
