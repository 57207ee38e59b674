import { utilityProcess } from 'electron';
import type { HostEntry, HostLauncher, HostProcess } from '../hosts/host-process.ts';
import type { AppPaths } from './paths.ts';

/** What every host may see of this process's environment: enough to find its own files, nothing that could carry a secret. */
const inheritedVariables = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'SOFTHSM2_CONF'] as const;

/** The share host starts the person's own gpg, whose pinentry needs their display and agent. */
const displayVariables = [
  'GNUPGHOME',
  'DISPLAY',
  'WAYLAND_DISPLAY',
  'XAUTHORITY',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
] as const;

/** Where the person's kubeconfigs and kubectl are, and how the way to their clusters leads through a proxy. */
const kubernetesVariables = [
  'KUBECONFIG',
  'KEY_CUSTODIAN_KUBECTL',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
] as const;

function pick(names: readonly string[]): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const name of names) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  return environment;
}

/** Starts hosts as Electron utility processes. Their output is not kept: a vendor library may print anything. */
export function createElectronLauncher(paths: AppPaths): HostLauncher {
  const scripts: Readonly<Record<HostEntry, string>> = {
    'token-host': paths.tokenHost,
    'share-host': paths.shareHost,
    'presence-host': paths.presenceHost,
    'cluster-host': paths.clusterHost,
  };
  return (entry, argumentList, environment): HostProcess => {
    const child = utilityProcess.fork(scripts[entry], [...argumentList], {
      env: {
        ...pick(inheritedVariables),
        ...(entry === 'share-host' ? pick(displayVariables) : {}),
        ...(entry === 'cluster-host' ? pick(kubernetesVariables) : {}),
        ...environment,
      },
      execArgv: [],
      stdio: 'ignore',
      // 'Key Custodian share host': how process lists name it.
      serviceName: `Key Custodian ${entry.replace('-', ' ')}`,
    });
    let ended = false;
    let killed = false;
    const exitListeners: ((code: number | null) => void)[] = [];
    const killNow = (): void => {
      // SIGKILL by id: child.kill() asks politely, and a hung library does not listen.
      if (child.pid !== undefined && !ended) process.kill(child.pid, 'SIGKILL');
    };
    child.once('spawn', () => {
      if (killed) killNow();
    });
    child.once('exit', (code) => {
      ended = true;
      for (const listener of exitListeners) listener(killed ? null : code);
    });
    return {
      get pid() {
        return child.pid;
      },
      postMessage: (message) => {
        if (!ended) child.postMessage(message);
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
        killed = true;
        killNow();
      },
    };
  };
}
