/**
 * Puts the core together: the one place that knows which adapter stands behind which port.
 */
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { createClusterPort } from '../clusters/cluster-port.ts';
import { createCustody } from '../custody/create-custody.ts';
import { acquireProcessLock } from '../custody/process-lock.ts';
import { openSettings } from '../custody/settings.ts';
import { createTranscripts } from '../custody/transcripts.ts';
import { createRehearsal } from '../rehearsal/rehearsal.ts';
import { findSoftHsmModule } from '../rehearsal/softhsm-store.ts';
import { createRunner } from '../runs/runner.ts';
import { createSharePort } from '../shares/share-port.ts';
import { findOpenScModule, knownStores, mayHoldTokens } from '../tokens/known-modules.ts';
import { createPresencePort } from '../tokens/presence.ts';
import { createTokenPort } from '../tokens/token-port.ts';
import { createVaultPort } from '../vault/vault-port.ts';
import { createVaultWatch } from '../vault/watch.ts';
import type { Result } from '../workflows/failures.ts';
import { failure, success } from '../workflows/failures.ts';
import type { TokenStore, VaultConnection } from '../workflows/ports.ts';
import { placesAfter, type SharePlaces } from '../workflows/share-places.ts';
import type { Core, CoreOptions, KnownVault, Rehearsal } from './core.ts';

const connectionsOf = (vault: KnownVault): readonly VaultConnection[] =>
  vault.addresses.map((address) => ({ address, trust: vault.trust }));

/**
 * Opens the data directory and everything that stands on it. Nothing is started but what was asked for.
 * @returns App_SecondCopy where another copy of the program has the data directory open; Custody_* where
 * it cannot be made or read
 */
export async function createCore(options: CoreOptions): Promise<Result<Core>> {
  const opened = await createCustody(options.dataDirectory);
  if (!opened.ok) return opened;
  const custody = opened.value;
  const { directories, journal } = custody;
  const lock = await acquireProcessLock(directories.lockFile);
  if (!lock.ok) {
    return lock.error.code === 'Custody_RunBusy'
      ? failure(
          'App_SecondCopy',
          'Key Custodian is open already with this data directory.',
          'Use that copy (its tray icon or its terminal), or close it first.',
          lock.error.details,
        )
      : lock;
  }
  const opening = await openSettings(directories.settingsFile);
  if (!opening.ok) {
    await lock.value.release();
    return opening;
  }
  const settings = opening.value;
  const [softHsm, openSc] = await Promise.all([findSoftHsmModule(), findOpenScModule()]);
  const machineStores = knownStores({ softHsm, openSc });
  const rehearsal = createRehearsal({
    dataDirectory: options.dataDirectory,
    cacheDirectory: options.cacheDirectory,
    serverSourcesDirectory: dirname(options.serverSourcesDirectory),
  });
  /** The rehearsal's Vault is not in the settings: where its shares are is remembered from its runs. */
  let rehearsalPlaces: SharePlaces | undefined;

  const stores = (): readonly TokenStore[] => [
    ...machineStores,
    ...settings.modules.map((module) => ({ ...module, rehearsal: false })),
    ...(rehearsal.store === undefined ? [] : [rehearsal.store]),
  ];
  const vaults = (): readonly KnownVault[] => [
    ...settings.vaults,
    ...(rehearsal.vault === undefined ? [] : [{ ...rehearsal.vault, ...rehearsalPlaces }]),
  ];

  const tokens = createTokenPort({ stores, launch: options.launch, mayHoldTokens });
  const presence = createPresencePort({ launch: options.launch });
  const shares = createSharePort({ launch: options.launch });
  const vault = createVaultPort();
  const clusters = createClusterPort({
    launch: options.launch,
    discoveryDirectory: join(options.cacheDirectory, 'kubectl'),
    environment: options.environment ?? process.env,
    allowances: { current: () => settings.allowances, add: (allowances) => settings.allow(allowances) },
  });
  const watch = createVaultWatch({
    vault,
    vaults: () => vaults().map((known) => ({ id: known.id, connections: connectionsOf(known) })),
  });

  const runner = createRunner({
    tokens,
    devices: tokens,
    objects: tokens,
    shares,
    vaultSetUp: shares,
    kms: clusters,
    review: clusters,
    vault,
    clusters,
    prompt: options.prompt,
    journal,
    escrow: custody.escrow,
    outbox: custody.outbox,
    appVersion: options.appVersion,
    host: hostname(),
    newRunId: custody.newRunId,
    async completed(state) {
      if (state.plan.rehearsal) {
        rehearsalPlaces = placesAfter(state, rehearsalPlaces, () => true);
        return;
      }
      for (const server of settings.vaults) {
        const places = placesAfter(state, server, (vaultId) => vaultId === server.id);
        // The run is over and its journal says where the shares are; a failed write here loses a convenience.
        if (places !== server) await settings.changeVault({ ...server, ...places });
      }
    },
  });
  for (const { state, problem } of (await runner.list()).toReversed()) {
    if (problem === undefined && state.plan.rehearsal)
      rehearsalPlaces = placesAfter(state, rehearsalPlaces, () => true);
  }

  const endTokenAndShareHosts = async (): Promise<void> => {
    await Promise.all([tokens.closeAll(), shares.close()]);
  };
  const endHosts = async (): Promise<void> => {
    await Promise.all([endTokenAndShareHosts(), clusters.close()]);
  };
  const guardedRehearsal: Rehearsal = {
    get current() {
      return rehearsal.current;
    },
    get store() {
      return rehearsal.store;
    },
    get vault() {
      return rehearsal.vault === undefined ? undefined : { ...rehearsal.vault, ...rehearsalPlaces };
    },
    async start() {
      const started = await rehearsal.start();
      // Not only at the watch's next round: whoever started it wants to see its Vault now.
      if (started.ok) await watch.refresh(started.value.vaultId);
      return started;
    },
    async restartVault() {
      if (shares.holdsUnsaved) {
        return failure(
          'Custody_RunBusy',
          'An initialisation is under way whose shares are not on disk yet.',
          'Wait until it has stored them, then restart Vault.',
        );
      }
      const restarted = await rehearsal.restartVault();
      if (restarted.ok) await watch.refresh(restarted.value.vaultId);
      return restarted;
    },
    async discard() {
      // The rehearsal's journals and its token host have files open in what is about to be removed.
      await Promise.all([journal.forget((runId) => runId.startsWith('rehearsal-')), endTokenAndShareHosts()]);
      rehearsalPlaces = undefined;
      return rehearsal.discard();
    },
    stop: () => rehearsal.stop(),
    subscribe: (listener) => rehearsal.subscribe(listener),
  };

  return success({
    appVersion: options.appVersion,
    dataDirectory: options.dataDirectory,
    tokens,
    devices: tokens,
    objects: tokens,
    presence,
    shares,
    vault,
    clusters,
    kms: clusters,
    review: clusters,
    settings,
    runner,
    outbox: custody.outbox,
    transcripts: createTranscripts(journal),
    rehearsal: guardedRehearsal,
    watch,
    stores,
    connections: connectionsOf,
    vaults,
    lock: endHosts,
    async close() {
      watch.stop();
      await Promise.all([endHosts(), presence.stop()]);
      await rehearsal.stop();
      vault.close();
      await journal.close();
      await lock.value.release();
    },
  });
}
