import { generateKeyPairSync } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  connectionsOf,
  failedSteps,
  initPlanOf,
  openRunDesk,
  unsealPlanOf,
  type RunDesk,
} from '../fixtures/run-desk.ts';
import { vaultByHand, type ByHand } from '../fixtures/vault-by-hand.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

let desk: RunDesk;
/** What happens, once, after this many shares of a run were given. */
let afterShares: { count: number; readonly act: () => Promise<unknown> } | undefined;

beforeAll(async () => {
  desk = await openRunDesk((options) => ({
    ...options,
    shares: {
      ...options.shares,
      submitShare: async (...given) => {
        const submitted = await options.shares.submitShare(...given);
        if (afterShares !== undefined) {
          afterShares.count -= 1;
          if (afterShares.count === 0) {
            const { act } = afterShares;
            afterShares = undefined;
            await act();
          }
        }
        return submitted;
      },
    },
  }));
});
afterAll(() => desk.close());

describe('a Vault that others initialise between the plan and the step', () => {
  test('is left as it is, and this is said', async () => {
    const serial = await desk.setUpToken('late');
    const vault = await startVaultServer({ storage: 'inmem' });
    try {
      const other = vaultByHand(vault);
      let theirs: readonly string[] = [];
      desk.atStart('initialize', async () => {
        theirs = (await other.initialize(1, 1)).testShares;
      });
      const stopped = await desk.carryThrough(initPlanOf(vault, serial));
      expect(failedSteps(stopped)).toEqual(['initialize: Vault_AlreadyInitialized']);
      // Trying again says the same: nothing of this run was lost.
      expect(failedSteps(await desk.goOn(stopped.state.runId))).toEqual(['initialize: Vault_AlreadyInitialized']);
      await other.unseal(theirs);
      const listed = await desk.harness.tokens.listObjects({ storeId: 'test', serial });
      expect(listed.ok && listed.value.dataObjects).toEqual([]);
    } finally {
      await vault.stop();
    }
  });
});

describe('a Vault that is sealed again before its root token is revoked', () => {
  test('is waited for; once somebody has unsealed it the run ends well', async () => {
    const serial = await desk.setUpToken('sealed');
    const vault = await startVaultServer();
    const other = vaultByHand(vault);
    let unsealing: Promise<void> | undefined;
    try {
      desk.atStart('revoke-root', async () => {
        await vault.restart();
        const theirs = [0, 1].map(
          (index) => desk.harness.prompt.handedOut.get(`vault-unseal-${index.toString()}`) ?? '',
        );
        unsealing = delay(1_000).then(() => other.unseal(theirs));
      });
      const destinations = ['Ada', 'Grace', 'Joan'].map((custodian) => ({ kind: 'shown' as const, custodian }));
      const ended = await desk.carryThrough(
        initPlanOf(vault, serial, { destinations, rootToken: { kind: 'revoked' } }),
      );
      expect(failedSteps(ended)).toEqual([]);
      expect(ended.state).toMatchObject({ status: 'completed', facts: { revoked: true } });
    } finally {
      await unsealing;
      await vault.stop();
    }
  });
});

describe('a Vault that stays sealed by somebody else', () => {
  test('is said to be so, and the run ends well when it is unsealed again', async () => {
    const serial = await desk.setUpToken('kept-sealed');
    const vault = await startVaultServer();
    try {
      desk.atStart('revoke-root', () => vault.restart());
      const destinations = ['Ada', 'Grace', 'Joan'].map((custodian) => ({ kind: 'shown' as const, custodian }));
      const stopped = await desk.carryThrough(
        initPlanOf(vault, serial, { destinations, rootToken: { kind: 'revoked' } }),
      );
      expect(failedSteps(stopped)).toEqual(['revoke-root: Vault_SealedByAnother']);
      const theirs = [0, 1].map((index) => desk.harness.prompt.handedOut.get(`vault-unseal-${index.toString()}`) ?? '');
      await vaultByHand(vault).unseal(theirs);
      const ended = await desk.goOn(stopped.state.runId);
      expect(ended.state).toMatchObject({ status: 'completed', facts: { revoked: true } });
    } finally {
      await vault.stop();
    }
  });
});

