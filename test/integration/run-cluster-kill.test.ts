/**
 * SIGKILL of the whole program around every record and write of a push, of an undo and of an initialisation into a
 * Secret. Each time a new process takes the run up and finishes it, and the cluster is as it should be.
 */
import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRunId } from '../../electron/custody/directories.ts';
import { verifyJournal } from '../../electron/custody/verify.ts';
import { stepsOf } from '../../electron/workflows/definitions.ts';
import type { ClusterPin, ClusterPort, Manifest, PushContent } from '../../electron/workflows/cluster-ports.ts';
import type { Plan, UnsealPlan } from '../../electron/workflows/plans.ts';
import { createTestClusterPort, pinOnly, readSecret } from '../fixtures/cluster-desk.ts';
import { initPlanOf } from '../fixtures/run-desk.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { writeSoftHsmConfiguration } from '../fixtures/softhsm.ts';
import { quickStart, valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer } from '../servers/vault-server.ts';

const childPath = fileURLToPath(new URL('../fixtures/kill-child.ts', import.meta.url));

let root: Awaited<ReturnType<typeof temporaryDirectory>>;
let kubernetes: KubernetesServer;
let kubeconfig: string;
let clusters: ClusterPort;
let pin: ClusterPin;
let scenario = 0;

beforeAll(async () => {
  root = await temporaryDirectory('cluster-kill');
  kubernetes = await startKubernetes();
  kubeconfig = await kubernetes.custodianKubeconfig();
  clusters = createTestClusterPort({ kubectlPath: kubernetes.kubectlPath, kubeconfig, directory: root.path });
  pin = await pinOnly(clusters);
});

afterAll(async () => {
  await clusters.close();
  await kubernetes.stop();
  await root.dispose();
});

/** A fresh place for one run that is killed. */
interface Scene {
  readonly directory: string;
  readonly data: string;
  readonly namespace: string;
  readonly plan: Plan;
  /** Throws where the cluster is not as it should be at the end. */
  check(harness: RunHarness, runId: string): Promise<void>;
  dispose?(): Promise<void>;
}

async function newNamespace(): Promise<{
  readonly directory: string;
  readonly data: string;
  readonly namespace: string;
}> {
  scenario += 1;
  const namespace = `scene-${scenario.toString()}`;
  const directory = join(root.path, namespace);
  await mkdir(directory);
  await kubernetes.arrange(['create', 'namespace', namespace]);
  return { directory, data: join(directory, 'data'), namespace };
}

