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
      await other.unseal(theirs);
      const listed = await desk.harness.tokens.listObjects({ storeId: 'test', serial });
      expect(listed.ok && listed.value.dataObjects).toEqual([]);
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
