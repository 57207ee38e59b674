/**
 * A Vault whose shares are kept under a key of a curve, by ECDH: initialised, unsealed, checked and read out on both
 * kinds of token. bank-vaults reads none of it, and the run says so.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { TokenOfPlan } from '../../electron/workflows/device-plans.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { initialiseForShares, testDkek, withDkek } from '../fixtures/device-cards.ts';
import { openDeviceRunDesk, storeId } from '../fixtures/device-run-desk.ts';
import { failedSteps, initPlanOf, openRunDesk, unsealPlanOf } from '../fixtures/run-desk.ts';
import type { RunHarness } from '../fixtures/run-harness.ts';
import { createCard } from '../fixtures/smartcard-hsm/card.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startCardReaders } from '../servers/pcscd.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const keyLabel = 'curve';

interface Runs {
  readonly token: TokenOfPlan;
  readonly harness: RunHarness;
  carryThrough(plan: Plan): Promise<RunSnapshot>;
  /** What custodians were shown. */
  shown(label: string): string | undefined;
  close(): Promise<void>;
}

/** A key of a curve on a token that is set up already. */
const keyPlan = ({ serial, label }: TokenOfPlan): Plan =>
  tokenSetupPlan({
    storeId,
    storeName: 'test',
    expectedSerial: serial,
    initialize: false,
    currentLabel: label,
    label,
    keyLabel,
    curve: 'P-256',
  });

async function onSoftHsm(): Promise<Runs> {
  const desk = await openRunDesk();
  const serial = await desk.setUpToken('curves');
  return {
    token: { storeId, serial, label: 'curves' },
    harness: desk.harness,
    carryThrough: (plan) => desk.carryThrough(plan),
    shown: (label) => desk.harness.prompt.handedOut.get(label),
    close: () => desk.close(),
  };
}

/** A device that has no other key. */
async function onSmartCardHsm(): Promise<Runs> {
  const readers = await startCardReaders({ patience: 600_000, lookEvery: 20 });
  const made = createCard({ serial: 'ZZTEST00043' });
  await made.plugIn(0);
  await initialiseForShares(made, 0, 'curves');
  made.unplug();
  const card = withDkek(made, testDkek);
  await card.plugIn(0);
  const desk = await openDeviceRunDesk();
  return {
    token: { storeId, serial: card.serial, label: 'curves' },
    harness: desk.harness,
    carryThrough: (plan) => desk.carryThrough(plan),
    shown: (label) => desk.person.pieces.get(label),
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
] as const)('on %s', (_kind, open) => {
  let vault: TestVault;
  let runs: Runs;

  beforeAll(async () => {
    vault = await startVaultServer();
    runs = await open();
  });
  afterAll(async () => {
    await runs.close();
    await vault.stop();
  });

  async function completes(plan: Plan): Promise<RunSnapshot> {
    const run = await runs.carryThrough(plan);
    expect(failedSteps(run)).toEqual([]);
    expect(run.state).toMatchObject({ status: 'completed', deviations: [] });
    return run;
  }

  test('the key is made, and the run says what follows from its kind', async () => {
    const run = await completes(keyPlan(runs.token));
    expect(run.state.facts).toMatchObject({ keyLabel, curve: 'P-256' });
    expect(run.state.facts).not.toHaveProperty('modulusBits');
    expect(run.definitions.find(({ id }) => id === 'generate-key')?.explanation).toContain('bank-vaults cannot read');
    expect(run.state.facts['wrapping']).toMatch(/^ECDH/u);
  });

  test('a Vault is initialised with its shares under the key, and unseals after a restart', async () => {
    const { token } = runs;
    const run = await completes(initPlanOf(vault, token.serial, { token, keyLabel }));
    const { wrapping, wrappingDowngrade } = run.state.facts;
    expect(wrapping).toMatch(/^ECDH.*bank-vaults reads values under RSA alone$/u);
    expect(wrappingDowngrade).toBeUndefined();
    await vault.restart();
    const unsealed = await completes(
      unsealPlanOf(vault, token.serial, { sources: [{ kind: 'token', token, keyLabel }] }),
    );
    expect(unsealed.state.facts).toMatchObject({ sealedNodes: 0 });
  });

  test('its values decrypt where they are looked through, and one is read out', async () => {
    const { token } = runs;
    const labels = ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'];
    await completes({ workflow: 'values-repair', rehearsal: false, token, keyLabel, doubled: [], labels });
    await completes({
      workflow: 'value-read-out',
      rehearsal: false,
      token,
      keyLabel,
      valueLabel: 'vault-unseal-0',
      custodian: 'Bo',
    });
    expect(runs.shown('vault-unseal-0')).toMatch(/^[0-9a-f]{66}$/u);
  });

  test('one value in the place of another is found out', async () => {
    const { token, harness } = runs;
    const first = Buffer.from(valueOf(await harness.tokens.readData(token, 'vault-unseal-0')));
    valueOf(await harness.tokens.deleteData(token, 'vault-unseal-1'));
    valueOf(await harness.tokens.writeData(token, 'vault-unseal-1', first));
    const checked = await runs.carryThrough({
      workflow: 'values-repair',
      rehearsal: false,
      token,
      keyLabel,
      doubled: [],
      labels: ['vault-unseal-0', 'vault-unseal-1'],
    });
    expect(checked.state.deviations).toHaveLength(1);
    expect(checked.state.deviations[0]?.text).toContain('vault-unseal-1 does not decrypt');
  });
});