describe('a threshold above the number of shares', () => {
  test('begins no run, and Vault’s own refusal has its code', async () => {
    const vault = await startVaultServer({ storage: 'inmem' });
    try {
      const before = await desk.harness.runner.list();
      expect(await desk.harness.runner.start(initPlanOf(vault, 'none', { threshold: 4 }), 'Ada')).toMatchObject({
        ok: false,
        error: { code: 'Custody_PlanInvalid', details: { field: 'threshold' } },
      });
      expect(await desk.harness.runner.list()).toHaveLength(before.length);
      const [connection] = connectionsOf(vault);
      if (connection === undefined) throw new Error('no node');
      const escrowPath = join(desk.harness.dataDirectory, 'escrow.json');
      const wrappingKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
      const refused = await desk.harness.shares.initialize({
        runId: 'run-1',
        connection,
        shares: 1,
        threshold: 2,
        destinations: [{ kind: 'token' }],
        rootToken: { kind: 'revoked' },
        wrappingKeySpki: wrappingKey.export({ format: 'der', type: 'spki' }).toString('base64'),
        escrowPath,
      });
      expect(refused).toMatchObject({ ok: false, error: { code: 'Vault_ThresholdInvalid' } });
      await expect(access(escrowPath)).rejects.toThrow('ENOENT');
    } finally {
      await vault.stop();
    }
  });
});

describe('while a token’s shares are being given', () => {
  let vault: TestVault;
  let other: ByHand;
  let serial: string;
  let theirs: readonly string[];

  beforeAll(async () => {
    serial = await desk.setUpToken('unseals');
    vault = await startVaultServer();
    other = vaultByHand(vault);
    const init = await desk.carryThrough(
      initPlanOf(vault, serial, {
        shares: 6,
        threshold: 3,
        destinations: [0, 1, 2, 3, 4, 5].map((index) =>
          index < 3
            ? { kind: 'token' as const }
            : { kind: 'shown' as const, custodian: `Custodian ${index.toString()}` },
        ),
      }),
    );
    expect(failedSteps(init)).toEqual([]);
    theirs = [3, 4, 5].map((index) => desk.harness.prompt.handedOut.get(`vault-unseal-${index.toString()}`) ?? '');
  });
  beforeEach(() => vault.restart());
  afterAll(() => vault.stop());

  /** Which of the two it is shows in the status before a share; after one, a reset shows as another nonce. */
  const othersAtWork = /^token: Vault_(?:ResetByAnother|NonceChanged)$/u;

  /** The run's end, and what failed on the way. */
  async function unsealThroughout(): Promise<readonly string[]> {
    let run = await desk.carryThrough(unsealPlanOf(vault, serial));
    const failures: string[] = [];
    for (let times = 0; run.state.status === 'open' && times < 3; times += 1) {
      failures.push(...failedSteps(run));
      run = await desk.goOn(run.state.runId);
    }
    expect(failedSteps(run)).toEqual([]);
    expect(run.state).toMatchObject({ status: 'completed', facts: { sealedNodes: 0 } });
    const [connection] = connectionsOf(vault);
    if (connection === undefined) throw new Error('no node');
    expect(await desk.harness.vault.sealStatus(connection)).toMatchObject({ ok: true, value: { sealed: false } });
    return failures;
  }

  test('Vault is started anew: the run says so, and begins again', async () => {
    afterShares = { count: 2, act: () => vault.restart() };
    expect(await unsealThroughout()).toEqual([
      expect.stringMatching(/^token: Vault_(?:ResetByAnother|NonceChanged|Unreachable)$/u),
    ]);
  });

  test('somebody resets the attempt: the run says so, and begins again', async () => {
    afterShares = { count: 1, act: () => other.reset() };
    expect(await unsealThroughout()).toEqual([expect.stringMatching(othersAtWork)]);
  });

  test('somebody begins another attempt: the run says so, and goes on with it', async () => {
    const act = async (): Promise<void> => {
      await other.reset();
      await other.unseal(theirs.slice(0, 1));
    };
    afterShares = { count: 1, act };
    expect(await unsealThroughout()).toEqual([expect.stringMatching(othersAtWork)]);
  });

  test('somebody unseals it: there is nothing left to do', async () => {
    afterShares = { count: 1, act: () => other.unseal(theirs.slice(0, 2)) };
    expect(await unsealThroughout()).toEqual([]);
  });
});
