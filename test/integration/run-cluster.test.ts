/**
 * Pushes and undos as runs, on a real API server with RBAC, as the user who has just the rights that docs/clusters.md
 * lists. There is no kubelet: the test plays what runs by patching status.
 */
import { chmod, copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { RunnerOptions } from '../../electron/runs/runner.ts';
import { lossesOfForgetting } from '../../electron/workflows/cluster-forget.ts';
import type { ClusterForgetPlan, ClusterPushPlan, ClusterUndoPlan } from '../../electron/workflows/cluster-plans.ts';
import { pushRecordSchema } from '../../electron/workflows/cluster-ports.ts';
import type { ClusterPin, ClusterPort, Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { createTestClusterPort, pinOnly, readSecret } from '../fixtures/cluster-desk.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { openRunHarness, temporaryDirectory, type RunHarness } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const testPin = 'pin-marker-5182';
const clusterName = 'test-cluster';

let kubernetes: KubernetesServer;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let kubeconfig: string;
let clusters: ClusterPort;
let pin: ClusterPin;
let harness: RunHarness;
/** Made to end kubectl at its next apply: 'before' it has done anything, or 'after' it has done all. */
let kubectlTrip: string;
const acts = new Map<string, () => Promise<unknown>>();

/** Acts once, when that step's start is in the journal and its effect has not begun. */
const withActs = (options: RunnerOptions): RunnerOptions => ({
  ...options,
  rolloutWatch: { interval: 50, patience: 3_000 },
  journal: {
    ...options.journal,
    append: async (runId, event) => {
      const appended = await options.journal.append(runId, event);
      const isStart = typeof event === 'object' && event !== null && 'type' in event && event.type === 'step-started';
      const step = isStart && 'step' in event && typeof event.step === 'string' ? event.step : '';
      const act = acts.get(step);
      acts.delete(step);
      await act?.();
      return appended;
    },
  },
});

beforeAll(async () => {
  directory = await temporaryDirectory('run-cluster');
  kubernetes = await startKubernetes();
  kubeconfig = join(directory.path, 'kubeconfig');
  await copyFile(await kubernetes.custodianKubeconfig(), kubeconfig);
  await chmod(kubeconfig, 0o600);
  kubectlTrip = join(directory.path, 'trip');
  const kubectlPath = join(directory.path, 'kubectl-that-trips');
  await writeFile(
    kubectlPath,
    `#!/bin/sh
case "$*" in
  *dry-run*) ;;
  *apply*--server-side*)
    trip=$(cat '${kubectlTrip}' 2>/dev/null); rm -f '${kubectlTrip}'
    [ "$trip" = before ] && kill -9 $$
    if [ "$trip" = after ]; then '${kubernetes.kubectlPath}' "$@" >/dev/null 2>&1; kill -9 $$; fi ;;
esac
exec '${kubernetes.kubectlPath}' "$@"
`,
    { mode: 0o700 },
  );
  clusters = createTestClusterPort({ kubectlPath, kubeconfig, directory: directory.path });
  pin = await pinOnly(clusters);
  harness = await openRunHarness({
    dataDirectory: join(directory.path, 'data'),
    softhsmConfiguration: join(directory.path, 'none.conf'),
    clusters,
    wrap: withActs,
  });
});

afterAll(async () => {
  await harness.close();
  await clusters.close();
  await kubernetes.stop();
  await directory.dispose();
});

async function goOn(runId: string): Promise<RunSnapshot> {
  return valueOf(
    await harness.runner.proceed(runId, { by: 'Ada', typedName: clusterName, throughDeliberateSteps: true }),
  );
}

async function carryThrough(plan: Plan): Promise<RunSnapshot> {
  return goOn(valueOf(await harness.runner.start(plan, 'Ada')).runId);
}

const configMap = (namespace: string, name: string, data: Readonly<Record<string, string>>): Manifest => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

const secret = (namespace: string): ObjectReference => ({
  apiVersion: 'v1',
  kind: 'Secret',
  namespace,
  name: 'hsm-pin',
});

const daemonSet = (namespace: string): Manifest => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  metadata: { name: 'vault', namespace },
  spec: {
    selector: { matchLabels: { app: 'vault' } },
    template: {
      metadata: { labels: { app: 'vault' } },
      spec: { containers: [{ name: 'vault', image: 'hashicorp/vault:1.21.1' }] },
    },
  },
});

