/** A token, a data directory and a runner for the measurements of whole runs. */
import type { RunSnapshot } from '../../electron/core/core.ts';
import { runEventSchema } from '../../electron/workflows/fold.ts';
import type { RunEvent } from '../../electron/workflows/run.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { createSoftHsmDirectory } from '../fixtures/softhsm.ts';
import { sealTestPin, valueOf } from '../fixtures/token-port.ts';
import type { TestVault } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

export interface RunBench {
  readonly harness: RunHarness;
  readonly configurationPath: string;
  readonly serial: string;
  readonly publicKeySpki: string;
  carryThrough(plan: Plan): Promise<RunSnapshot>;
  /** When the token last took a PIN, in milliseconds of performance.now(). */
  readonly loggedInAt: number;
  /** Called before an event goes to the journal. */
  onEvent: ((event: RunEvent) => Promise<void>) | undefined;
  /** The next run asks for the PIN. */
  logOut(): Promise<void>;
  initPlan(vault: TestVault): Plan;
  unsealPlan(vault: TestVault): Plan;
  dispose(): Promise<void>;
}

export async function openRunBench(): Promise<RunBench> {
  const softHsm = await createSoftHsmDirectory();
  const data = await temporaryDirectory('bench');
  let loggedInAt = Number.NaN;
  const events: Pick<RunBench, 'onEvent'> = { onEvent: undefined };
  const harness = await openRunHarness({
    dataDirectory: data.path,
    softhsmConfiguration: softHsm.configurationPath,
    wrap: (options) => ({
      ...options,
      journal: {
        ...options.journal,
        append: async (runId, event) => {
          const parsed = events.onEvent === undefined ? undefined : runEventSchema.safeParse(event);
          if (parsed?.success === true) await events.onEvent?.(parsed.data);
          return options.journal.append(runId, event);
        },
      },
      tokens: {
        ...options.tokens,
        login: async (...request) => {
          const result = await options.tokens.login(...request);
          loggedInAt = performance.now();
          return result;
        },
      },
    }),
  });
  const carryThrough = async (plan: Plan): Promise<RunSnapshot> => {
    const { runId } = valueOf(await harness.runner.start(plan, 'bench'));
    const ended = valueOf(
      await harness.runner.proceed(runId, { by: 'bench', typedName: '', throughDeliberateSteps: true }),
    );
    if (ended.state.status !== 'completed') throw new Error(JSON.stringify(ended.state.steps));
    return ended;
  };
  const setup = await carryThrough(tokenSetupPlan({ label: 'bench' }));
  const serial = String(setup.state.facts['serial']);
  const token = { storeId: 'test', serial };
  valueOf(await harness.tokens.login(token, await sealTestPin(harness.tokens, 'test', serial, testPin), false));
  const { publicKeySpki } = valueOf(await harness.tokens.findWrappingKey(token, 'bank-vaults'));
  valueOf(await harness.shares.sealingPublicKey());
  const connectionOf = (vault: TestVault) => ({
    address: vault.address,
    trust: { kind: 'ca-file' as const, path: vault.caPath },
  });
  return {
    harness,
    configurationPath: softHsm.configurationPath,
    serial,
    publicKeySpki,
    carryThrough,
    get onEvent() {
      return events.onEvent;
    },
    set onEvent(listener) {
      events.onEvent = listener;
    },
    get loggedInAt() {
      return loggedInAt;
    },
    async logOut() {
      valueOf(await harness.tokens.logout(token));
    },
    initPlan: (vault) => ({
      workflow: 'vault-init',
      rehearsal: false,
      vaultId: 'bench',
      vaultName: 'Bench',
      connection: connectionOf(vault),
      token: { ...token, label: 'bench' },
      keyLabel: 'bank-vaults',
      shares: 5,
      threshold: 3,
      destinations: Array.from({ length: 5 }, () => ({ kind: 'token' as const })),
      rootToken: { kind: 'token' },
    }),
    unsealPlan: (vault) => ({
      workflow: 'unseal',
      rehearsal: false,
      vaultId: 'bench',
      vaultName: 'Bench',
      connections: [connectionOf(vault)],
      sources: [{ kind: 'token', token: { ...token, label: 'bench' }, keyLabel: 'bank-vaults' }],
    }),
    async dispose() {
      await harness.close();
      await Promise.all([softHsm.dispose(), data.dispose()]);
    },
  };
}
