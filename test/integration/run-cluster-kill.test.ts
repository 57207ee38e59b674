/**
 * SIGKILL of the whole program around every record and write of a push, of an undo and of an initialisation into a
 * Secret. Each time a new process takes the run up and finishes it, and the cluster is as it should be.
 */
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRunId } from '../../electron/custody/directories.ts';
import type { ClusterPin, ClusterPort, Manifest, PushContent } from '../../electron/workflows/cluster-ports.ts';
import type { Plan, UnsealPlan } from '../../electron/workflows/plans.ts';
import { createTestClusterPort, pinOnly, readSecret } from '../fixtures/cluster-desk.ts';
import { carryThrough, killAtEach, pointsOf, runKillChild, takeUp, type KillScene } from '../fixtures/kill-scenes.ts';
import { initPlanOf } from '../fixtures/run-desk.ts';
import { openRunHarness, temporaryDirectory, testPin, type RunHarness } from '../fixtures/run-harness.ts';
import { writeSoftHsmConfiguration } from '../fixtures/softhsm.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';
import { startVaultServer } from '../servers/vault-server.ts';
import { tokenSetupPlan } from '../fixtures/token-setup-plan.ts';

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

/** What one run that is killed is about. */
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

/** As it is killed and taken up. */
function killable(makeScene: () => Promise<Scene>): () => Promise<KillScene> {
  return async () => {
    const scene = await makeScene();
    const softhsmConfiguration = join(scene.directory, 'softhsm2.conf');
    const planPath = join(scene.directory, 'plan.json');
    await writeFile(planPath, JSON.stringify(scene.plan));
    const forCluster = [kubeconfig, kubernetes.kubectlPath, root.path];
    return {
      run: (point) => runKillChild(childPath, [scene.data, softhsmConfiguration, planPath, point, ...forCluster]),
      finish: async () => {
        const harness = await openRunHarness({ dataDirectory: scene.data, softhsmConfiguration, clusters });
        harness.prompt.passwordAnswers.push(...Array.from({ length: 4 }, () => testPin));
        try {
          await scene.check(harness, await takeUp(harness, scene.plan, testPin));
        } finally {
          await harness.close();
        }
      },
      ...(scene.dispose === undefined ? {} : { dispose: scene.dispose }),
    };
  };
}

/** What is written to the cluster, and the record that follows each. */
function aroundCluster(points: readonly string[]): readonly string[] {
  const isCluster = (name: string | undefined): boolean => name?.startsWith('cluster ') === true;
  return points.filter((name, index) => isCluster(name) || isCluster(points[index - 1]));
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
  const newScene = killable(pushScene);
  const points = await pointsOf(newScene);
  expect(points).toEqual(expect.arrayContaining(['cluster prepare after', 'outbox after', 'cluster apply after']));
  expect(await killAtEach(newScene, points)).toEqual([]);
}, 600_000);

test('an undo: around every write and at the records next to them', async () => {
  const newScene = killable(undoScene);
  const points = aroundCluster(await pointsOf(newScene));
  expect(points).toEqual(expect.arrayContaining(['cluster undo after', 'cluster forget after']));
  expect(await killAtEach(newScene, points)).toEqual([]);
}, 600_000);

test('an initialisation into a Secret: around every write to the cluster', async () => {
  const template = join(root.path, 'template');
  await mkdir(join(template, 'tokens'), { recursive: true });
  const setUp = await openRunHarness({
    dataDirectory: join(root.path, 'set-up'),
    softhsmConfiguration: await writeSoftHsmConfiguration(template),
  });
  const setUpPlan: Plan = tokenSetupPlan({ label: 'kill test' });
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
  const newScene = killable(initScene);
  const own = aroundCluster(await pointsOf(newScene));
  expect(own).toEqual(expect.arrayContaining(['cluster write values after', 'cluster remove values after']));
  expect(await killAtEach(newScene, own)).toEqual([]);
}, 600_000);