const rolloutOf = (namespace: string): ObjectReference => ({
  apiVersion: 'apps/v1',
  kind: 'DaemonSet',
  namespace,
  name: 'vault',
});

/** Previewed as a person sees it. */
async function planOf(
  content: Partial<ClusterPushPlan['content']>,
  takeOverConflicts = false,
): Promise<ClusterPushPlan> {
  const whole = { objects: [], secretSlots: [], patches: [], rollouts: [], ...content };
  const preview = valueOf(await clusters.preview(pin, whole));
  return {
    workflow: 'cluster-push',
    rehearsal: false,
    cluster: pin,
    recipe: clusters.defaults('bank-vaults'),
    content: whole,
    previewSha256: preview.sha256,
    takeOverConflicts,
  };
}

const withPin = (namespace: string): Pick<ClusterPushPlan['content'], 'objects' | 'secretSlots'> => ({
  objects: [
    configMap(namespace, 'vault-config', { ui: 'true' }),
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hsm-pin', namespace }, type: 'Opaque' },
  ],
  secretSlots: [{ reference: secret(namespace), key: 'pin', what: 'User PIN of token bank-vaults' }],
});

const undoOf = (pushRunId: string): ClusterUndoPlan => ({
  workflow: 'cluster-undo',
  rehearsal: false,
  cluster: pin,
  pushRunId,
  losses: [],
});

const exists = async (kind: string, namespace: string, name: string): Promise<boolean> =>
  (await kubernetes.kubectl(['get', kind, name, '-n', namespace])).exitCode === 0;

/** Plays the controller of a DaemonSet: one node, ready or not. */
async function playRollout(namespace: string, ready: number): Promise<void> {
  const status = {
    observedGeneration: 1,
    desiredNumberScheduled: 1,
    currentNumberScheduled: 1,
    updatedNumberScheduled: 1,
    numberMisscheduled: 0,
    numberReady: ready,
    numberAvailable: ready,
  };
  await kubernetes.arrange([
    'patch',
    'daemonset',
    'vault',
    '-n',
    namespace,
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status }),
  ]);
}

/** Everything under the data directory that a secret could have got into. */
async function searchData(marker: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(directory.path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = await readFile(path);
    if (bytes.includes(marker) || bytes.includes(Buffer.from(marker).toString('base64'))) found.push(path);
  }
  return found;
}

test('pushes with a typed PIN, watches the rollout to ready, and takes it all back', async () => {
  await kubernetes.arrange(['create', 'namespace', 'whole']);
  const plan = await planOf({
    ...withPin('whole'),
    objects: [...withPin('whole').objects, daemonSet('whole')],
    rollouts: [rolloutOf('whole')],
  });
  harness.prompt.passwordAnswers.push(testPin);
  acts.set('watch-rollout', async () => {
    setTimeout(() => void playRollout('whole', 1), 1_000);
    return Promise.resolve();
  });
  const pushed = await carryThrough(plan);
  expect(failedSteps(pushed)).toEqual([]);
  expect(pushed.state.status).toBe('completed');
  expect(pushed.state.facts).toMatchObject({
    context: pin.context,
    created: 'Secret whole/hsm-pin, ConfigMap whole/vault-config, DaemonSet whole/vault',
    valuesTyped: 1,
    rollouts: expect.stringContaining('DaemonSet whole/vault'),
  });
  expect((await readSecret(kubernetes, 'whole', 'hsm-pin'))?.['pin']?.toString()).toBe(testPin);
  expect(await searchData(testPin)).toEqual([]);

  const undone = await carryThrough(undoOf(pushed.state.runId));
  expect(failedSteps(undone)).toEqual([]);
  expect(undone.state.status).toBe('completed');
  const undo = undone.state.steps.find(({ id }) => id === 'undo');
  expect(undo?.evidence['removed']).toBe('Secret whole/hsm-pin, ConfigMap whole/vault-config, DaemonSet whole/vault');
  expect(await exists('configmap', 'whole', 'vault-config')).toBe(false);
  expect(await exists('secret', 'whole', 'hsm-pin')).toBe(false);
});

