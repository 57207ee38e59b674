/**
 * A helper process, however it was started: Electron's utility process in the desktop app
 * (`electron/shell`), child_process.fork for the command line and the tests (`node-launcher.ts`).
 */
export interface HostProcess {
  readonly pid: number | undefined;
  postMessage(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
  onExit(listener: (code: number | null) => void): void;
  /** SIGKILL: a hung library does not answer anything milder. */
  kill(): void;
}

export type HostEntry = 'token-host' | 'share-host' | 'presence-host' | 'cluster-host';

/** Starts a host. Arguments and environment never hold a secret; the environment is minimal plus what is given. */
export type HostLauncher = (
  entry: HostEntry,
  argumentList: readonly string[],
  environment: Readonly<Record<string, string>>,
) => HostProcess;
