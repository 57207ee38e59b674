/**
 * A throw-away Vault (or OpenBao) on loopback: own directory, own configuration, own process. Rehearsals
 * and tests start the same one. One object is one node; a cluster is several that join over raft.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, statSync, truncateSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { failure, success, type RehearsalFailureCode, type Result } from '../workflows/failures.ts';
import { endStrayProcess, processStartTime } from './stray-process.ts';
import { findOnPath } from './vault-binary.ts';

const logLimitBytes = 1_048_576;
const startDeadlineMilliseconds = 30_000;
const stopDeadlineMilliseconds = 5_000;

export interface VaultServerOptions {
  /** Absolute path of `vault` or `bao`. */
  readonly binary: string;
  /** Belongs to this node alone; made with mode 0700. */
  readonly directory: string;
  readonly storage: 'raft' | 'inmem';
  /** raft only: unique within the cluster. */
  readonly nodeId: string;
  /** undefined: plain http, for loopback tests. */
  readonly tls: { readonly certificatePath: string; readonly keyPath: string; readonly caPath: string } | undefined;
  /** Taken if free. */
  readonly preferredPort?: number;
  /** Where the other nodes of a cluster know it by. */
  readonly preferredClusterPort?: number;
  /** The port was in use until just now by a server that has ended: wait up to 2 s until the system frees it. */
  readonly portJustLeft?: boolean;
  /** API address of the node to join (raft, retry_join). */
  readonly joinAddress?: string;
  /** HCL that is put at the end of the configuration: a seal, a folder for plugins. */
  readonly furtherConfiguration?: string;
}

export interface VaultServer {
  readonly address: string;
  readonly port: number;
  readonly clusterPort: number;
  readonly pid: number;
  readonly directory: string;
  readonly logPath: string;
  /** SIGTERM, and SIGKILL when that takes longer than 5 s. Files stay. */
  stop(): Promise<void>;
  /** SIGKILL: as when the power goes. Files stay. */
  kill(): Promise<void>;
  onExit(listener: () => void): void;
}

async function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(undefined));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = probe.address();
      const taken = typeof address === 'object' && address !== null ? address.port : undefined;
      probe.close(() => resolve(taken));
    });
  });
}

/** Of this process: what asks for several ports gets several, though none of them is listened on yet. */
const portsGiven = new Set<number>();

/** A free loopback port that was not given before; the preferred one if it is free, now or after so many more looks 50 ms apart. */
export async function findFreePort(preferred = 0, furtherLooks = 0): Promise<number> {
  for (let look = 0; preferred !== 0 && look <= furtherLooks; look += 1) {
    if (look > 0) await delay(50);
    const taken = await listenOnce(preferred);
    if (taken !== undefined) return taken;
  }
  for (let tries = 0; tries < 100; tries += 1) {
    const port = await listenOnce(0);
    if (port === undefined) break;
    if (portsGiven.has(port)) continue;
    portsGiven.add(port);
    return port;
  }
  throw new Error('No loopback port can be listened on.');
}

function quote(text: string): string {
  return JSON.stringify(text);
}

function configuration(options: VaultServerOptions, port: number, clusterPort: number): string {
  const scheme = options.tls === undefined ? 'http' : 'https';
  const listener =
    options.tls === undefined
      ? 'tls_disable = true'
      : `tls_cert_file = ${quote(options.tls.certificatePath)}\n  tls_key_file = ${quote(options.tls.keyPath)}`;
  const join_ =
    options.joinAddress === undefined
      ? ''
      : `\n  retry_join {\n    leader_api_addr = ${quote(options.joinAddress)}${
          options.tls === undefined ? '' : `\n    leader_ca_cert_file = ${quote(options.tls.caPath)}`
        }\n  }`;
  const storage =
    options.storage === 'inmem'
      ? 'storage "inmem" {}'
      : // performance_multiplier 1: fail-over in about 3 s instead of 14 s.
        `storage "raft" {\n  path = ${quote(join(options.directory, 'data'))}\n  node_id = ${quote(options.nodeId)}\n  performance_multiplier = 1${join_}\n}`;
  return `disable_mlock = true
ui = false
cluster_name = "rehearsal"
log_level = "warn"
api_addr = "${scheme}://127.0.0.1:${port}"
cluster_addr = "https://127.0.0.1:${clusterPort}"
${storage}
listener "tcp" {
  address = "127.0.0.1:${port}"
  cluster_address = "127.0.0.1:${clusterPort}"
  ${listener}
}
${options.furtherConfiguration ?? ''}
`;
}