test('gives a replaced Secret its values back; another manager’s field is taken over only where that was chosen', async () => {
  await kubernetes.arrange(['create', 'namespace', 'before']);
  await kubernetes.arrange(['create', 'secret', 'generic', 'hsm-pin', '-n', 'before', '--from-literal=pin=earlier']);
  await kubernetes.arrange(
    ['apply', '--server-side', '--field-manager=somebody', '-f', '-'],
    JSON.stringify(configMap('before', 'vault-config', { ui: 'false', other: 'stays' })),
  );
  const refused = await carryThrough(await planOf(withPin('before')));
  expect(failedSteps(refused)).toEqual(['confirm-preview: Cluster_Conflict']);

  harness.prompt.passwordAnswers.push(testPin);
  const pushed = await carryThrough(await planOf(withPin('before'), true));
  expect(failedSteps(pushed)).toEqual([]);
  expect(pushed.state.deviations.map(({ text }) => text).join()).toContain('somebody');
  expect(pushed.state.facts['keptSecrets']).toMatch(/^Secret before\/hsm-pin\.kept-/u);
  expect((await readSecret(kubernetes, 'before', 'hsm-pin'))?.['pin']?.toString()).toBe(testPin);

  // The same PIN typed once more is a push that is in.
  harness.prompt.passwordAnswers.push(testPin);
  const again = await carryThrough(await planOf(withPin('before'), true));
  expect(failedSteps(again)).toEqual([]);

  for (const run of [again, pushed]) {
    const undone = await carryThrough(undoOf(run.state.runId));
    expect(failedSteps(undone)).toEqual([]);
  }
  expect((await readSecret(kubernetes, 'before', 'hsm-pin'))?.['pin']?.toString()).toBe('earlier');
  const left = await kubernetes.arrange(['get', 'secrets', '-n', 'before', '-o', 'name']);
  expect(left.trim()).toBe('secret/hsm-pin');
  expect(await kubernetes.arrange(['get', 'configmap', 'vault-config', '-n', 'before', '-o', 'jsonpath={.data}'])).toBe(
    '{"other":"stays","ui":"false"}',
  );
});

test('forgets the copies of earlier values for a typed name, once, and leaves the push as it is', async () => {
  await kubernetes.arrange(['create', 'namespace', 'forget']);
  await kubernetes.arrange(['create', 'secret', 'generic', 'hsm-pin', '-n', 'forget', '--from-literal=pin=earlier']);
  harness.prompt.passwordAnswers.push(testPin);
  const pushed = await carryThrough(await planOf(withPin('forget'), true));
  expect(failedSteps(pushed)).toEqual([]);
  const pushRunId = pushed.state.runId;
  const outbox = join(directory.path, 'data', 'runs', pushRunId, 'outbox');
  const record = pushRecordSchema.parse(JSON.parse(await readFile(join(outbox, 'push-record.json'), 'utf8')));
  const losses = lossesOfForgetting(record);
  expect(losses[0]).toMatch(
    /^Secret forget\/hsm-pin\.kept-[0-9a-f]+ is deleted: the values that Secret forget\/hsm-pin/u,
  );
  const plan: ClusterForgetPlan = { workflow: 'cluster-forget', rehearsal: false, cluster: pin, pushRunId, losses };
  const { runId } = valueOf(await harness.runner.start(plan, 'Ada'));
  const refused = await harness.runner.proceed(runId, {
    by: 'Ada',
    typedName: 'another',
    throughDeliberateSteps: true,
  });
  expect(refused).toMatchObject({ ok: false, error: { code: 'Custody_ConfirmationMismatch' } });
  const secrets = async (): Promise<string> =>
    (await kubernetes.arrange(['get', 'secrets', '-n', 'forget', '-o', 'name'])).trim();
  expect(await secrets()).toContain('.kept-');

  const forgotten = await goOn(runId);
  expect(failedSteps(forgotten)).toEqual([]);
  expect(forgotten.state.facts['keptSecretsRemoved']).toMatch(/^Secret forget\/hsm-pin\.kept-/u);
  expect(await secrets()).toBe('secret/hsm-pin');
  expect((await readSecret(kubernetes, 'forget', 'hsm-pin'))?.['pin']?.toString()).toBe(testPin);
  expect(await readdir(outbox)).toContain('push-forgotten');
  // Everything but those values can still be taken back, and the undo says which it cannot.
  const undone = await carryThrough(undoOf(pushRunId));
  expect(undone.state.steps.find(({ id }) => id === 'undo')?.failure?.message).toContain('The earlier values are gone');
  expect(await exists('configmap', 'forget', 'vault-config')).toBe(false);
  expect((await readSecret(kubernetes, 'forget', 'hsm-pin'))?.['pin']?.toString()).toBe(testPin);
});

