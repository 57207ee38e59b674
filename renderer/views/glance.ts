/** What the window says at a glance, drawn from the view. Pure. */
import type {
  AppView,
  NoticeView,
  PresenceProblemView,
  PushView,
  RunView,
  StepView,
  StoreView,
  TokenView,
  VaultView,
} from '../../electron/contract/views.ts';

export interface Glance {
  readonly sealed: readonly VaultView[];
  readonly missing: readonly VaultView[];
  readonly fresh: readonly VaultView[];
  /** Names of servers and token stores that have not answered yet. */
  readonly looking: readonly string[];
  /** Open runs that a person must go on with. */
  readonly waiting: readonly RunView[];
  readonly open: readonly RunView[];
  /** Newest first. */
  readonly ended: readonly RunView[];
  readonly notices: readonly NoticeView[];
  /** Devices that are plugged in and cannot be used; what is known to be no HSM is not among them. */
  readonly unusable: readonly PresenceProblemView[];
  /** Pushes to clusters that are no longer as they were pushed. */
  readonly drifted: readonly PushView[];
  /** How many things wait for the person. */
  readonly waits: number;
  /** Neither a token that is set up, nor a server, nor a run: nothing was ever done here. */
  readonly nothingSetUp: boolean;
}

export function glanceAt(view: AppView): Glance {
  const sealed = view.vaults.filter((vault) => vault.state === 'sealed');
  const open = view.runs.filter((run) => run.status === 'open');
  const waiting = open.filter((run) => !run.busy);
  const alarming = closedStores(view).filter(({ quiet }) => !quiet);
  const warnings = view.notices.filter((notice) => notice.tone !== 'info');
  const unusable = view.presence.problems.filter((problem) => problem.kind !== 'not-an-hsm');
  const drifted = view.pushes.filter((push) => push.drift.state === 'drifted' && push.state !== 'undone');
  return {
    sealed,
    missing: view.vaults.filter((vault) => vault.state === 'unreachable'),
    fresh: view.vaults.filter((vault) => vault.state === 'uninitialized'),
    looking: [
      ...view.vaults.filter((vault) => vault.state === 'looking'),
      ...view.stores.filter((store) => store.state === 'looking'),
    ].map((each) => each.name),
    waiting,
    open,
    ended: view.runs
      .filter((run) => run.status !== 'open')
      .toSorted((left, right) => right.endedAt.localeCompare(left.endedAt)),
    notices: view.notices,
    unusable,
    drifted,
    waits: waiting.length + warnings.length + sealed.length + alarming.length + unusable.length + drifted.length,
    nothingSetUp: view.vaults.length === 0 && view.runs.length === 0 && !view.tokens.some((token) => token.initialized),
  };
}

/**
 * Token stores that do not open. One that was found by itself and that nothing is known to be kept in, such
 * as the system's SoftHSM, is a quiet hint; one with shares in it, or that the person added, an alarm.
 */
export function closedStores(view: AppView): readonly { readonly store: StoreView; readonly quiet: boolean }[] {
  return view.stores
    .filter((store) => store.state === 'failed')
    .map((store) => ({
      store,
      quiet: !store.removable && !store.rehearsal && !view.vaults.some((vault) => vault.tokenStoreId === store.id),
    }));
}

/** The step a run stands at: the one that works, failed or is next; undefined once it has ended. */
export function currentStep(run: RunView): StepView | undefined {
  return run.steps.find((step) => step.status === 'working' || step.status === 'failed' || step.status === 'current');
}

export function isFinished(step: StepView): boolean {
  return step.status === 'done' || step.status === 'not-needed';
}

export type RunCondition = 'working' | 'waiting' | 'failed' | 'completed' | 'abandoned';

export function conditionOf(run: RunView): RunCondition {
  if (run.status !== 'open') return run.status;
  if (run.busy) return 'working';
  return currentStep(run)?.status === 'failed' || run.problem !== null ? 'failed' : 'waiting';
}

/** The three parts of a rehearsal and how far each is. */
export interface RehearsalPart {
  readonly id: 'token' | 'init' | 'unseal';
  readonly state: 'done' | 'open' | 'next' | 'later';
  /** The run to show or go on with; '' where there is none. */
  readonly runId: string;
  /** Next is the unseal, but the Vault is open: it has to be sealed by a restart first. */
  readonly sealFirst: boolean;
}

export function rehearsalPath(view: AppView): readonly RehearsalPart[] {
  const workflows = { token: 'token-setup', init: 'vault-init', unseal: 'unseal' } as const;
  const vault = view.vaults.find((each) => each.id === view.rehearsal.vaultId);
  let reached = true;
  return (['token', 'init', 'unseal'] as const).map((id) => {
    const runs = view.runs.filter(
      (run) => run.rehearsal && run.workflow === workflows[id] && run.status !== 'abandoned',
    );
    const done = runs.find((run) => run.status === 'completed');
    const open = runs.find((run) => run.status === 'open');
    const runId = (done ?? open)?.id ?? '';
    const state = done !== undefined ? 'done' : open !== undefined ? 'open' : reached ? 'next' : 'later';
    if (state !== 'done') reached = false;
    return { id, state, runId, sealFirst: id === 'unseal' && state === 'next' && vault?.state === 'unsealed' };
  });
}

/** The token that a server's shares were stored on by this app, where it is here now. */
export function tokenOfVault(view: AppView, vault: VaultView): TokenView | undefined {
  if (vault.tokenSerial === '') return undefined;
  return view.tokens.find(
    (token) =>
      token.serial === vault.tokenSerial && (vault.tokenStoreId === '' || token.storeId === vault.tokenStoreId),
  );
}
