/**
 * A server whose parent was ended with SIGKILL goes on by itself. Its process id and start time are kept
 * in a file, so the next start can end exactly that process and never another that got the same number.
 */
import { readFile, rm } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const recordSchema = z.strictObject({ pid: z.number().int().positive(), startTime: z.string() });

/**
 * Start time of a process in clock ticks after boot (field 22 of /proc/PID/stat, proc(5)); '' where the
 * system does not tell (macOS) or the process is gone.
 */
export async function processStartTime(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The second field is the name in brackets and may hold blanks; count after its end.
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // A zombie has ended; only its parent has not collected it yet.
  if (afterName[0] === 'Z') return '';
  return afterName[19] ?? '';
}

/** Ends the process named in the file if it is still the same one, and removes the file. */
export async function endStrayProcess(recordPath: string): Promise<boolean> {
  const text = await readFile(recordPath, 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  let ended = false;
  const parsed = recordSchema.safeParse(parseJson(text));
  if (parsed.success && parsed.data.startTime !== '') {
    const { pid, startTime } = parsed.data;
    if ((await processStartTime(pid)) === startTime) {
      process.kill(pid, 'SIGKILL');
      ended = true;
      for (let attempt = 0; attempt < 100 && (await processStartTime(pid)) === startTime; attempt += 1) await delay(20);
    }
  }
  await rm(recordPath, { force: true });
  return ended;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A half-written record names no process.
    return undefined;
  }
}
