import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { Plan, TokenSetupPlan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import type { VaultConnection } from '../../electron/workflows/ports.ts';
import { openRunHarness, temporaryDirectory, type RunHarness } from '../fixtures/run-harness.ts';
import { createSoftHsmDirectory, type SoftHsmDirectory } from '../fixtures/softhsm.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

const run = promisify(execFile);

let softHsm: SoftHsmDirectory;
let data: Awaited<ReturnType<typeof temporaryDirectory>>;
let harness: RunHarness;
let gnupgHome: string;
let publicKeyArmored: string;
let fingerprint: string;

beforeAll(async () => {
  gnupgHome = await mkdtemp(join(tmpdir(), 'kc-gpg-'));
  process.env['GNUPGHOME'] = gnupgHome;
  const gpg = (...argumentList: string[]) => run('gpg', ['--batch', '--quiet', ...argumentList]);
  await gpg('--passphrase', '', '--quick-generate-key', 'Grace <grace@example.org>', 'default', 'default', 'never');
  publicKeyArmored = (await gpg('--armor', '--export')).stdout;
  const listed = (await gpg('--with-colons', '--fingerprint')).stdout;
  fingerprint = /^fpr:::::::::([0-9A-F]+):/mu.exec(listed)?.[1] ?? '';
  softHsm = await createSoftHsmDirectory();
  data = await temporaryDirectory('runs');
  harness = await openRunHarness({ dataDirectory: data.path, softhsmConfiguration: softHsm.configurationPath });
});

afterAll(async () => {
  await harness.close();
  await run('gpgconf', ['--homedir', gnupgHome, '--kill', 'all']);
  await Promise.all([softHsm.dispose(), data.dispose(), rm(gnupgHome, { recursive: true, force: true })]);
});

function failuresOf(snapshot: RunSnapshot): readonly string[] {
  return snapshot.state.steps.flatMap((step) =>
    step.failure === undefined ? [] : [`${step.id}: ${step.failure.code} ${step.failure.message}`],
  );
}

/** Starts a run and carries it through to its end or its first failure. */
async function carryThrough(plan: Plan, typedName = ''): Promise<RunSnapshot> {
  const started = await harness.runner.start(plan, 'Ada');
  if (!started.ok) throw new Error(JSON.stringify(started.error));
  return goOn(started.value.runId, typedName);
}

async function goOn(runId: string, typedName = ''): Promise<RunSnapshot> {
  const ended = await harness.runner.proceed(runId, { by: 'Ada', typedName, throughDeliberateSteps: true });
  if (!ended.ok) throw new Error(JSON.stringify(ended.error));
  return ended.value;
}

async function completed(plan: Plan, typedName = ''): Promise<RunSnapshot> {
  const snapshot = await carryThrough(plan, typedName);
  expect(failuresOf(snapshot)).toEqual([]);
  expect(snapshot.state.status).toBe('completed');
  return snapshot;
}

async function setupPlan(label: string): Promise<TokenSetupPlan> {
  const listed = await harness.tokens.listTokens();
  const tokens = listed[0]?.result;
  const blank = tokens?.ok === true ? tokens.value.find((token) => !token.initialized) : undefined;
  if (blank === undefined) throw new Error('no blank slot');
  return tokenSetupPlan({ slotId: blank.slotId, expectedSerial: blank.serial, label });
}

function initPlan(vault: TestVault, serial: string, change: Partial<VaultInitPlan>): VaultInitPlan {
  return {
    workflow: 'vault-init',
    rehearsal: false,
    vaultId: 'v',
    vaultName: 'Test',
    connection: connectionOf(vault),
    token: { storeId: 'test', serial, label: 'unseal' },
    keyLabel: 'bank-vaults',
    shares: 5,
    threshold: 3,
    destinations: Array.from({ length: 5 }, () => ({ kind: 'token' as const })),
    rootToken: { kind: 'token' },
    ...change,
  };
}

const connectionOf = (vault: TestVault): VaultConnection => ({
  address: vault.address,
  trust: { kind: 'ca-file', path: vault.caPath },
});

describe('from an empty token to an unsealed Vault', () => {
  it('sets a token up, keeps five shares and the root token on it, and unseals after a restart', async () => {
    const setup = await completed(await setupPlan('all on token'));
    const serial = String(setup.state.facts['serial']);
    expect(serial).toMatch(/^[0-9a-f]{16}$/u);
    expect(String(setup.state.facts['publicKeyWords']).split(' ')).toHaveLength(32);
    expect(harness.prompt.asked.splice(0)).toEqual(['pin so new', 'pin user new', 'pin user']);

    const again = await carryThrough({ ...(await setupPlan('x')), initialize: false, expectedSerial: serial });
    expect(failuresOf(again)[0]).toContain('generate-key: Token_KeyLabelInUse');

    const vault = await startVaultServer();
    try {
      const init = await completed(initPlan(vault, serial, {}));
      const bytes = await harness.journal.bytes(init.state.runId);
      if (!bytes.ok) throw new Error(bytes.error.message);
      expect(verifyJournal(bytes.value)).toMatchObject({ intact: true, complete: true, problems: [] });
      const objects = await harness.tokens.listObjects({ storeId: 'test', serial });
      if (!objects.ok) throw new Error(objects.error.message);
      expect(objects.value.dataObjects.map(({ label }) => label).sort()).toEqual([
        'vault-root',
        ...[0, 1, 2, 3, 4].map((index) => `vault-unseal-${index.toString()}`),
      ]);
      await expect(readFile(join(data.path, 'runs', init.state.runId, 'escrow.json'))).rejects.toThrow('ENOENT');

      const second = await carryThrough(initPlan(vault, serial, {}));
      expect(failuresOf(second)).toEqual([expect.stringContaining('check-vault: Vault_AlreadyInitialized')]);

      await vault.restart();
      const unseal = await completed({
        workflow: 'unseal',
        rehearsal: false,
        vaultId: 'v',
        vaultName: 'Test',
        connections: [connectionOf(vault)],
        sources: [{ kind: 'token', token: { storeId: 'test', serial, label: 'unseal' }, keyLabel: 'bank-vaults' }],
      });
      expect(unseal.state.facts['sealedNodes']).toBe(0);

      const needless = await completed({ ...unseal.state.plan });
      expect(needless.state.steps.map((step) => step.status)).toEqual(['done', 'not-needed', 'not-needed', 'done']);
    } finally {
      await vault.stop();
    }
  });

  it('hands shares out by token, PGP and prompt, revokes the root token, and unseals from all three', async () => {
    const setup = await completed(await setupPlan('mixed'));
    const serial = String(setup.state.facts['serial']);
    const token = { storeId: 'test', serial, label: 'mixed' };
    const raft = await startVaultServer();
    try {
      const init = await completed(
        initPlan(raft, serial, {
          shares: 3,
          threshold: 3,
          destinations: [
            { kind: 'shown', custodian: 'Ada' },
            { kind: 'token' },
            { kind: 'pgp', custodian: 'Grace Hopper', publicKeyArmored, fingerprint },
          ],
          rootToken: { kind: 'revoked' },
        }),
      );
      const shown = harness.prompt.handedOut.get('vault-unseal-0') ?? '';
      expect(shown).toMatch(/^[0-9a-f]{66}$/u);
      const message = await readFile(
        join(data.path, 'runs', init.state.runId, 'outbox', 'vault-unseal-2-for-Grace-Hopper.pgp'),
      );
      const journal = await harness.journal.bytes(init.state.runId);
      expect(journal.ok && journal.value.includes(shown)).toBe(false);

      await raft.restart();
      harness.prompt.shareAnswers.push('not a share', shown);
      const unseal = await completed({
        workflow: 'unseal',
        rehearsal: false,
        vaultId: 'v',
        vaultName: 'Test',
        connections: [connectionOf(raft)],
        sources: [
          { kind: 'token', token, keyLabel: 'bank-vaults' },
          { kind: 'pgp', custodian: 'Grace Hopper', messageBase64: message.toString('base64') },
          { kind: 'typed', custodian: 'Ada' },
        ],
      });
      expect(unseal.state.facts['sealedNodes']).toBe(0);
      expect(harness.prompt.asked.filter((question) => question.startsWith('share'))).toEqual(['share', 'share again']);
    } finally {
      await raft.stop();
    }
  });

  it('asks for the PIN again after a lock and after a wrong one, and stops at a closed prompt', async () => {
    const setup = await completed(await setupPlan('locked'));
    const serial = String(setup.state.facts['serial']);
    const vault = await startVaultServer({ storage: 'inmem' });
    try {
      await harness.tokens.closeAll();
      harness.prompt.asked.length = 0;
      harness.prompt.cancels = 1;
      const stopped = await carryThrough(
        initPlan(vault, serial, {
          shares: 1,
          threshold: 1,
          destinations: [{ kind: 'token' }],
          rootToken: { kind: 'pgp', custodian: 'Grace', publicKeyArmored, fingerprint },
        }),
      );
      expect(failuresOf(stopped)[0]).toContain('log-in: App_PromptCancelled');
      harness.prompt.pinAnswers.push('000000');
      const ended = await goOn(stopped.state.runId);
      expect(failuresOf(ended)).toEqual([]);
      expect(ended.state.status).toBe('completed');
      expect(harness.prompt.asked).toEqual(['pin user', 'pin user', 'pin user again']);
    } finally {
      await vault.stop();
    }
  });
});
