import { access, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { KnownVault, Rehearsal, RehearsalState } from '../core/core.ts';
import { failure, success, type Failure, type Result } from '../workflows/failures.ts';
import type { TokenStore } from '../workflows/ports.ts';
import { createServerCertificates } from './certificates.ts';
import { openSoftHsmStore } from './softhsm-store.ts';
import { endStrayProcess } from './stray-process.ts';
import { obtainVaultBinary } from './vault-build.ts';
import { startVaultNode, type VaultServer } from './vault-server.ts';

export interface RehearsalOptions {
  readonly dataDirectory: string;
  readonly cacheDirectory: string;
  /** `<this>/vault` is the Go module. */
  readonly serverSourcesDirectory: string;
}

const none: RehearsalState = {
  state: 'none',
  progressText: '',
  progressFraction: 0,
  problem: undefined,
  storeId: '',
  vaultId: '',
};
const storeId = 'rehearsal';
const vaultId = 'rehearsal';

const madeSchema = z.object({ certificateNotAfter: z.iso.datetime(), port: z.number().int().min(1).max(65_535) });
type Made = z.infer<typeof madeSchema>;

async function readMade(path: string): Promise<Made | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return madeSchema.parse(JSON.parse(text));
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof z.ZodError) return undefined;
    throw cause;
  }
}

/**
 * A place to practise: a SoftHSM token store and a throw-away Vault, all of it in `rehearsal` in the data
 * folder, so that one removal takes everything along: tokens, Vault, runs and transcripts.
 */
