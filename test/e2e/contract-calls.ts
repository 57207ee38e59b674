/** Prepares what a test needs through the window's own contract; what the test is about goes through the windows. */
import { expect, type Page } from '@playwright/test';
import type { AppView, RunView, TokenView } from '../../electron/contract/views.ts';
import type { DeviceChoices } from '../../electron/workflows/device-plans.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import type { TestVault } from '../servers/vault-server.ts';
import { answerPrompt, findPrompt, readView, type Secrets } from './drive-run.ts';
import type { LaunchedApp } from './launch/launch-app.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

/** @returns the value of the answer @throws with the failure where the answer is one */
export async function callContract(page: Page, name: string, request: unknown): Promise<unknown> {
  const answer: unknown = await page.evaluate(
    ([channel, body]) => {
      const bridge = Reflect.get(window, 'custodian') as { call(name: string, request: unknown): Promise<unknown> };
      return bridge.call(channel, body);
    },
    [name, request] as const,
  );
  if (typeof answer === 'object' && answer !== null && 'ok' in answer && answer.ok === true && 'value' in answer)
    return answer.value;
  throw new Error(`${name}: ${JSON.stringify(answer)}`);
}

/** Starts the rehearsal, or takes it up again, and waits for its token. */
export async function startRehearsal(page: Page): Promise<AppView> {
  await callContract(page, 'rehearsal.start', {});
  await expect.poll(async () => (await readView(page)).tokens.some((token) => token.rehearsal)).toBe(true);
  return readView(page);
}

/** @returns the new run's id; nothing of it is done yet */
export async function startRun(page: Page, plan: Plan): Promise<string> {
  const value = await callContract(page, 'runs.start', { plan });
  if (typeof value !== 'object' || value === null || !('runId' in value)) throw new Error('no run was started');
  return String(value.runId);
}

export async function findRun(page: Page, runId: string): Promise<RunView | undefined> {
  return (await readView(page)).runs.find((run) => run.id === runId);
}

/** Goes on with a run as its main button does, until it ends. PINs are typed into the prompt windows. */
export async function finishRun(app: LaunchedApp, page: Page, runId: string, secrets: Secrets): Promise<RunView> {
  const deadline = Date.now() + 120_000;
  const seen = new Set<string>();
  for (;;) {
    const prompt = findPrompt(app);
    if (prompt !== undefined) await answerPrompt(prompt, secrets, seen);
    const run = await findRun(page, runId);
    if (run !== undefined && run.status !== 'open') return run;
    if (Date.now() > deadline) throw new Error(`the run did not end: ${JSON.stringify(run)}`);
    const step = run?.steps.find((candidate) => ['current', 'failed'].includes(candidate.status));
    if (run?.busy === false && step !== undefined) {
      expect(step.problem, `${step.title}: ${JSON.stringify(step.problem)}`).toBe(null);
      await callContract(page, 'runs.continue', { runId, typedName: step.danger?.typedName ?? '' });
    }
    await page.waitForTimeout(100);
  }
}

/** Initialises the first uninitialised token of a store and makes its wrapping key. @returns the token */
export async function setUpToken(
  app: LaunchedApp,
  page: Page,
  storeId: string,
  label: string,
  secrets: Secrets,
): Promise<TokenView> {
  await expect
    .poll(async () => (await readView(page)).tokens.some((each) => each.storeId === storeId && !each.initialized))
    .toBe(true);
  const token = (await readView(page)).tokens.find((each) => each.storeId === storeId && !each.initialized);
  if (token === undefined) throw new Error('the store has no empty token');
  const runId = await startRun(
    page,
    tokenSetupPlan({
      rehearsal: token.rehearsal,
      storeId,
      storeName: token.storeName,
      slotId: token.slotId,
      expectedSerial: token.serial,
      label,
    }),
  );
  expect((await finishRun(app, page, runId, secrets)).status).toBe('completed');
  const find = async (): Promise<TokenView | undefined> =>
    (await readView(page)).tokens.find((each) => each.storeId === storeId && each.label === label);
  await expect.poll(async () => (await find()) !== undefined).toBe(true);
  const made = await find();
  if (made === undefined) throw new Error('the token is gone');
  return made;
}

/** Sets a SmartCard-HSM up anew with its wrapping key; Ada keeps the SO-PIN and Bo the PIN. */
export function planDeviceSetUp(
  token: TokenView,
  label: string,
  choices: Pick<DeviceChoices, 'currentSoPin' | 'newSoPin' | 'dkek'>,
): Plan {
  return tokenSetupPlan({
    storeId: token.storeId,
    storeName: token.storeName,
    slotId: token.slotId,
    expectedSerial: token.serial,
    currentLabel: token.label,
    label,
    device: { soPinHolder: 'Ada', pinHolder: 'Bo', retryLimit: 3, allowPinResetWithSoPin: true, ...choices },
  });
}

/** Adds a Vault by its CA file. @returns its id */
export async function addVault(page: Page, vault: TestVault, name = 'Production'): Promise<string> {
  const value = await callContract(page, 'vaults.add', {
    name,
    addresses: vault.addresses,
    trust: { kind: 'ca-file', path: vault.caPath },
  });
  if (typeof value !== 'object' || value === null || !('vaultId' in value)) throw new Error('no Vault was added');
  return String(value.vaultId);
}

/** A plan with every share and the root token's end decided; what goes elsewhere is given by `destinations`. */
export function planVaultInit(
  view: AppView,
  vaultId: string,
  token: TokenView,
  shares: { readonly count: number; readonly threshold: number; readonly shown?: Readonly<Record<number, string>> },
): Plan {
  const vault = view.vaults.find((each) => each.id === vaultId);
  const node = vault?.nodes[0];
  if (vault === undefined || node === undefined) throw new Error(`there is no Vault ${vaultId}`);
  return {
    workflow: 'vault-init',
    rehearsal: vault.rehearsal,
    vaultId,
    vaultName: vault.name,
    connection: { address: node.address, trust: vault.trust },
    token: { storeId: token.storeId, serial: token.serial, label: token.label },
    keyLabel: 'bank-vaults',
    shares: shares.count,
    threshold: shares.threshold,
    destinations: Array.from({ length: shares.count }, (_each, index) => {
      const custodian = shares.shown?.[index + 1];
      return custodian === undefined ? { kind: 'token' as const } : { kind: 'shown' as const, custodian };
    }),
    rootToken: { kind: 'revoked' },
  };
}

export async function waitForVault(page: Page, vaultId: string, state: string): Promise<void> {
  await expect
    .poll(async () => (await readView(page)).vaults.find((each) => each.id === vaultId)?.state, { timeout: 40_000 })
    .toBe(state);
}
