/**
 * Sees to it that no kubectl outlives the cluster host, however that ends. The host itself kills what runs when it
 * ends of its own accord; against a SIGKILL helps a process that reads from it and, once that pipe breaks, kills what
 * was under way. Killed between a program's start and the line that tells of it, the host leaves a kubectl that only
 * looks to its own end; one that is sent objects finds its stdin empty, since they are written after that line. A node's
 * patch, which is an argument, is made to be repeated.
 */
import { spawn, type ChildProcess } from 'node:child_process';

export interface Guardian {
  /** @param group a process group, by the id of its leader */
  watch(group: number): void;
  release(group: number): void;
  kill(group: number): void;
}

/** Fixed words of POSIX sh (dash takes `kill -s KILL --` and not `kill -KILL --`); nothing is put into them. Reads “+ID” and “-ID”, line by line. */
const script = `
groups=' '
while read -r line; do
  id=\${line#?}
  case $line in
    +*) groups="$groups$id " ;;
    -*) case $groups in *" $id "*) groups="\${groups%% $id *} \${groups#* $id }" ;; esac ;;
  esac
done
for id in $groups; do kill -s KILL -- "-$id" 2>/dev/null; done
`;

function killGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch (cause) {
    // It has ended by itself.
    if (!(cause instanceof Error && 'code' in cause && (cause.code === 'ESRCH' || cause.code === 'EPERM'))) throw cause;
  }
}

export function createGuardian(): Guardian {
  const groups = new Set<number>();
  let process_: ChildProcess | undefined;

  function start(): ChildProcess {
    // A group of its own: a Ctrl-C in the terminal must not end it before the host.
    const child = spawn('/bin/sh', ['-c', script], {
      cwd: '/',
      detached: true,
      env: {},
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const forget = (): void => {
      if (process_ === child) process_ = undefined;
    };
    child.on('exit', forget);
    child.on('error', forget);
    child.stdin.on('error', forget);
    child.unref();
    for (const group of groups) child.stdin.write(`+${group.toString()}\n`);
    return child;
  }

  const killAll = (): void => {
    for (const group of groups) killGroup(group);
  };

  return {
    watch(group) {
      if (groups.size === 0) process.on('exit', killAll);
      if (process_ === undefined) {
        groups.add(group);
        process_ = start();
        return;
      }
      groups.add(group);
      process_.stdin?.write(`+${group.toString()}\n`);
    },
    release(group) {
      groups.delete(group);
      if (groups.size === 0) process.off('exit', killAll);
      process_?.stdin?.write(`-${group.toString()}\n`);
    },
    kill: killGroup,
  };
}