export function createRehearsal(options: RehearsalOptions): Rehearsal {
  const directory = join(options.dataDirectory, 'rehearsal');
  const vaultDirectory = join(directory, 'vault');
  const nodeDirectory = join(vaultDirectory, 'node');
  const madePath = join(vaultDirectory, 'made.json');
  const tls = {
    certificatePath: join(vaultDirectory, 'server.pem'),
    keyPath: join(vaultDirectory, 'server-key.pem'),
    caPath: join(vaultDirectory, 'ca.pem'),
  };
  const listeners = new Set<() => void>();
  let current = none;
  let store: TokenStore | undefined;
  let vault: KnownVault | undefined;
  let server: VaultServer | undefined;
  let starting: Promise<Result<RehearsalState>> | undefined;

  function change(state: RehearsalState): void {
    current = state;
    for (const listener of listeners) listener();
  }

  function progress(progressText: string, progressFraction: number): void {
    change({ ...none, state: 'starting', progressText, progressFraction });
  }

  function fail(problem: Failure): Result<RehearsalState> {
    change({ ...none, state: 'failed', problem });
    return { ok: false, error: problem };
  }

  /** The certificates of the last time while they hold for another day, else new ones. */
  async function ensureCertificates(made: Made | undefined): Promise<string> {
    const stillValid = made !== undefined && Date.parse(made.certificateNotAfter) > Date.now() + 86_400_000;
    const present = await Promise.all(Object.values(tls).map((path) => access(path))).then(
      () => true,
      () => false,
    );
    if (stillValid && present) return made.certificateNotAfter;
    const certificates = await createServerCertificates();
    await writeFile(tls.keyPath, certificates.serverKey, { mode: 0o600 });
    await writeFile(tls.certificatePath, certificates.serverCertificate, { mode: 0o600 });
    await writeFile(tls.caPath, certificates.caCertificate, { mode: 0o600 });
    return new Date(Date.now() + 30 * 86_400_000).toISOString();
  }

  function vaultEnded(ended: VaultServer): void {
    // Only an end that nobody here asked for.
    if (server !== ended) return;
    server = undefined;
    vault = undefined;
    fail(
      failure(
        'Rehearsal_NotRunning',
        "The rehearsal's Vault has ended.",
        'Start the rehearsal again: its tokens and data are kept.',
      ).error,
    );
  }

  async function startVault(binary: string, portJustLeft: boolean): Promise<Result<RehearsalState>> {
    const made = await readMade(madePath);
    const certificateNotAfter = await ensureCertificates(made);
    const started = await startVaultNode({
      binary,
      directory: nodeDirectory,
      storage: 'raft',
      nodeId: 'rehearsal',
      tls,
      portJustLeft,
      ...(made === undefined ? {} : { preferredPort: made.port }),
    });
    if (!started.ok) {
      vault = undefined;
      return fail(started.error);
    }
    server = started.value;
    server.onExit(() => vaultEnded(started.value));
    await writeFile(madePath, JSON.stringify({ certificateNotAfter, port: server.port } satisfies Made), {
      mode: 0o600,
    });
    vault = {
      id: vaultId,
      name: 'Rehearsal Vault',
      addresses: [server.address],
      trust: { kind: 'ca-file', path: tls.caPath },
      rehearsal: true,
      tokenStoreId: storeId,
      tokenSerial: '',
      keyLabel: 'bank-vaults',
    };
    change({ ...none, state: 'ready', progressFraction: 1, storeId, vaultId });
    return success(current);
  }

  async function begin(): Promise<Result<RehearsalState>> {
    progress('Making the token store', 0);
    await mkdir(vaultDirectory, { recursive: true, mode: 0o700 });
    await chmod(directory, 0o700);
    const opened = await openSoftHsmStore(directory);
    if (!opened.ok) return fail(opened.error);
    const binary = await obtainVaultBinary(options, (step) => progress(step.text, step.fraction));
    if (!binary.ok) return fail(binary.error);
    progress('Starting Vault', 0.9);
    // Before Vault, so that whoever hears that the rehearsal is ready finds the store.
    store = opened.value;
    return startVault(binary.value, false);
  }

  async function restart(): Promise<Result<RehearsalState>> {
    const running = server;
    change({ ...current, progressText: 'Restarting Vault so that it is sealed', progressFraction: -1 });
    const binary = await obtainVaultBinary(options, () => undefined);
    if (!binary.ok) return fail(binary.error);
    // From here on its end is asked for.
    server = undefined;
    await running?.stop();
    return startVault(binary.value, true);
  }

  /** One start or restart at a time; whoever asks meanwhile gets its answer. */
  async function alone(work: () => Promise<Result<RehearsalState>>): Promise<Result<RehearsalState>> {
    starting ??= work()
      .catch((cause: unknown) =>
        fail(
          failure(
            'Rehearsal_VaultStartFailed',
            'The folder of the rehearsal could not be prepared.',
            'Check that the data folder may be written and that the disk is not full.',
            {
              reason: cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown',
            },
          ).error,
        ),
      )
      .finally(() => {
        starting = undefined;
      });
    return starting;
  }

  async function end(): Promise<void> {
    await starting;
    const running = server;
    server = undefined;
    vault = undefined;
    store = undefined;
    await running?.stop();
    // One that an earlier process left running.
    await endStrayProcess(join(nodeDirectory, 'process.json'));
  }

  return {
    get current() {
      return current;
    },
    get store() {
      return store;
    },
    get vault() {
      return vault;
    },
    async start() {
      if (current.state === 'ready') return success(current);
      if (current.state === 'discarding')
        return failure('Rehearsal_AlreadyRunning', 'The rehearsal is being discarded.', 'Start it again in a moment.');
      return alone(begin);
    },
    async restartVault() {
      if (current.state !== 'ready')
        return failure(
          'Rehearsal_NotRunning',
          'No rehearsal is running whose Vault could be restarted.',
          'Start the rehearsal first.',
        );
      return alone(restart);
    },
    async discard() {
      change({ ...none, state: 'discarding' });
      await end();
      try {
        await rm(directory, { recursive: true, force: true, maxRetries: 5 });
      } catch {
        const left = failure(
          'Custody_WriteFailed',
          'Not everything of the rehearsal could be removed.',
          `Remove the folder ${directory} by hand.`,
          { path: directory },
        );
        fail(left.error);
        return left;
      }
      change(none);
      return success({});
    },
    async stop() {
      await end();
      change(none);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
