import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Core, RunSnapshot } from '../../electron/core/core.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import { secretPurpose } from '../../electron/sealing/schema.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { makeCoreDesk, type CoreDesk } from '../fixtures/core-desk.ts';
import { failedSteps, initPlanOf, unsealPlanOf } from '../fixtures/run-desk.ts';
import { createScriptedPrompt, testPin, testSoPin, type ScriptedPrompt } from '../fixtures/run-harness.ts';
import { filesHolding, formsOf, isAlive, readProcess } from '../fixtures/secret-search.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const given = { by: 'Ada', typedName: '', throughDeliberateSteps: true };

let desk: CoreDesk;
let vault: TestVault;
let prompt: ScriptedPrompt;
let core: Core;
let serial = '';
/** Arguments and environments of every host, read while it was at work. */
const seen = new Map<number, Buffer[]>();
/** Every share and the root token, as the test came to know them. */
const secrets: string[] = [testPin, testSoPin];

beforeAll(async () => {
  const look = (pid: number): void => {
    void readProcess(pid).then((content) => {
      if (content.length > 0) seen.set(pid, [...(seen.get(pid) ?? []), content]);
    });
  };
  desk = await makeCoreDesk(look);
  vault = await startVaultServer();
  prompt = createScriptedPrompt();
  core = valueOf(await desk.open(prompt.port));
  core.runner.subscribe(() => desk.hostPids.forEach(look));
});
afterAll(async () => {
  await vault.stop();
  await desk.remove();
});

async function carryThrough(plan: Plan): Promise<RunSnapshot> {
  return valueOf(await core.runner.proceed(valueOf(await core.runner.start(plan, 'Ada')).runId, given));
}

const tokenOf = () => ({ storeId: 'softhsm', serial, label: 'test' });

/** Locks at the moment when this step begins. */
function lockAt(step: string): { readonly locked: () => Promise<void> } {
  let locking: Promise<void> | undefined;
  const unsubscribe = core.runner.subscribe((runId) => {
    void core.runner.snapshot(runId).then((snapshot) => {
      const working =
        snapshot.ok && snapshot.value.state.steps.some(({ id, status }) => id === step && status === 'working');
      if (working) locking ??= core.lock();
    });
  });
  return {
    locked: async () => {
      unsubscribe();
      if (locking === undefined) throw new Error(`${step} was never seen to begin`);
      await locking;
    },
  };
}

/** What lies on the token, opened with a key of the test: so that it can be searched for. */
async function readSecretsOfToken(labels: readonly string[]): Promise<readonly string[]> {
  const keys = await createSealingKeyPair();
  const texts: string[] = [];
  for (const label of labels) {
    const value = valueOf(await core.tokens.readData(tokenOf(), label));
    const sealed = valueOf(
      await core.tokens.decrypt(tokenOf(), 'bank-vaults', value, keys.publicKey, secretPurpose.share),
    );
    const opened = await openSecret(keys, sealed, secretPurpose.share);
    if (opened === undefined) throw new Error('not for this test');
    texts.push(Buffer.from(opened).toString('utf8'));
  }
  return texts;
}

describe('a lock in the middle of an initialisation', () => {
  test('ends every host; the run goes on once the PIN is given again, and ends well', async () => {
    const setUp = await carryThrough(tokenSetupPlan({ storeId: 'softhsm' }));
    expect(failedSteps(setUp)).toEqual([]);
    serial = String(setUp.state.facts['serial']);
    const before = [...desk.hostPids];
    // The person is not there: the prompt that follows the lock is closed.
    prompt.asked.length = 0;
    prompt.cancels = 1;
    const lock = lockAt('store-vault-unseal-1');
    const stopped = await carryThrough(
      initPlanOf(vault, serial, {
        token: tokenOf(),
        destinations: [{ kind: 'token' }, { kind: 'token' }, { kind: 'shown', custodian: 'Grace' }],
      }),
    );
    await lock.locked();
    expect(before.filter(isAlive)).toEqual([]);
    expect(stopped.state.status).toBe('open');
    expect(failedSteps(stopped)).toEqual([expect.stringMatching(/: App_PromptCancelled$/u)]);
    expect(prompt.asked).toEqual(['pin user']);
    const ended = valueOf(await core.runner.proceed(stopped.state.runId, given));
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state.status).toBe('completed');
    expect(prompt.asked).toEqual(['pin user', 'pin user', 'hand-out vault-unseal-2']);
    expect(prompt.handedOut.size).toBe(1);
    secrets.push(...prompt.handedOut.values());
    secrets.push(...(await readSecretsOfToken(['vault-unseal-0', 'vault-unseal-1', 'vault-root'])));
  });

  test('and of an unseal: the Vault is unsealed by the same run', async () => {
    await vault.restart();
    prompt.asked.length = 0;
    prompt.cancels = 1;
    const plan = unsealPlanOf(vault, serial);
    const lock = lockAt('token');
    const stopped = await carryThrough({
      ...plan,
      sources: [{ kind: 'token', token: tokenOf(), keyLabel: 'bank-vaults' }],
    });
    await lock.locked();
    prompt.cancels = 0;
    const ended =
      stopped.state.status === 'open' ? valueOf(await core.runner.proceed(stopped.state.runId, given)) : stopped;
    expect(failedSteps(ended)).toEqual([]);
    expect(ended.state).toMatchObject({ status: 'completed', facts: { sealedNodes: 0 } });
  });
});

describe('afterwards', () => {
  test('a lock leaves no host process', async () => {
    await core.lock();
    expect(desk.hostPids.length).toBeGreaterThanOrEqual(4);
    expect(desk.hostPids.filter(isAlive)).toEqual([]);
  });

  test('no file holds a PIN, a share or the root token in any form', async () => {
    await core.close();
    expect(secrets).toHaveLength(6);
    for (const secret of secrets.slice(2)) expect(secret.length).toBeGreaterThan(25);
    const own = await filesHolding(desk.directory, secrets);
    expect(own.read).toBeGreaterThanOrEqual(3);
    expect(own.holding).toEqual([]);
    const store = await filesHolding(desk.softHsm.directory, secrets);
    expect(store.read).toBeGreaterThan(5);
    expect(store.holding).toEqual([]);
    expect(desk.hostPids.filter(isAlive)).toEqual([]);
    // The search finds what is there: the run's id stands in its journal.
    expect((await filesHolding(join(desk.dataDirectory, 'runs'), [serial])).holding.length).toBeGreaterThan(0);
  });

  test('no argument and no environment of a host held one', () => {
    expect([...seen.keys()].sort()).toEqual([...new Set(desk.hostPids)].sort());
    const forms = secrets.flatMap(formsOf);
    for (const contents of seen.values()) {
      const content = Buffer.concat(contents);
      expect(content.includes('-host.ts')).toBe(true);
      expect(forms.filter((form) => content.includes(form))).toEqual([]);
    }
  });
});