/** Runs the child, which leads a process group of its own, until it ends or is killed. */
async function runChild(
  scene: Scene,
  point: string,
): Promise<{ readonly points: readonly string[]; readonly signal: string | null }> {
  const planPath = join(scene.directory, 'plan.json');
  await writeFile(planPath, JSON.stringify(scene.plan));
  const argumentList = [scene.data, join(scene.directory, 'softhsm2.conf'), planPath, point];
  return new Promise((resolve, reject) => {
    const forCluster = [kubeconfig, kubernetes.kubectlPath, root.path];
    const child = spawn(process.execPath, [...quickStart, childPath, ...argumentList, ...forCluster], {
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

async function carryThrough(harness: RunHarness, plan: Plan, runId: string): Promise<string> {
  const typedName = stepsOf(plan).find(({ danger }) => danger !== undefined)?.danger?.typedName ?? '';
  const ended = await harness.runner.proceed(runId, { by: 'Bo', typedName, throughDeliberateSteps: true });
  if (!ended.ok) return JSON.stringify(ended.error);
  const failures = ended.value.state.steps.flatMap((step) =>
    step.failure === undefined ? [] : [`${step.id}: ${step.failure.code} ${step.failure.message}`],
  );
  return [ended.value.state.status, ...failures].join('; ');
}

/** What a person does who opens the program again. */
async function finish(scene: Scene): Promise<void> {
  const harness = await openRunHarness({
    dataDirectory: scene.data,
    softhsmConfiguration: join(scene.directory, 'softhsm2.conf'),
    clusters,
  });
  harness.prompt.passwordAnswers.push(...Array.from({ length: 4 }, () => testPin));
  try {
    const listed = (await harness.runner.list()).find(({ state }) => state.plan.workflow === scene.plan.workflow);
    const runId = listed?.state.runId ?? valueOf(await harness.runner.start(scene.plan, 'Bo')).runId;
    if (listed?.state.status !== 'completed') expect(await carryThrough(harness, scene.plan, runId)).toBe('completed');
    const journal = valueOf(await harness.journal.bytes(runId));
    expect(verifyJournal(journal)).toMatchObject({ intact: true, complete: true, problems: [] });
    expect(Buffer.from(journal).includes(testPin)).toBe(false);
    await scene.check(harness, runId);
  } finally {
    await harness.close();
  }
}

/** Every point that a run comes to; between a record on disk and the next one's start nothing happens. */
async function pointsOf(newScene: () => Promise<Scene>): Promise<readonly string[]> {
  const scene = await newScene();
  const { points } = await runChild(scene, '');
  await scene.dispose?.();
  expect(points.at(-1)).toBe('ended completed');
  const reached = points.slice(0, -1);
  const isAppend = (name: string | undefined): boolean => name?.startsWith('append') === true;
  return reached.filter(
    (name, index) =>
      reached.indexOf(name) === index && !(isAppend(name) && name.endsWith('before') && isAppend(reached[index - 1])),
  );
}

/** What is written to the cluster, and the record that follows each. */
function aroundCluster(points: readonly string[]): readonly string[] {
  const isCluster = (name: string | undefined): boolean => name?.startsWith('cluster ') === true;
  return points.filter((name, index) => isCluster(name) || isCluster(points[index - 1]));
}

/** Kills a run at each of these points and finishes it; answers what went wrong where. */
async function killAtEach(newScene: () => Promise<Scene>, points: readonly string[]): Promise<readonly string[]> {
  const problems: string[] = [];
  const waiting = [...points];
  const workOff = async (): Promise<void> => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      const name = point;
      const scene = await newScene();
      try {
        const { signal } = await runChild(scene, name);
        if (signal !== 'SIGKILL') problems.push(`${name}: was not killed`);
        await finish(scene);
      } catch (cause) {
        problems.push(`${name}: ${String(cause)}`);
      } finally {
        await scene.dispose?.();
      }
    }
  };
  await Promise.all([workOff(), workOff(), workOff()]);
  return problems;
}

const configMap = (namespace: string, name: string, value: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data: { value },
});

const pinSecret = (namespace: string): Manifest => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'hsm-pin', namespace, labels: { pushed: 'yes' } },
  type: 'Opaque',
});

const valueOfConfigMap = async (namespace: string, name: string): Promise<string> =>
  (await kubernetes.kubectl(['get', 'configmap', name, '-n', namespace, '-o', 'jsonpath={.data.value}'])).stdout;

async function pushScene(): Promise<Scene> {
  const place = await newNamespace();
  const { namespace } = place;
  await kubernetes.arrange(['create', 'secret', 'generic', 'hsm-pin', '-n', namespace, '--from-literal=pin=earlier']);
  const content: PushContent = {
    objects: [configMap(namespace, 'new', 'pushed'), pinSecret(namespace)],
    secretSlots: [
      {
        reference: { apiVersion: 'v1', kind: 'Secret', namespace, name: 'hsm-pin' },
        key: 'pin',
        what: 'User PIN',
      },
    ],
    patches: [],
    rollouts: [],
  };
  const preview = valueOf(await clusters.preview(pin, content));
  return {
    ...place,
    plan: {
      workflow: 'cluster-push',
      rehearsal: false,
      cluster: pin,
      recipe: clusters.defaults('bank-vaults'),
      content,
      previewSha256: preview.sha256,
      takeOverConflicts: true,
    },
    async check(_harness, runId) {
      expect(await valueOfConfigMap(namespace, 'new')).toBe('pushed');
      expect((await readSecret(kubernetes, namespace, 'hsm-pin'))?.['pin']?.toString()).toBe(testPin);
      const record: unknown = JSON.parse(
        await readFile(join(place.data, 'runs', runId, 'outbox', 'push-record.json'), 'utf8'),
      );
      // What was there before the push, whatever came in between.
      expect(record).toMatchObject({
        before: expect.arrayContaining([expect.objectContaining({ manifest: null })]),
      });
    },
  };
}

