/**
 * What the desktop app and the command line stand on alike: everything but windows and terminals.
 * `create-core.ts` puts it together.
 */
import type { Failure, Result } from '../workflows/failures.ts';
import type { Plan } from '../workflows/plans.ts';
import type {
  OutboxPort,
  PromptPort,
  SealStatus,
  SharePort,
  TokenPort,
  TokenStore,
  VaultConnection,
  VaultPort,
  VaultTrust,
} from '../workflows/ports.ts';
import type { SharesInSecret } from '../workflows/cluster-plans.ts';
import type { Allowance, ClusterPort } from '../workflows/cluster-ports.ts';
import type { DevicePort, ObjectPort, PresencePort } from '../workflows/device-ports.ts';
import type { KmsPort } from '../workflows/kms-ports.ts';
import type { ReviewPort } from '../workflows/vault-setup-ports.ts';
import type { RunState, StepDefinition } from '../workflows/run.ts';
import type { HostLauncher } from '../hosts/host-process.ts';

/** A Vault cluster that the person added or that a rehearsal made. */
export interface KnownVault {
  readonly id: string;
  readonly name: string;
  readonly addresses: readonly string[];
  readonly trust: VaultTrust;
  readonly rehearsal: boolean;
  /** Where the last initialisation through this app stored its shares; '' when unknown. */
  readonly tokenStoreId: string;
  readonly tokenSerial: string;
  readonly keyLabel: string;
  /** Shares of it in a Kubernetes Secret, under that token's key; none, or unknown, where it is not there. */
  readonly secret?: SharesInSecret | undefined;
}

export interface Preferences {
  readonly theme: 'system' | 'light' | 'dark';
  readonly lockAfterMinutes: number;
  readonly operatorName: string;
}

/** The settings file: preferences, known servers, added modules. Written whole, fsynced, renamed into place. */
export interface SettingsStore {
  readonly preferences: Preferences;
  readonly vaults: readonly KnownVault[];
  readonly modules: readonly { readonly id: string; readonly name: string; readonly modulePath: string }[];
  /** Programs and files outside a kubeconfig that the person has allowed, by path and content. */
  readonly allowances: readonly Allowance[];
  /** The file was damaged and set aside (its new name is in details), and defaults are in force. */
  readonly problem: Failure | undefined;
  changePreferences(preferences: Preferences): Promise<Result<Record<string, never>>>;
  addVault(vault: KnownVault): Promise<Result<Record<string, never>>>;
  changeVault(vault: KnownVault): Promise<Result<Record<string, never>>>;
  removeVault(id: string): Promise<Result<Record<string, never>>>;
  addModule(module: {
    readonly id: string;
    readonly name: string;
    readonly modulePath: string;
  }): Promise<Result<Record<string, never>>>;
  removeModule(id: string): Promise<Result<Record<string, never>>>;
  allow(allowances: readonly Allowance[]): Promise<Result<Record<string, never>>>;
  subscribe(listener: () => void): () => void;
}

export interface RunSnapshot {
  readonly state: RunState;
  readonly definitions: readonly StepDefinition[];
  readonly busy: boolean;
  readonly journalHead: string;
  readonly problem: Failure | undefined;
}

export interface Runner {
  /** Checks the plan and writes the run's first event. */
  start(plan: Plan, by: string): Promise<Result<{ readonly runId: string }>>;
  /**
   * Carries out the current step and the automatic ones after it, and stops at the next step that a
   * person must begin, at a failure or at the end. One at a time per run (Custody_RunBusy).
   * @param options.typedName must equal the step's danger.typedName where it has one
   * @param options.throughDeliberateSteps the command line's way: do not stop before deliberate and prompt steps
   */
  proceed(
    runId: string,
    options: { readonly by: string; readonly typedName: string; readonly throughDeliberateSteps: boolean },
  ): Promise<Result<RunSnapshot>>;
  abandon(runId: string, options: { readonly by: string; readonly typedName: string }): Promise<Result<RunSnapshot>>;
  noteDeviation(runId: string, step: string, text: string): Promise<Result<RunSnapshot>>;
  snapshot(runId: string): Promise<Result<RunSnapshot>>;
  /** Open runs and ended ones, newest first; damaged journals are listed with their problem. */
  list(): Promise<readonly RunSnapshot[]>;
  /** Called with the run's id whenever its snapshot may have changed. */
  subscribe(listener: (runId: string) => void): () => void;
}

export interface JournalVerification {
  readonly intact: boolean;
  readonly records: number;
  /** The run's end is in the file, so nothing is missing at its tail. */
  readonly complete: boolean;
  readonly head: string;
  readonly headWords: readonly string[];
  readonly problems: readonly string[];
}

