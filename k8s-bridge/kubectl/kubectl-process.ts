/** Runs one program to its end: no shell, capped output, a deadline past which the whole process group is killed. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Guardian } from './guardian.ts';

export interface ProgramCall {
  readonly path: string;
  readonly argumentList: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: Uint8Array | undefined;
  readonly deadlineMilliseconds: number;
  readonly outputLimitBytes: number;
  /** Nobody wants to know any more. */
  readonly signal?: AbortSignal | undefined;
}

export type ProgramOutcome =
  | { readonly kind: 'ended'; readonly exitCode: number; readonly output: Buffer; readonly errors: string }
  /** Ended by a signal that did not come from here. */
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'timed-out' }
  | { readonly kind: 'given-up' }
  | { readonly kind: 'too-much-output' }
  | { readonly kind: 'not-started'; readonly reason: string };

type CutOff = 'timed-out' | 'given-up' | 'too-much-output';

/** What is read of stderr; the rest is thrown away. */
const errorsLimitBytes = 64 * 1024;

/** A wrapper that is a shell script gives the signal that ended kubectl back as 128 and its number. kubectl has no such codes. */
const signalExitBase = 128;
const highestSignal = 64;

function reasonOf(cause: Error): string {
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : 'unknown';
}

/**
 * The program leads a process group of its own, so that what it starts (a credential program) ends with it. Never
 * rejects. What was read of a run that did not come to its end is wiped.
 */
export function runProgram(call: ProgramCall, guardian: Guardian): Promise<ProgramOutcome> {
  return new Promise((resolve) => {
    let child: ChildProcessWithoutNullStreams;
    try {
      child = spawn(call.path, [...call.argumentList], {
        cwd: '/',
        detached: true,
        env: { ...call.environment },
        shell: false,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    } catch (cause) {
      // An argument with a NUL in it, or more of them than the system takes.
      if (!(cause instanceof Error)) throw cause;
      resolve({ kind: 'not-started', reason: reasonOf(cause) });
      return;
    }
    const { pid } = child;
    const chunks: Buffer[] = [];
    const errorChunks: Buffer[] = [];
    let outputBytes = 0;
    let errorBytes = 0;
    let cutOff: CutOff | undefined;
    let settled = false;
    const cut = (why: CutOff): void => {
      cutOff ??= why;
      if (pid !== undefined) guardian.kill(pid);
      // What the program started may have left its group and hold the pipes open.
      child.stdout.destroy();
      child.stderr.destroy();
      child.stdin.destroy();
    };
    const timer = setTimeout(() => cut('timed-out'), call.deadlineMilliseconds);
    const giveUp = (): void => cut('given-up');
    call.signal?.addEventListener('abort', giveUp);
    const settle = (outcome: ProgramOutcome): void => {
      if (settled) return;
      settled = true;
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', giveUp);
      if (pid !== undefined) {
        // Whatever it started must not outlive it.
        guardian.kill(pid);
        guardian.release(pid);
      }
      if (outcome.kind !== 'ended') for (const chunk of chunks) chunk.fill(0);
      resolve(outcome);
    };
    child.on('error', (cause) => settle({ kind: 'not-started', reason: reasonOf(cause) }));
    if (pid === undefined) return;
    guardian.watch(pid);
    child.stdout.on('data', (chunk: Buffer) => {
      outputBytes += chunk.length;
      if (outputBytes > call.outputLimitBytes) cut('too-much-output');
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errorBytes < errorsLimitBytes) errorChunks.push(chunk.subarray(0, errorsLimitBytes - errorBytes));
      errorBytes += chunk.length;
    });
    child.on('close', (code, signal) => {
      if (cutOff !== undefined) settle({ kind: cutOff });
      else if (signal !== null) settle({ kind: 'killed', signal });
      else if (code === null || (code > signalExitBase && code <= signalExitBase + highestSignal)) {
        settle({ kind: 'killed', signal: code === null ? '' : (code - signalExitBase).toString() });
      } else {
        const output = Buffer.concat(chunks);
        for (const chunk of chunks) chunk.fill(0);
        settle({ kind: 'ended', exitCode: code, output, errors: Buffer.concat(errorChunks).toString('utf8') });
      }
    });
    // A program that ends before it has read everything breaks the pipe; how it ended says the rest.
    child.stdin.on('error', () => undefined);
    child.stdin.end(call.input);
  });
}
