/**
 * A rewrap ended with SIGKILL at every journalled event and at every write, before and after. Each time every
 * value is on the token or in the escrow; a new process finishes the run, and every value is what it was.
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encryptToWrappingKey } from '../../electron/runs/interpreter/wrapping.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import type { ValuesRewrapPlan } from '../../electron/workflows/device-plans.ts';
import { setUpPlan } from '../fixtures/care-desk.ts';
import { killAtEach, pointsOf, runKillChild, takeUp, type KillScene } from '../fixtures/kill-scenes.ts';
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
}

const planOf = (): ValuesRewrapPlan => ({
  workflow: 'values-rewrap',
  rehearsal: false,
  token: { storeId: 'test', serial, label: 'care' },
  fromKeyLabel: oldKey,
  toKeyLabel: newKey,
  modulusBits: 2048,
  labels: Object.keys(testValues),
  removeOldKey: true,
});

async function newScene(): Promise<KillScene> {
  scenario += 1;
  const directory = join(root.path, scenario.toString());
  await cp(templateOf(), directory, { recursive: true });
  const planPath = join(directory, 'plan.json');
  await writeFile(planPath, JSON.stringify(planOf()));
  const scene = { data: join(directory, 'data'), configuration: await writeSoftHsmConfiguration(directory) };
  return {
    run: (point) => runKillChild(childPath, [scene.data, scene.configuration, planPath, oldKey, point]),
    finish: () => finish(scene),
  };
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
    const runId = await takeUp(harness, planOf(), testPin, (id) => expectNothingLost(harness, scene, id));
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
    const points = await pointsOf(newScene);
    expect(points).toContain('write escrow after');
    expect(points).toContain('delete vault-unseal-0 after');
    expect(points).toContain('delete key-pair bank-vaults after');
    expect(await killAtEach(newScene, points)).toEqual([]);
  }, 900_000);
});