export interface Transcripts {
  /** A self-contained page: no script, no outside reference. */
  html(runId: string): Promise<Result<string>>;
  /** The journal as it is on disk, byte for byte. */
  jsonLines(runId: string): Promise<Result<Uint8Array>>;
  verifyRun(runId: string): Promise<Result<JournalVerification>>;
  verifyFile(path: string): Promise<Result<JournalVerification>>;
}

export interface RehearsalState {
  readonly state: 'none' | 'starting' | 'ready' | 'failed' | 'discarding';
  readonly progressText: string;
  /** 0 to 1; -1 when it cannot be known. */
  readonly progressFraction: number;
  readonly problem: Failure | undefined;
  /** Both '' unless ready. */
  readonly storeId: string;
  readonly vaultId: string;
}

export interface Rehearsal {
  readonly current: RehearsalState;
  /** The rehearsal's token store, while there is one. */
  readonly store: TokenStore | undefined;
  readonly vault: KnownVault | undefined;
  /** Makes the store and starts Vault; answers when ready. A rehearsal left by an earlier process is taken up again. */
  start(): Promise<Result<RehearsalState>>;
  /**
   * Ends the Vault and starts it at the same address on the same data, so that it comes up sealed, as after
   * every restart. The state stays `ready` (store, runs and server stay known) with a progress text meanwhile.
   * Failures: Rehearsal_NotRunning where none is ready, Custody_RunBusy while an initialisation is not on disk
   * yet, Rehearsal_VaultStartFailed.
   */
  restartVault(): Promise<Result<RehearsalState>>;
  /** Ends Vault and removes everything that the rehearsal made, transcripts included. */
  discard(): Promise<Result<Record<string, never>>>;
  /** Ends Vault, keeps the files: on quitting the app. */
  stop(): Promise<void>;
  subscribe(listener: () => void): () => void;
}

export interface WatchedNode {
  readonly address: string;
  readonly lastSeen: string;
  /** undefined until the first answer. */
  readonly result: Result<SealStatus> | undefined;
}

export interface VaultWatch {
  /** Known servers and their nodes as last seen. */
  readonly nodes: ReadonlyMap<string, readonly WatchedNode[]>;
  refresh(vaultId: string): Promise<void>;
  /** Follows seal status every 5 s until stopped. */
  start(): void;
  stop(): void;
  /** Called when anything changed; `newlySealed` names clusters that were unsealed and are sealed now. */
  subscribe(listener: (change: { readonly newlySealed: readonly string[] }) => void): () => void;
}

export interface Core {
  readonly appVersion: string;
  readonly dataDirectory: string;
  readonly tokens: TokenPort;
  readonly devices: DevicePort;
  readonly objects: ObjectPort;
  readonly presence: PresencePort;
  readonly shares: SharePort;
  readonly vault: VaultPort;
  readonly clusters: ClusterPort;
  /** Which kinds of objects a cluster keeps, for a plan about their encryption; and how that stands. */
  readonly kms: Pick<KmsPort, 'countStored' | 'listResources' | 'readApiServers'>;
  /** What Vault has to know of a cluster. */
  readonly review: ReviewPort;
  readonly settings: SettingsStore;
  readonly runner: Runner;
  /** What runs left on disk beside their journals; a push leaves there what its undo needs. */
  readonly outbox: OutboxPort;
  readonly transcripts: Transcripts;
  readonly rehearsal: Rehearsal;
  readonly watch: VaultWatch;
  stores(): readonly TokenStore[];
  /** The connections of a known server. */
  connections(vault: KnownVault): readonly VaultConnection[];
  /** Known servers with the rehearsal's, if one is on. */
  vaults(): readonly KnownVault[];
  /** Ends every host and forgets what they held: on lock, idle and quit. Runs go on afterwards by asking for the PIN again. */
  lock(): Promise<void>;
  close(): Promise<void>;
}

export interface CoreOptions {
  readonly appVersion: string;
  /** Absolute; made with mode 0700. */
  readonly dataDirectory: string;
  /** Built servers and the like; may be thrown away at any time. */
  readonly cacheDirectory: string;
  /** Where build/servers/vault (a Go module) lies, for building Vault when none is on PATH. */
  readonly serverSourcesDirectory: string;
  readonly launch: HostLauncher;
  readonly prompt: PromptPort;
  /** KUBECONFIG, HOME and proxies are taken from here; the process's own where left out. */
  readonly environment?: NodeJS.ProcessEnv;
}