async function undoScene(): Promise<Scene> {
  const place = await newNamespace();
  const { namespace, data } = place;
  await kubernetes.arrange(['create', 'secret', 'generic', 'hsm-pin', '-n', namespace, '--from-literal=pin=earlier']);
  await kubernetes.arrange(
    ['apply', '--server-side', '--field-manager=somebody', '-f', '-'],
    JSON.stringify(configMap(namespace, 'old', 'earlier')),
  );
  const content: PushContent = {
    objects: [configMap(namespace, 'new', 'pushed'), configMap(namespace, 'old', 'pushed'), pinSecret(namespace)],
    secretSlots: [],
    patches: [],
    rollouts: [],
  };
  const pushRunId = newRunId(false, new Date());
  const record = valueOf(await clusters.preparePush(pin, content, pushRunId));
  valueOf(await clusters.apply(record, { takeOverConflicts: true, secrets: [] }));
  const outbox = join(data, 'runs', pushRunId, 'outbox');
  await mkdir(outbox, { recursive: true });
  await writeFile(join(outbox, 'push-record.json'), JSON.stringify(record));
  expect(await valueOfConfigMap(namespace, 'old')).toBe('pushed');
  return {
    ...place,
    plan: { workflow: 'cluster-undo', rehearsal: false, cluster: pin, pushRunId, losses: [] },
    async check() {
      expect(await valueOfConfigMap(namespace, 'new')).toBe('');
      expect(await valueOfConfigMap(namespace, 'old')).toBe('earlier');
      expect((await readSecret(kubernetes, namespace, 'hsm-pin'))?.['pin']?.toString()).toBe('earlier');
      const left = await kubernetes.arrange(['get', 'secrets', '-n', namespace, '-o', 'name']);
      expect(left.trim()).toBe('secret/hsm-pin');
    },
  };
}

test('a push: at every record and around every write', async () => {
  const points = await pointsOf(pushScene);
  expect(points).toEqual(expect.arrayContaining(['cluster prepare after', 'outbox after', 'cluster apply after']));
  expect(await killAtEach(pushScene, points)).toEqual([]);
}, 600_000);

test('an undo: around every write and at the records next to them', async () => {
  const points = aroundCluster(await pointsOf(undoScene));
  expect(points).toEqual(expect.arrayContaining(['cluster undo after', 'cluster forget after']));
  expect(await killAtEach(undoScene, points)).toEqual([]);
}, 600_000);

test('an initialisation into a Secret: around every write to the cluster', async () => {
  const template = join(root.path, 'template');
  await mkdir(join(template, 'tokens'), { recursive: true });
  const setUp = await openRunHarness({
    dataDirectory: join(root.path, 'set-up'),
    softhsmConfiguration: await writeSoftHsmConfiguration(template),
  });
  const setUpPlan: Plan = {
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
  };
  const { runId: setUpRunId } = valueOf(await setUp.runner.start(setUpPlan, 'Ada'));
  expect(await carryThrough(setUp, setUpPlan, setUpRunId)).toBe('completed');
  const serial = String(valueOf(await setUp.runner.snapshot(setUpRunId)).state.facts['serial']);
  await setUp.close();

  const initScene = async (): Promise<Scene> => {
    const place = await newNamespace();
    await cp(template, place.directory, { recursive: true });
    await writeSoftHsmConfiguration(place.directory);
    const vault = await startVaultServer({ storage: 'inmem', tls: false });
    const where = { cluster: pin, secret: { namespace: place.namespace, name: 'vault-unseal-keys' } };
    const plan = initPlanOf(vault, serial, {
      secret: where,
      destinations: [{ kind: 'secret' }, { kind: 'secret' }, { kind: 'token' }],
      rootToken: { kind: 'secret' },
    });
    return {
      ...place,
      plan,
      async check(harness, runId) {
        await expect(readFile(join(place.data, 'runs', runId, 'escrow.json'))).rejects.toThrow('ENOENT');
        const values = await readSecret(kubernetes, place.namespace, 'vault-unseal-keys');
        expect(Object.keys(values ?? {}).toSorted()).toEqual(['vault-root', 'vault-unseal-0', 'vault-unseal-1']);
        // Two of the threshold's shares lie in the Secret alone: the same Vault, under other shares, would refuse them.
        const unseal: UnsealPlan = {
          workflow: 'unseal',
          rehearsal: false,
          vaultId: 'v',
          vaultName: 'Test',
          connections: [plan.connection],
          sources: [{ kind: 'secret', ...where, token: plan.token, keyLabel: 'bank-vaults' }],
        };
        const { runId: unsealRunId } = valueOf(await harness.runner.start(unseal, 'Bo'));
        expect(await carryThrough(harness, unseal, unsealRunId)).toBe('completed');
      },
      dispose: () => vault.stop(),
    };
  };
  // The records and writes that an initialisation onto the token has as well are killed at in run-kill.
  const own = aroundCluster(await pointsOf(initScene));
  expect(own).toEqual(expect.arrayContaining(['cluster write values after', 'cluster remove values after']));
  expect(await killAtEach(initScene, own)).toEqual([]);
}, 600_000);