test('refuses what is not what was shown: the cluster changed, at once and while the name was being typed', async () => {
  await kubernetes.arrange(['create', 'namespace', 'outdated']);
  const content = { objects: [configMap('outdated', 'vault-config', { ui: 'true' })] };
  const change = (): Promise<string> =>
    kubernetes.arrange(
      ['apply', '--server-side', '--force-conflicts', '--field-manager=key-custodian', '-f', '-'],
      JSON.stringify(configMap('outdated', 'vault-config', { ui: Math.random().toString() })),
    );
  const plan = await planOf(content);
  await change();
  expect(failedSteps(await carryThrough(plan))).toEqual(['confirm-preview: Cluster_PreviewOutdated']);
  acts.set('apply', change);
  expect(failedSteps(await carryThrough(await planOf(content)))).toEqual(['apply: Cluster_PreviewOutdated']);
});

test('refuses a context that names another server or user than when it was shown', async () => {
  await kubernetes.arrange(['create', 'namespace', 'switched']);
  const plan = await planOf({ objects: [configMap('switched', 'vault-config', { ui: 'true' })] });
  const asItWas = await readFile(kubeconfig, 'utf8');
  acts.set('apply', () => writeFile(kubeconfig, asItWas.replaceAll('"user": "custodian"', '"user": "other"')));
  try {
    const run = await carryThrough(plan);
    expect(failedSteps(run)).toEqual([expect.stringMatching(/^apply: Cluster_Context(?:Changed|Invalid)$/u)]);
    expect(await exists('configmap', 'switched', 'vault-config')).toBe(false);
    await writeFile(kubeconfig, asItWas);
    expect((await goOn(run.state.runId)).state.status).toBe('completed');
  } finally {
    await writeFile(kubeconfig, asItWas);
  }
});

test('says which objects are in where the push stops half way, and goes on', async () => {
  await kubernetes.arrange(['create', 'namespace', 'half']);
  // A quota counts what is kept, which a dry run does not: the second ConfigMap is refused only in truth.
  await kubernetes.arrange(['create', 'quota', 'one', '-n', 'half', '--hard=count/configmaps=1']);
  await kubernetes.arrange([
    'patch',
    'quota',
    'one',
    '-n',
    'half',
    '--subresource=status',
    '--type=merge',
    '-p',
    JSON.stringify({ status: { hard: { 'count/configmaps': '1' }, used: { 'count/configmaps': '0' } } }),
  ]);
  const plan = await planOf({
    objects: [configMap('half', 'first', { a: '1' }), configMap('half', 'second', { a: '1' })],
  });
  const half = await carryThrough(plan);
  expect(failedSteps(half)).toEqual(['apply: Cluster_PushIncomplete']);
  const failure = half.state.steps.find(({ id }) => id === 'apply')?.failure;
  expect(failure?.message).toContain('In: ConfigMap half/first. Not in: ConfigMap half/second.');
  expect(failure?.message).toContain('quota');
  expect(failure?.details).toEqual({ in: 'ConfigMap half/first', notIn: 'ConfigMap half/second' });
  await kubernetes.arrange(['delete', 'quota', 'one', '-n', 'half']);
  const whole = await goOn(half.state.runId);
  expect(whole.state.status).toBe('completed');
  expect(await exists('configmap', 'half', 'second')).toBe(true);
  expect(failedSteps(await carryThrough(undoOf(half.state.runId)))).toEqual([]);
  expect(await exists('configmap', 'half', 'first')).toBe(false);
});

