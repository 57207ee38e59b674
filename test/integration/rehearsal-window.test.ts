/** What the window sees of a rehearsal, through the very handlers it calls, on a real token store and Vault. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { AppView } from '../../electron/contract/views.ts';
import { createCore } from '../../electron/core/create-core.ts';
import type { Core } from '../../electron/core/core.ts';
import { createClusterObserver } from '../../electron/ipc/cluster-observer.ts';
import { createMainHandlers } from '../../electron/ipc/main-handlers.ts';
import { createPresenceObserver } from '../../electron/ipc/presence-observer.ts';
import { isAtWorkOn } from '../../electron/ipc/reader-stores.ts';
import { createRunObserver } from '../../electron/ipc/run-observer.ts';
import { createTokenObserver } from '../../electron/ipc/token-observer.ts';
import { toAppView } from '../../electron/ipc/views/app-view.ts';
import { defaultCacheDirectory } from '../../electron/rehearsal/vault-binary.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { createScriptedPrompt } from '../fixtures/run-harness.ts';
import { launchHostFromSource, valueOf } from '../fixtures/token-port.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

let dataDirectory = '';
let core: Core;

beforeEach(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'key-custodian-window-'));
  core = valueOf(
    await createCore({
      appVersion: '0.0.0',
      dataDirectory,
      cacheDirectory: defaultCacheDirectory(),
      serverSourcesDirectory: join(import.meta.dirname, '..', '..', 'build', 'servers', 'vault'),
      launch: launchHostFromSource,
      prompt: createScriptedPrompt().port,
    }),
  );
});

afterEach(async () => {
  await core.close();
  await rm(dataDirectory, { recursive: true, force: true });
});

function window(): {
  readonly handlers: ReturnType<typeof createMainHandlers>;
  readonly view: () => AppView;
  run(plan: Plan): Promise<string>;
} {
  const changed = (): void => undefined;
  const runs = createRunObserver(core);
  const tokens = createTokenObserver(core, changed, (storeId) => isAtWorkOn(runs.runs, storeId));
  const presence = createPresenceObserver(core, tokens, changed);
  const clusters = createClusterObserver(core, runs, changed);
  const view = (): AppView =>
    toAppView({ core, tokens, presence, clusters, runs: runs.runs, locked: false, trayAvailable: true });
  const desktop = {
    chooseFile: () => Promise.resolve(undefined),
    chooseSavePath: () => Promise.resolve(undefined),
    chooseFolder: () => Promise.resolve(undefined),
    copyText: changed,
    renderPdf: () => Promise.resolve(new Uint8Array()),
  };
  const lock = { locked: false, lock: () => Promise.resolve(), unlock: changed };
  const handlers = createMainHandlers({ core, desktop, lock, tokens, presence, clusters, runs, changed }, view);
  return {
    handlers,
    view,
    async run(plan) {
      const { runId } = valueOf(await handlers['runs.start']({ plan }));
      const proceed = { by: 'test', typedName: '', throughDeliberateSteps: true };
      const snapshot = valueOf(await core.runner.proceed(runId, proceed));
      await expect.poll(() => view().runs.find((run) => run.id === runId)?.status).toBe('completed');
      return snapshot.state.status;
    },
  };
}

test('start, set up a token, initialise, seal by a restart: each state is on the view as soon as it holds', async () => {
  const { handlers, view, run } = window();
  valueOf(await handlers['rehearsal.start']({}));
  expect(view().vaults.map((vault) => vault.state)).toEqual(['uninitialized']);
  const free = view().tokens.find((token) => token.rehearsal);
  expect(free).toMatchObject({ initialized: false });

  await run(
    tokenSetupPlan({
      rehearsal: true,
      storeId: 'rehearsal',
      storeName: 'Rehearsal',
      slotId: free?.slotId ?? -1,
      label: 'rehearsal',
    }),
  );
  // Nobody asked for a refresh or an inspection: the next plan needs the token and its key at once.
  await expect.poll(() => view().tokens.find((token) => token.label === 'rehearsal')?.wrappingKeys.length).toBe(1);
  const token = view().tokens.find((each) => each.label === 'rehearsal');
  const [vault] = core.vaults();
  const [connection] = vault === undefined ? [] : core.connections(vault);
  if (token === undefined || vault === undefined || connection === undefined) throw new Error('not ready');

  await run({
    workflow: 'vault-init',
    rehearsal: true,
    vaultId: vault.id,
    vaultName: vault.name,
    connection,
    token: { storeId: token.storeId, serial: token.serial, label: token.label },
    keyLabel: 'bank-vaults',
    shares: 3,
    threshold: 2,
    destinations: Array.from({ length: 3 }, () => ({ kind: 'token' as const })),
    rootToken: { kind: 'revoked' },
  });
  await expect.poll(() => view().vaults[0]?.state).toBe('unsealed');

  valueOf(await handlers['rehearsal.restart-vault']({}));
  expect(view().vaults[0]).toMatchObject({ state: 'sealed', tokenSerial: token.serial });
  expect(view().rehearsal).toMatchObject({ state: 'ready', progressText: '' });
});
