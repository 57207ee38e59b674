import { fork } from 'node:child_process';
import type { HostEntry, HostLauncher, HostProcess } from './host-process.ts';

export interface NodeLauncherOptions {
  /** Absolute path of the script that an entry is: `native/token-host.ts` as source, `out/main/token-host.cjs` as bundle. */
  readonly entryPath: (entry: HostEntry) => string;
  /** Node's own options for the child. None are taken over from this process. */
  readonly execArgv?: readonly string[];
}

/** What a host may see of this process's environment: enough to find programs and its own files, nothing that could carry a secret. */
const inheritedVariables = ['PATH', 'HOME', 'LANG', 'TMPDIR'] as const;

/** What a caller may add. Any other name is a bug of the caller. */
const grantedVariables: ReadonlySet<string> = new Set([
  'SOFTHSM2_CONF',
  // For the share host: where the person's gpg finds its keys, and its pinentry the person.
  'GNUPGHOME',
  'DISPLAY',
  'XAUTHORITY',
  'WAYLAND_DISPLAY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
  'GPG_TTY',
  'TERM',
  // For the cluster host: which kubectl, and how the way to a cluster leads through a proxy.
  'KEY_CUSTODIAN_KUBECTL',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
]);

function minimalEnvironment(given: Readonly<Record<string, string>>): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of inheritedVariables) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  for (const [name, value] of Object.entries(given)) {
    if (!grantedVariables.has(name))
      throw new TypeError(`A host process may not be given the environment variable ${name}`);
    environment[name] = value;
  }
  return environment;
}

/**
 * Starts hosts with child_process.fork: for the command line and the tests. The child ends when its
 * channel to this process closes; its output is not kept, since a vendor library may print anything.
 */
export function createNodeLauncher(options: NodeLauncherOptions): HostLauncher {
  return (entry, argumentList, environment): HostProcess => {
    const child = fork(options.entryPath(entry), [...argumentList], {
      // A Ctrl-C in the terminal goes to the whole process group. The share host is told by its parent instead,
      // so that it is not cut off between Vault's reply to an initialisation and the escrow.
      detached: entry === 'share-host',
      env: minimalEnvironment(environment),
      execArgv: [...(options.execArgv ?? [])],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    let ended = false;
    const exitListeners: ((code: number | null) => void)[] = [];
    const end = (code: number | null): void => {
      if (ended) return;
      ended = true;
      for (const listener of exitListeners) listener(code);
    };
    child.on('exit', (code) => {
      end(code);
    });
    // 'error' comes alone where the process could not be started, and with 'exit' where it could not be reached any more.
    child.on('error', () => {
      if (child.pid === undefined) end(null);
      else child.kill('SIGKILL');
    });
    return {
      pid: child.pid,
      postMessage: (message) => {
        if (!child.connected || !isPostable(message)) return;
        // A channel that breaks while sending is followed by 'exit', which is where callers learn of it.
        child.send(message, () => undefined);
      },
      onMessage: (listener) => {
        child.on('message', (message: unknown) => {
          listener(message);
        });
      },
      onExit: (listener) => {
        if (ended) listener(null);
        else exitListeners.push(listener);
      },
      kill: () => {
        child.kill('SIGKILL');
      },
    };
  };
}

function isPostable(message: unknown): message is object {
  return typeof message === 'object' && message !== null;
}