/** Vault appends to its own descriptor; what lies beyond the limit is cut off while it runs. */
function capLog(path: string): NodeJS.Timeout {
  const timer = setInterval(() => {
    const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (size > logLimitBytes) truncateSync(path, 0);
  }, 30_000);
  timer.unref();
  return timer;
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

async function ended(child: ChildProcess, milliseconds: number): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}

/** The last words of the log: Vault says there why it would not start. Holds no secret at level warn. */
async function logTail(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(-600).trim();
}

/**
 * Starts one node and answers once its port takes connections.
 * Failure: Rehearsal_VaultStartFailed with the end of the log.
 */
export async function startVaultNode(options: VaultServerOptions): Promise<Result<VaultServer, RehearsalFailureCode>> {
  const { directory } = options;
  await mkdir(join(directory, 'data'), { recursive: true, mode: 0o700 });
  const pidPath = join(directory, 'process.json');
  // The system closes the port of a killed process a moment after the process is gone.
  const furtherLooks = (await endStrayProcess(pidPath)) || options.portJustLeft === true ? 40 : 0;
  const port = await findFreePort(options.preferredPort, furtherLooks);
  const clusterPort = await findFreePort(options.preferredClusterPort, furtherLooks);
  const configurationPath = join(directory, 'vault.hcl');
  const logPath = join(directory, 'vault.log');
  await writeFile(configurationPath, configuration(options, port, clusterPort), { mode: 0o600 });
  const log = openSync(logPath, 'a', 0o600);
  const command = [options.binary, 'server', `-config=${configurationPath}`];
  // setpriv (util-linux) has the kernel end Vault with the app even when the app is ended with SIGKILL.
  const setpriv = await findOnPath('setpriv', '/usr/bin:/bin');
  const [program = options.binary, ...argumentList] =
    setpriv === undefined ? command : [setpriv, '--pdeathsig', 'SIGKILL', ...command];
  const child = spawn(program, argumentList, {
    cwd: directory,
    // Nothing of the person's environment (VAULT_TOKEN, proxies) reaches the child; Go needs a HOME at most.
    env: { HOME: directory, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8' },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const spawned = await new Promise<boolean>((resolve) => {
    child.once('spawn', () => resolve(true));
    child.once('error', () => resolve(false));
  });
  const pid = child.pid;
  if (!spawned || pid === undefined) {
    return failure(
      'Rehearsal_VaultStartFailed',
      `The program ${options.binary} could not be started.`,
      'Check that the file may be executed, or remove it so that Vault is built again.',
    );
  }
  const killOnExit = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killOnExit);
  const timer = capLog(logPath);
  child.once('exit', () => {
    process.removeListener('exit', killOnExit);
    clearInterval(timer);
  });
  await writeFile(`${pidPath}.tmp`, JSON.stringify({ pid, startTime: await processStartTime(pid) }), { mode: 0o600 });
  await rename(`${pidPath}.tmp`, pidPath);

  const forget = async (): Promise<void> => rm(pidPath, { force: true });
  const server: VaultServer = {
    address: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    clusterPort,
    pid,
    directory,
    logPath,
    async stop() {
      child.kill('SIGTERM');
      if (!(await ended(child, stopDeadlineMilliseconds))) {
        child.kill('SIGKILL');
        await ended(child, stopDeadlineMilliseconds);
      }
      await forget();
    },
    async kill() {
      child.kill('SIGKILL');
      await ended(child, stopDeadlineMilliseconds);
      await forget();
    },
    onExit(listener) {
      child.once('exit', listener);
    },
  };
  const deadline = performance.now() + startDeadlineMilliseconds;
  while (performance.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (await accepts(port)) return success(server);
    await delay(50);
  }
  await server.kill();
  return failure(
    'Rehearsal_VaultStartFailed',
    'Vault was started but did not come up.',
    `Read ${logPath}, then discard the rehearsal and start it again.`,
    { log: await logTail(logPath) },
  );
}
