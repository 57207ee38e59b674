/** Starts a server program of a test cluster with its log in a file, and makes sure that it ends with the test. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { findOnPath } from '../../electron/rehearsal/vault-binary.ts';

export interface ServerProcess {
  readonly pid: number;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  hasEnded(): boolean;
  /** The end of what it said. */
  log(): Promise<string>;
}

/** @param logPath appended to */
export async function startServerProcess(
  program: string,
  argumentList: readonly string[],
  directory: string,
  logPath: string,
): Promise<ServerProcess> {
  const log = openSync(logPath, 'a', 0o600);
  // The kernel ends it with the test, even where the test is ended with SIGKILL.
  const setpriv = await findOnPath('setpriv', '/usr/bin:/bin');
  const command = [program, ...argumentList];
  const [first = program, ...rest] =
    setpriv === undefined ? command : [setpriv, '--pdeathsig', 'SIGKILL', '--', ...command];
  const child: ChildProcess = spawn(first, rest, {
    cwd: directory,
    env: { HOME: directory, PATH: '/usr/bin:/bin', LANG: 'C.UTF-8', ETCD_UNSUPPORTED_ARCH: process.arch },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', reject);
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} has no process.`);
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.removeListener('exit', killAtExit);
      resolve();
    });
  });
  return {
    pid,
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    log: async () => (await readFile(logPath, 'utf8')).slice(-3000),
  };
}

export interface ProgramOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. The raw bytes of its output are in `bytes`. */
export async function runProgram(
  program: string,
  argumentList: readonly string[],
  options: { readonly input?: string | Uint8Array; readonly environment: NodeJS.ProcessEnv },
): Promise<ProgramOutput & { readonly bytes: Buffer }> {
  const child = spawn(program, argumentList, { env: options.environment, stdio: ['pipe', 'pipe', 'pipe'] });
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk));
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      const bytes = Buffer.concat(output);
      resolve({ exitCode: code ?? -1, stdout: bytes.toString(), stderr: Buffer.concat(errors).toString(), bytes });
    });
  });
}
