/**
 * A rewrap ended with SIGKILL at every journalled event and at every write, before and after. Each time every
 * value is on the token or in the escrow; a new process finishes the run, and every value is what it was.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { encryptToWrappingKey } from '../../electron/runs/interpreter/wrapping.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { ValuesRewrapPlan } from '../../electron/workflows/device-plans.ts';
import { endOf, setUpPlan } from '../fixtures/care-desk.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { writeSoftHsmConfiguration } from '../fixtures/softhsm.ts';
import { sealTestPin, valueOf } from '../fixtures/token-port.ts';

const childPath = fileURLToPath(new URL('../fixtures/care-kill-child.ts', import.meta.url));
const testValues = { 'vault-unseal-0': 'test share zero', 'vault-root': 'test root token' } as const;
const oldKey = 'bank-vaults';
const newKey = 'bank-vaults-2';

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
let serial: string;
let scenario = 0;

const templateOf = (): string => join(root.path, 'template');

/** A token with its key and two values, made once; every scenario starts from a copy of it. */
beforeAll(async () => {
  root = await temporaryDirectory('rewrap-kill');
  await mkdir(join(templateOf(), 'tokens'), { recursive: true });
  const harness = await openRunHarness({
    dataDirectory: join(root.path, 'setup'),
    softhsmConfiguration: await writeSoftHsmConfiguration(templateOf()),
  });
  const { runId } = valueOf(await harness.runner.start(setUpPlan, 'Ada'));
  const ended = valueOf(
    await harness.runner.proceed(runId, { by: 'Ada', typedName: '', throughDeliberateSteps: true }),
  );
  serial = String(ended.state.facts['serial']);
  const token = { storeId: 'test', serial };
  const key = valueOf(await harness.tokens.findWrappingKey(token, oldKey));
  for (const [label, plaintext] of Object.entries(testValues))
    valueOf(
      await harness.tokens.writeData(token, label, encryptToWrappingKey(key.publicKeySpki, Buffer.from(plaintext))),
    );
  await harness.close();
});

afterAll(() => root.dispose());

interface Scene {
  readonly data: string;
  readonly configuration: string;
  readonly planPath: string;
  readonly plan: ValuesRewrapPlan;
}

async function makeScene(): Promise<Scene> {
  scenario += 1;
  const directory = join(root.path, scenario.toString());
  await cp(templateOf(), directory, { recursive: true });
  const plan: ValuesRewrapPlan = {
    workflow: 'values-rewrap',
    rehearsal: false,
    token: { storeId: 'test', serial, label: 'care' },
    fromKeyLabel: oldKey,
    toKeyLabel: newKey,
    modulusBits: 2048,
    labels: Object.keys(testValues),
    removeOldKey: true,
  };
  const planPath = join(directory, 'plan.json');
  await writeFile(planPath, JSON.stringify(plan));
  return { data: join(directory, 'data'), configuration: await writeSoftHsmConfiguration(directory), planPath, plan };
}

/** Runs the child, which leads a process group of its own, until it ends or is killed. */
async function runChild(
  scene: Scene,
  point: string,
): Promise<{ readonly points: readonly string[]; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [childPath, scene.data, scene.configuration, scene.planPath, oldKey, point], {
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

async function decrypted(harness: RunHarness, label: string, keyLabel: string): Promise<string> {
  const token = { storeId: 'test', serial };
  const pair = await createSealingKeyPair();
  const sealed = await harness.tokens.decryptData(token, keyLabel, label, pair.publicKey, 'test');
  return sealed.ok ? Buffer.from((await openSecret(pair, sealed.value, 'test')) ?? []).toString() : sealed.error.code;
}

/** Nothing is lost at this moment: each value is on the token under a key that is there, or in the escrow. */
async function expectNothingLost(harness: RunHarness, scene: Scene, runId: string): Promise<void> {
  const pin = await sealTestPin(harness.tokens, 'test', serial, testPin);
  valueOf(await harness.tokens.login({ storeId: 'test', serial }, pin, false));
  const escrow = await readFile(join(scene.data, 'runs', runId, 'escrow.json'), 'utf8').catch(() => '');
  for (const [label, plaintext] of Object.entries(testValues)) {
    const onToken = [await decrypted(harness, label, oldKey), await decrypted(harness, label, newKey)];
    expect(onToken.includes(plaintext) || escrow.includes(`"${label}"`), `${label} is nowhere`).toBe(true);
  }
  await harness.tokens.logout({ storeId: 'test', serial });
}

/** Finishes the run in this process, and looks at every value. */
async function finish(scene: Scene): Promise<void> {
  const harness = await openRunHarness({ dataDirectory: scene.data, softhsmConfiguration: scene.configuration });
  try {
    const [listed] = await harness.runner.list();
    // Killed before the first record: no run was started, so the person starts one.
    const runId = listed?.state.runId ?? valueOf(await harness.runner.start(scene.plan, 'Bo')).runId;
    await expectNothingLost(harness, scene, runId);
    if (listed?.state.status !== 'completed') {
      const ended = await harness.runner.proceed(runId, {
        by: 'Bo',
        typedName: oldKey,
        throughDeliberateSteps: true,
      });
      expect(endOf(valueOf(ended))).toBe('completed');
    }
    const journal = await harness.journal.bytes(runId);
    expect(journal.ok && verifyJournal(journal.value)).toMatchObject({ intact: true, complete: true, problems: [] });
    await expect(readFile(join(scene.data, 'runs', runId, 'escrow.json'))).rejects.toThrow('ENOENT');
    const pin = await sealTestPin(harness.tokens, 'test', serial, testPin);
    valueOf(await harness.tokens.login({ storeId: 'test', serial }, pin, false));
    const objects = valueOf(await harness.tokens.listObjects({ storeId: 'test', serial }));
    expect(objects.keyPairs.map(({ label }) => label)).toEqual([newKey]);
    expect(objects.dataObjects.map(({ label }) => label).sort()).toEqual(Object.keys(testValues).sort());
    for (const [label, plaintext] of Object.entries(testValues))
      expect(await decrypted(harness, label, newKey)).toBe(plaintext);
  } finally {
    await harness.close();
  }
}

describe('SIGKILL during a rewrap', () => {
  it('at every journal record and every write', async () => {
    const { points } = await runChild(await makeScene(), '');
    expect(points.at(-1)).toBe('ended completed');
    const reached = points.slice(0, -1);
    // Between one record's arrival on disk and the next one's start nothing is written: that is one point.
    const isAppend = (name: string | undefined): boolean => name?.startsWith('append') === true;
    const places = reached.filter(
      (name, index) =>
        reached.indexOf(name) === index && !(isAppend(name) && name.endsWith('before') && isAppend(reached[index - 1])),
    );
    expect(places).toContain('write escrow after');
    expect(places).toContain('delete vault-unseal-0 after');
    expect(places).toContain('delete key-pair bank-vaults after');
    const problems: string[] = [];
    const waiting = [...places];
    const workOff = async (): Promise<void> => {
      for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
        const name = place;
        const scene = await makeScene();
        const { signal } = await runChild(scene, name);
        if (signal !== 'SIGKILL') problems.push(`${name}: was not killed`);
        await finish(scene).catch((cause: unknown) => problems.push(`${name}: ${String(cause)}`));
      }
    };
    await Promise.all([workOff(), workOff(), workOff()]);
    expect(problems).toEqual([]);
  }, 900_000);
});
