import type { AppView, NoticeView, RehearsalView, SettingsView, TokenView } from '../../contract/views.ts';
import type { Core, Preferences, RehearsalState, RunSnapshot } from '../../core/core.ts';
import type { ClusterObserver } from '../cluster-observer.ts';
import type { PresenceObserver } from '../presence-observer.ts';
import type { TokenObserver } from '../token-observer.ts';
import { toOptionalFailureView } from './failure-view.ts';
import { noClusters, toClustersView } from './cluster-view.ts';
import { toPushView } from './push-view.ts';
import { toPresenceView } from './presence-view.ts';
import type { VaultOnToken } from './object-view.ts';
import { toRunView } from './run-view.ts';
import { toStoreView, toTokenView } from './token-view.ts';
import { toVaultView } from './vault-view.ts';

export interface AppViewSources {
  readonly core: Core;
  readonly tokens: TokenObserver;
  readonly presence: PresenceObserver;
  readonly clusters: Pick<ClusterObserver, 'contexts' | 'kubectl' | 'observed' | 'pushes'>;
  readonly runs: readonly RunSnapshot[];
  readonly locked: boolean;
  readonly trayAvailable: boolean;
}

function toRehearsalView(state: RehearsalState): RehearsalView {
  return {
    state: state.state,
    progressText: state.progressText,
    progressFraction: state.progressFraction,
    problem: toOptionalFailureView(state.problem),
    storeId: state.storeId,
    vaultId: state.vaultId,
  };
}

function toSettingsView(preferences: Preferences): SettingsView {
  return {
    theme: preferences.theme,
    lockAfterMinutes: preferences.lockAfterMinutes,
    operatorName: preferences.operatorName,
  };
}

function settingsNotice(core: Core): readonly NoticeView[] {
  const problem = core.settings.problem;
  return problem === undefined
    ? []
    : [
        {
          id: 'settings-damaged',
          tone: 'warning',
          title: 'Settings were damaged',
          text: `${problem.message} ${problem.next}`,
        },
      ];
}

function doubledKeyNotices(tokens: readonly TokenView[]): readonly NoticeView[] {
  return tokens.flatMap((token) => {
    const labels = new Set(token.wrappingKeys.filter((key) => key.doubled).map((key) => key.label));
    return [...labels].map((label): NoticeView => ({
      id: `doubled-key ${token.serial} ${label}`,
      tone: 'warning',
      title: `Two key pairs are called ${label}`,
      text: `On the token ${token.label} (${token.serial}) bank-vaults would take neither and make yet another at every start. Rename or delete the pair that is not in use.`,
    }));
  });
}

/** The Vaults whose shares this app put on a token. */
function vaultsOn(core: Core, storeId: string, serial: string): readonly VaultOnToken[] {
  return core.vaults().filter((vault) => vault.tokenStoreId === storeId && vault.tokenSerial === serial);
}

/** Locked: nothing about tokens, servers or runs is on the window until someone unlocks it. */
function lockedView(core: Core, trayAvailable: boolean): AppView {
  return {
    version: core.appVersion,
    dataDirectory: '',
    locked: true,
    stores: [],
    tokens: [],
    presence: { state: 'looking', readers: [], usb: [], problems: [] },
    vaults: [],
    clusters: noClusters,
    pushes: [],
    runs: [],
    rehearsal: { state: 'none', progressText: '', progressFraction: -1, problem: null, storeId: '', vaultId: '' },
    settings: toSettingsView(core.settings.preferences),
    notices: [],
    trayAvailable,
  };
}

/** Everything the main window shows, field by field. */
export function toAppView(sources: AppViewSources): AppView {
  const { core, locked, trayAvailable } = sources;
  if (locked) return lockedView(core, trayAvailable);
  const removable = new Set(core.settings.modules.map((module) => module.id));
  const stores = [...core.stores()].sort((one, other) => one.name.localeCompare(other.name));
  const tokens = stores.flatMap((store) =>
    sources.tokens
      .shown(store.id)
      .map((token) => toTokenView(store, sources.tokens.describe(token), vaultsOn(core, store.id, token.serial)))
      .sort(
        (one, other) =>
          one.label.localeCompare(other.label) || one.serial.localeCompare(other.serial) || one.slotId - other.slotId,
      ),
  );
  return {
    version: core.appVersion,
    dataDirectory: core.dataDirectory,
    locked: false,
    stores: stores.map((store) => toStoreView(store, sources.tokens.observed(store.id), removable)),
    tokens,
    presence: toPresenceView({
      presence: sources.presence.current,
      stores,
      observed: (storeId) => sources.tokens.observed(storeId),
    }),
    vaults: core
      .vaults()
      .map((vault) => toVaultView(vault, core.watch.nodes.get(vault.id) ?? []))
      .sort((one, other) => one.name.localeCompare(other.name) || one.id.localeCompare(other.id)),
    clusters: toClustersView({
      observer: sources.clusters,
      allowances: core.settings.allowances,
      isAllowed: (context) => core.clusters.isAllowed(context),
    }),
    pushes: sources.clusters.pushes.map(toPushView),
    runs: sources.runs
      .map(toRunView)
      .sort((one, other) => other.startedAt.localeCompare(one.startedAt) || other.id.localeCompare(one.id)),
    rehearsal: toRehearsalView(core.rehearsal.current),
    settings: toSettingsView(core.settings.preferences),
    notices: [...settingsNotice(core), ...doubledKeyNotices(tokens)],
    trayAvailable,
  };
}
