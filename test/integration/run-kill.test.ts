/**
 * An initialisation ended with SIGKILL at every journalled event, before and after, and at every write
 * after Vault's reply. Each time a new process finishes the run, and the Vault unseals with what is stored.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { UnsealPlan, VaultInitPlan } from '../../electron/workflows/plans.ts';
import { sharePoints } from '../fixtures/kill-points.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { sealTestPin } from '../fixtures/token-port.ts';
import { startVaultServer, type TestVault } from '../servers/vault-server.ts';

const childPath = fileURLToPath(new URL('../fixtures/kill-child.ts', import.meta.url));

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
let serial: string;
let scenario = 0;

async function writeConfiguration(directory: string): Promise<string> {
  const path = join(directory, 'softhsm2.conf');
  await writeFile(
    path,
    `directories.tokendir = ${join(directory, 'tokens')}\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n`,
  );
  return path;
}

const templateOf = (): string => join(root.path, 'template');

/** A token with its wrapping key, made once; every scenario starts from a copy of it. */
beforeAll(async () => {
  root = await temporaryDirectory('kill');
  await mkdir(join(templateOf(), 'tokens'), { recursive: true });
  const harness = await openRunHarness({
    dataDirectory: join(root.path, 'setup'),
    softhsmConfiguration: await writeConfiguration(templateOf()),
  });
  const started = await harness.runner.start(
    {
      workflow: 'token-setup',
      rehearsal: false,
      storeId: 'test',
      storeName: 'SoftHSM',
      slotId: 0,
      expectedSerial: '',
      initialize: true,
      currentLabel: '',
      label: 'kill test',
      keyLabel: 'bank-vaults',
      modulusBits: 2048,
    },
    'Ada',
  );
  if (!started.ok) throw new Error(started.error.message);
  const ended = await harness.runner.proceed(started.value.runId, {
    by: 'Ada',
    typedName: '',
    throughDeliberateSteps: true,
  });
  await harness.close();
  if (!ended.ok || ended.value.state.status !== 'completed') throw new Error(JSON.stringify(ended));
  serial = String(ended.value.state.facts['serial']);
});

afterAll(() => root.dispose());

interface Scene {
  readonly vault: TestVault;
  readonly data: string;
  readonly configuration: string;
  readonly plan: VaultInitPlan;
}

async function withScene<Value>(act: (scene: Scene) => Promise<Value>): Promise<Value> {
  scenario += 1;
  const directory = join(root.path, scenario.toString());
  await cp(templateOf(), directory, { recursive: true });
  const vault = await startVaultServer({ storage: 'inmem', tls: false });
  try {
    return await act({
      vault,
      data: join(directory, 'data'),
      configuration: await writeConfiguration(directory),
      plan: {
        workflow: 'vault-init',
        rehearsal: false,
        vaultId: 'v',
        vaultName: 'Test',
        connection: { address: vault.address, trust: { kind: 'system' } },
        token: { storeId: 'test', serial, label: 'kill test' },
        keyLabel: 'bank-vaults',
        shares: 3,
        threshold: 2,
        destinations: [{ kind: 'token' }, { kind: 'token' }, { kind: 'shown', custodian: 'Bo' }],
        rootToken: { kind: 'token' },
      },
    });
  } finally {
    await vault.stop();
  }
}

/** Runs the child, which leads a process group of its own, until it ends or is killed. */
async function runChild(
  scene: Scene,
  point: string,
): Promise<{ readonly points: readonly string[]; readonly signal: string | null }> {
  const planPath = join(scene.data, '..', 'plan.json');
  await writeFile(planPath, JSON.stringify(scene.plan));
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [childPath, scene.data, scene.configuration, planPath, point], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0 && signal === null) reject(new Error(errors));
      else resolve({ points: output.split('\n').filter((line) => line !== ''), signal });
    });
  });
}

async function readRootToken(harness: RunHarness): Promise<string> {
  const token = { storeId: 'test', serial };
  const ciphertext = await harness.tokens.readData(token, 'vault-root');
  if (!ciphertext.ok) throw new Error(ciphertext.error.message);
  const pair = await createSealingKeyPair();
  const sealed = await harness.tokens.decrypt(token, 'bank-vaults', ciphertext.value, pair.publicKey, 'test');
  if (!sealed.ok) throw new Error(sealed.error.message);
  return Buffer.from((await openSecret(pair, sealed.value, 'test')) ?? []).toString();
}

