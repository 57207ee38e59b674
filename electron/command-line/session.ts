import { userInfo } from 'node:os';
import { resolve } from 'node:path';
import { createCore } from '../core/create-core.ts';
import type { Core } from '../core/core.ts';
import type { HostLauncher } from '../hosts/host-process.ts';
import { createNodeLauncher } from '../hosts/node-launcher.ts';
import { defaultCacheDirectory } from '../rehearsal/vault-binary.ts';
import { failure } from '../workflows/failures.ts';
import type { PromptPort } from '../workflows/ports.ts';
import { defaultDataDirectory } from '../core/default-directories.ts';
import type { Locations } from './locations.ts';
import { failed } from './outcome.ts';
import type { CommandOutcome } from './outcome.ts';
import { createProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { createStyle, takesColour } from './style.ts';
import type { Style } from './style.ts';
import { openTerminal } from './terminal.ts';
import type { Terminal } from './terminal.ts';

/** What every command works with, from its start to its end. */
export interface Session {
  readonly core: Core;
  readonly progress: Progress;
  /** undefined where there is no controlling terminal. */
  readonly terminal: Terminal | undefined;
  /** For text on stdout. */
  readonly style: Style;
  /** Who acts, for the journal. */
  readonly by: string;
  /** Undone in reverse order when the command ends, is cancelled or fails. */
  onEnd(cleanUp: () => Promise<void>): void;
  /** Names the run being carried out, for the words on a cancellation. */
  workOn(resume: string): void;
}

export interface SessionOptions {
  readonly locations: Locations;
  readonly dataDirectory: string | undefined;
  readonly by: string | undefined;
  /** Read instead of KUBECONFIG's list and ~/.kube/config. */
  readonly kubeconfig?: string | undefined;
  readonly makePrompt: (parts: {
    readonly terminal: Terminal | undefined;
    readonly style: Style;
    readonly progress: Progress;
  }) => PromptPort;
}

/** Resolves at the first signal; a second one ends the process at once. */
function interruption(): { readonly happened: Promise<void>; readonly release: () => void } {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let release = (): void => undefined;
  const happened = new Promise<void>((settle) => {
    let count = 0;
    const listener = (): void => {
      count += 1;
      if (count > 1) process.exit(130);
      settle();
    };
    for (const signal of signals) process.on(signal, listener);
    release = () => {
      for (const signal of signals) process.off(signal, listener);
    };
  });
  return { happened, release };
}

function operator(core: Core, given: string | undefined): string {
  if (given !== undefined && given !== '') return given;
  const { operatorName } = core.settings.preferences;
  if (operatorName !== '') return operatorName;
  try {
    return userInfo().username;
  } catch (cause) {
    // An id without an entry in the user database, as in containers.
    if (cause instanceof Error) return `user ${String(process.getuid?.() ?? '')}`;
    throw cause;
  }
}

/** Hosts get no environment but what is named; a SoftHSM configuration of the person's own is passed on, as the window does. */
function createLauncher(locations: Locations): HostLauncher {
  const launch = createNodeLauncher({ entryPath: locations.entryPath });
  const configuration = process.env['SOFTHSM2_CONF'];
  if (configuration === undefined || configuration === '') return launch;
  return (entry, argumentList, environment) =>
    launch(
      entry,
      argumentList,
      entry === 'token-host' ? { SOFTHSM2_CONF: configuration, ...environment } : environment,
    );
}

/**
 * Carries out one command on a core of its own. Whatever happens - done, failed, Ctrl-C, SIGTERM - the
 * hosts are ended, the clean-ups are run and the terminal is put back.
 */
export async function withSession(
  options: SessionOptions,
  work: (session: Session) => Promise<CommandOutcome>,
): Promise<CommandOutcome> {
  const terminal = openTerminal();
  const errorStyle = createStyle(takesColour(process.stderr, process.env));
  const progress = createProgress({
    write: (text) => {
      process.stderr.write(text);
    },
    style: errorStyle,
    moving: process.stderr.isTTY && process.env['TERM'] !== 'dumb',
    // A terminal that does not know its size says 0.
    columns: () => process.stderr.columns || 80,
  });
  const cleanUps: (() => Promise<void>)[] = [];
  const interrupted = interruption();
  let resume = '';
  let core: Core | undefined;

  const start = async (): Promise<CommandOutcome> => {
    const opened = await createCore({
      appVersion: options.locations.version,
      dataDirectory:
        options.dataDirectory === undefined ? defaultDataDirectory(process.env) : resolve(options.dataDirectory),
      cacheDirectory: defaultCacheDirectory(),
      serverSourcesDirectory: options.locations.serverSources,
      launch: createLauncher(options.locations),
      environment:
        options.kubeconfig === undefined ? process.env : { ...process.env, KUBECONFIG: resolve(options.kubeconfig) },
      prompt: options.makePrompt({ terminal, style: errorStyle, progress }),
    });
    if (!opened.ok) return failed(opened.error);
    const ready = opened.value;
    core = ready;
    const problem = ready.settings.problem;
    if (problem !== undefined) progress.warn(`${problem.message} ${problem.next}`);
    return work({
      core: ready,
      progress,
      terminal,
      style: createStyle(takesColour(process.stdout, process.env)),
      by: operator(ready, options.by),
      onEnd: (cleanUp) => {
        cleanUps.push(cleanUp);
      },
      workOn: (command) => {
        resume = command;
      },
    });
  };

  const cancelled = interrupted.happened.then((): CommandOutcome => {
    terminal?.cancel();
    progress.end();
    return failed(
      failure('App_PromptCancelled', 'Stopped on request.', 'What was done is in the journal; nothing else was begun.')
        .error,
      resume === '' ? {} : { resume },
    );
  });

  try {
    return await Promise.race([start(), cancelled]);
  } finally {
    progress.end();
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
    await core?.close();
    interrupted.release();
    terminal?.close();
  }
}
