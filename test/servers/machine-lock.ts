/**
 * One holder at a time on this machine, across processes and users: for what exists once, like pcscd's socket and
 * the virtual reader's ports. A lock whose holder has died is taken over.
 */
import { chmodSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

export interface MachineLock {
  /** Kept beside the holder's pid, for the next holder: what it has to clean up where this one dies. */
  note(text: string): void;
  release(): void;
  /** The note of a holder that died without releasing; undefined where none did. */
  readonly leftBehind: string | undefined;
}

interface Holder {
  readonly pid: number;
  /** Tells a process from a later one with the same pid. */
  readonly startedAt: string;
  readonly note: string;
}

/** When the process started, in the kernel's clock ticks; '' where there is no /proc or no such process. */
export function processStartTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command's name may hold blanks and brackets; the fields are counted from behind it (proc(5), field 22).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it lives, and belongs to another user.
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.startedAt === processStartTime(holder.pid);
}

/**
 * Waits for the lock and takes it.
 * @param name of the lock, the same for all who share it
 * @param options.patience in milliseconds; where it runs out, an error names the holder's pid
 */
export async function takeMachineLock(name: string, options: { patience?: number } = {}): Promise<MachineLock> {
  // A directory without the sticky bit: whoever comes next may remove what another user's dead process left.
  const directory = join(tmpdir(), 'key-custodian-locks');
  try {
    mkdirSync(directory);
    chmodSync(directory, 0o777);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const path = join(directory, name);
  const own: Holder = { pid: process.pid, startedAt: processStartTime(process.pid), note: '' };
  const deadline = Date.now() + (options.patience ?? 300_000);
  let leftBehind: string | undefined;
  for (;;) {
    const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
    writeFileSync(draft, JSON.stringify(own), { mode: 0o666 });
    try {
      // A link appears with its content, all at once, or not at all.
      linkSync(draft, path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    const holder = readHolder(path);
    if (holder !== undefined && !isAlive(holder)) {
      leftBehind = holder.note;
      discard(path, holder);
      continue;
    }
    if (Date.now() > deadline)
      throw new Error(`The lock "${name}" is still held by process ${holder?.pid ?? 'unknown'} (${path}).`);
    await wait(200);
  }
  return {
    leftBehind,
    note: (text) => {
      const draft = `${path}.note.${process.pid}`;
      writeFileSync(draft, JSON.stringify({ ...own, note: text }), { mode: 0o666 });
      renameSync(draft, path);
    },
    release: () => {
      if (readHolder(path)?.pid === process.pid) rmSync(path, { force: true });
    },
  };
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Removes a dead holder's file; where two waiters see it at once, only one of them moves it away. */
function discard(path: string, dead: Holder): void {
  const aside = `${path}.dead.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const moved = readHolder(aside);
  if (moved !== undefined && (moved.pid !== dead.pid || moved.startedAt !== dead.startedAt)) {
    // Another waiter was quicker and its new lock was moved: give it back.
    if (statSync(path, { throwIfNoEntry: false }) === undefined) renameSync(aside, path);
  }
  rmSync(aside, { force: true });
}