async function carryThrough(harness: RunHarness, runId: string): Promise<string> {
  const ended = await harness.runner.proceed(runId, { by: 'Bo', typedName: '', throughDeliberateSteps: true });
  if (!ended.ok) return JSON.stringify(ended.error);
  const failures = ended.value.state.steps.flatMap((step) =>
    step.failure === undefined ? [] : [`${step.id}: ${step.failure.code} ${step.failure.message}`],
  );
  return [ended.value.state.status, ...failures].join('; ');
}

/** Finishes the run in this process, seals Vault, and unseals it with what the token holds. */
async function finishAndUnseal(scene: Scene): Promise<void> {
  const harness = await openRunHarness({ dataDirectory: scene.data, softhsmConfiguration: scene.configuration });
  try {
    const ids = (await readdir(join(scene.data, 'runs')).catch(() => [])).filter((name) => !name.startsWith('.'));
    const listed = await harness.runner.list();
    let runId = listed[0]?.state.runId;
    // Killed before the first record: no run was started, so the person starts one.
    if (runId === undefined) {
      expect(ids.length).toBeLessThanOrEqual(1);
      const started = await harness.runner.start(scene.plan, 'Bo');
      if (!started.ok) throw new Error(started.error.message);
      runId = started.value.runId;
    }
    if (listed[0]?.state.status !== 'completed') expect(await carryThrough(harness, runId)).toBe('completed');
    const journal = await harness.journal.bytes(runId);
    expect(journal.ok && verifyJournal(journal.value)).toMatchObject({ intact: true, complete: true, problems: [] });
    await expect(readFile(join(scene.data, 'runs', runId, 'escrow.json'))).rejects.toThrow('ENOENT');

    const unsealPlan: UnsealPlan = {
      workflow: 'unseal',
      rehearsal: false,
      vaultId: 'v',
      vaultName: 'Test',
      connections: [scene.plan.connection],
      sources: [{ kind: 'token', token: scene.plan.token, keyLabel: 'bank-vaults' }],
    };
    const pin = await sealTestPin(harness.tokens, 'test', serial, testPin);
    await harness.tokens.login({ storeId: 'test', serial }, pin, false);
    const sealed = await fetch(`${scene.vault.address}/v1/sys/seal`, {
      method: 'PUT',
      headers: { 'x-vault-token': await readRootToken(harness) },
    });
    expect(sealed.status).toBe(204);
    const unseal = await harness.runner.start(unsealPlan, 'Bo');
    if (!unseal.ok) throw new Error(unseal.error.message);
    expect(await carryThrough(harness, unseal.value.runId)).toBe('completed');
  } finally {
    await harness.close();
  }
}

describe('SIGKILL during an initialisation', () => {
  it('at every journal record, every write and every submission', async () => {
    const { points } = await withScene((scene) => runChild(scene, ''));
    expect(points.at(-1)).toBe('ended completed');
    const reached = points.slice(0, -1);
    // Between one record's arrival on disk and the next one's start nothing is written: that is one point.
    const isAppend = (name: string | undefined): boolean => name?.startsWith('append') === true;
    const places = reached.filter(
      (name, index) =>
        reached.indexOf(name) === index && !(isAppend(name) && name.endsWith('before') && isAppend(reached[index - 1])),
    );
    expect(places.filter((name) => isAppend(name) && name.endsWith('after')).length).toBeGreaterThan(20);
    const problems: string[] = [];
    const waiting = [...places];
    const workOff = async (): Promise<void> => {
      for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
        const name = place;
        await withScene(async (scene) => {
          const { signal } = await runChild(scene, name);
          if (signal !== 'SIGKILL') problems.push(`${name}: was not killed`);
          await finishAndUnseal(scene).catch((cause: unknown) => problems.push(`${name}: ${String(cause)}`));
        });
      }
    };
    // Most of a scene is waiting for processes to come up, so three share the two cores.
    await Promise.all([workOff(), workOff(), workOff()]);
    expect(problems).toEqual([]);
  }, 900_000);

  it.each(sharePoints)('inside the share host at %s', async (place) => {
    await withScene(async (scene) => {
      const { signal } = await runChild(scene, place);
      expect(signal).toBe('SIGKILL');
      await finishAndUnseal(scene);
    });
  });

  it('of everything but the share host, while Vault is being asked', async () => {
    await withScene(async (scene) => {
      const { signal } = await runChild(scene, 'parent at sync 2');
      expect(signal).toBe('SIGKILL');
      await finishAndUnseal(scene);
    });
  });
});