test('kubectl ended before and after it has applied: the one goes on, the other is found done', async () => {
  await kubernetes.arrange(['create', 'namespace', 'killed']);
  harness.prompt.passwordAnswers.push(testPin, testPin);
  await writeFile(kubectlTrip, 'before');
  const cut = await carryThrough(await planOf(withPin('killed')));
  expect(failedSteps(cut)).toEqual(['apply: Cluster_PushIncomplete']);
  expect(await exists('configmap', 'killed', 'vault-config')).toBe(false);
  expect((await goOn(cut.state.runId)).state.status).toBe('completed');

  const plan = await planOf({ objects: [configMap('killed', 'another', { a: '1' })] });
  await writeFile(kubectlTrip, 'after');
  expect((await carryThrough(plan)).state.status).toBe('completed');
});

test('a rollout that fails says why, one that stands still waits for the person, and both can be watched on', async () => {
  await kubernetes.arrange(['create', 'namespace', 'rollout']);
  const plan = await planOf({ objects: [daemonSet('rollout')], rollouts: [rolloutOf('rollout')] });
  const still = await carryThrough(plan);
  expect(failedSteps(still)).toEqual(['watch-rollout: Cluster_TimedOut']);

  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'vault-0', namespace: 'rollout', labels: { app: 'vault' } },
    spec: { containers: [{ name: 'vault', image: 'hashicorp/vault:1.21.1' }], automountServiceAccountToken: false },
  };
  await kubernetes.arrange(['create', 'serviceaccount', 'default', '-n', 'rollout']);
  await kubernetes.arrange(['create', '-f', '-'], JSON.stringify(pod));
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 5m0s restarting failed container' };
  const containerStatuses = [
    { name: 'vault', image: 'hashicorp/vault:1.21.1', imageID: '', ready: false, restartCount: 5, state: { waiting } },
  ];
  const patchPod = (status: object): Promise<string> =>
    kubernetes.arrange([
      'patch',
      'pod',
      'vault-0',
      '-n',
      'rollout',
      '--subresource=status',
      '--type=merge',
      '-p',
      JSON.stringify({ status }),
    ]);
  await patchPod({ phase: 'Running', containerStatuses });
  const failing = await goOn(still.state.runId);
  expect(failedSteps(failing)).toEqual(['watch-rollout: Cluster_RolloutFailed']);
  const failure = failing.state.steps.find(({ id }) => id === 'watch-rollout')?.failure;
  expect(String(failure?.details?.['lines'])).toContain('CrashLoopBackOff');

  await patchPod({ containerStatuses: [{ ...containerStatuses[0], ready: true, state: { running: {} } }] });
  await playRollout('rollout', 1);
  const ready = await goOn(still.state.runId);
  expect(failedSteps(ready)).toEqual([]);
  expect(ready.state.status).toBe('completed');
});

test('the cluster away before and after the push: the step fails, and goes on when it is back', async () => {
  await kubernetes.arrange(['create', 'namespace', 'away']);
  const plan = await planOf({ objects: [configMap('away', 'vault-config', { a: '1' })] });
  acts.set('keep-before', () => kubernetes.kill());
  const cut = await carryThrough(plan);
  expect(failedSteps(cut)).toEqual(['keep-before: Cluster_Unreachable']);
  await kubernetes.restart();
  acts.set('settle', () => kubernetes.kill());
  const later = await goOn(cut.state.runId);
  expect(failedSteps(later)).toEqual(['settle: Cluster_Unreachable']);
  await kubernetes.restart();
  expect((await goOn(cut.state.runId)).state.status).toBe('completed');
});
