/** The same workflows, as runs, on both kinds of device from one table: what works on SoftHSM works on a SmartCard-HSM. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { TokenOfPlan } from '../../electron/workflows/device-plans.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { openDeviceRunDesk, setUpPlan, storeId } from '../fixtures/device-run-desk.ts';
import { failedSteps, initPlanOf, openRunDesk, unsealPlanOf } from '../fixtures/run-desk.ts';
import type { RunHarness } from '../fixtures/run-harness.ts';
import { createCard } from '../fixtures/smartcard-hsm/card.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startCardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

interface RunsOnToken {
  readonly token: TokenOfPlan;
  readonly harness: RunHarness;
  carryThrough(plan: Plan, typedName?: string): Promise<RunSnapshot>;
  close(): Promise<void>;
}

async function onSoftHsm(): Promise<RunsOnToken> {
  const desk = await openRunDesk();
  const serial = await desk.setUpToken('kinds');
  return {
    token: { storeId, serial, label: 'kinds' },
    harness: desk.harness,
    carryThrough: async (plan, typedName = '') => {
      const { runId } = valueOf(await desk.harness.runner.start(plan, 'Ada'));
      return valueOf(await desk.harness.runner.proceed(runId, { by: 'Ada', typedName, throughDeliberateSteps: true }));
    },
    close: () => desk.close(),
  };
}

async function onSmartCardHsm(): Promise<RunsOnToken> {
  const readers = await startCardReaders({ patience: 600_000 });
  const desk = await openDeviceRunDesk();
  const card = createCard({ serial: 'ZZTEST00042' });
  await card.plugIn(0);
  const setUp = await desk.carryThrough(setUpPlan(card.serial, 'kinds', { dkek: { kind: 'random' } }), card.serial);
  expect(failedSteps(setUp)).toEqual([]);
  return {
    token: { storeId, serial: card.serial, label: 'kinds' },
    harness: desk.harness,
    carryThrough: (plan, typedName) => desk.carryThrough(plan, typedName),
    close: async () => {
      card.unplug();
      await desk.close();
      await readers.stop();
    },
  };
}

describe.each([
  ['SoftHSM', onSoftHsm],
  ['a SmartCard-HSM', onSmartCardHsm],
] as const)('on %s', (kind, open) => {
  /** What a run records of how values are wrapped: bank-vaults' form, and what the token could do. */
  const wrapping =
    kind === 'SoftHSM'
      ? {
          bestWrapping: 'RSA-OAEP with SHA-1',
          wrappingDowngrade: 'the token failed at RSA-OAEP with SHA-256',
        }
      : {
          bestWrapping: 'RSA-OAEP with SHA-256',
          wrappingDowngrade: 'SHA-256 works with this key; bank-vaults reads SHA-1 alone',
        };

  let vault: TestVault;
  let runs: RunsOnToken;

  beforeAll(async () => {
    vault = await startVaultServer();
    runs = await open();
  });
  afterAll(async () => {
    await runs.close();
    await vault.stop();
  });

  async function completes(plan: Plan, typedName?: string): Promise<RunSnapshot> {
    const run = await runs.carryThrough(plan, typedName);
    expect(failedSteps(run)).toEqual([]);
    expect(run.state.status).toBe('completed');
    return run;
  }
  const unseals = async (keyLabel: string): Promise<void> => {
    await vault.restart();
    const { token } = runs;
    const run = await completes(unsealPlanOf(vault, token.serial, { sources: [{ kind: 'token', token, keyLabel }] }));
    expect(run.state.facts).toMatchObject({ sealedNodes: 0 });
  };
  const values = ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'];

  test('a Vault is initialised with its shares on it, and unseals after a restart', async () => {
    const run = await completes(initPlanOf(vault, runs.token.serial, { token: runs.token }));
    const ofTrial = run.state.steps.find(({ id }) => id === 'trial-object')?.evidence;
    expect(ofTrial).toMatchObject({ wrapping: 'RSA-OAEP with SHA-1', ...wrapping });
    await unseals('bank-vaults');
  });

  test('its keys are tried, and its values checked', async () => {
    const { token } = runs;
    const { id } = valueOf(await runs.harness.tokens.findWrappingKey(token, 'bank-vaults'));
    const tested = await completes({
      workflow: 'key-test',
      rehearsal: false,
      token,
      keys: [{ label: 'bank-vaults', id }],
      attest: false,
    });
    // The key by itself is asked for no form: only what the token cannot do is a downgrade.
    const { bestWrapping, wrappingDowngrade } = tested.state.facts;
    expect(bestWrapping).toBe(wrapping.bestWrapping);
    expect(wrappingDowngrade).toBe(kind === 'SoftHSM' ? wrapping.wrappingDowngrade : undefined);
    await completes({
      workflow: 'values-repair',
      rehearsal: false,
      token,
      keyLabel: 'bank-vaults',
      doubled: [],
      labels: values,
    });
  });

  test('its values are encrypted anew under another key, the old one goes, and the Vault unseals', async () => {
    await completes(
      {
        workflow: 'values-rewrap',
        rehearsal: false,
        token: runs.token,
        fromKeyLabel: 'bank-vaults',
        toKeyLabel: 'bank-vaults-2',
        modulusBits: 2048,
        labels: values,
        removeOldKey: true,
      },
      'bank-vaults',
    );
    const { keyPairs } = valueOf(await runs.harness.tokens.listObjects(runs.token));
    expect(keyPairs.map(({ label }) => label)).toEqual(['bank-vaults-2']);
    await unseals('bank-vaults-2');
  });
});
