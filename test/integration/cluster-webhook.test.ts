/** A real HTTPS admission webhook that refuses, or does not answer: what previews and pushes say, and what is left. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { ClusterPushPlan, ClusterUndoPlan } from '../../electron/workflows/cluster-plans.ts';
import type { ClusterPin, ClusterPort, Manifest, PreviewObject } from '../../electron/workflows/cluster-ports.ts';
import type { Plan } from '../../electron/workflows/plans.ts';
import { createTestClusterPort, pinOnly } from '../fixtures/cluster-desk.ts';
import { configMap, contentOf } from '../fixtures/push-engine.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { openRunHarness, temporaryDirectory, type RunHarness } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';
import { startAdmissionWebhook, type AdmissionWebhook } from '../servers/admission-webhook.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const clusterName = 'test-cluster';
const testPin = 'webhook-pin-marker-7714';
const namespace = 'watched';

let kubernetes: KubernetesServer;
let webhook: AdmissionWebhook;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let clusters: ClusterPort;
let pin: ClusterPin;
let harness: RunHarness;

beforeAll(async () => {
  directory = await temporaryDirectory('webhook');
  kubernetes = await startKubernetes();
  webhook = await startAdmissionWebhook(kubernetes);
  await kubernetes.arrange(['create', 'namespace', namespace]);
  await webhook.register('house-rules', namespace);
  clusters = createTestClusterPort({
    kubectlPath: kubernetes.kubectlPath,
    kubeconfig: await kubernetes.custodianKubeconfig(),
    directory: directory.path,
  });
  pin = await pinOnly(clusters);
  harness = await openRunHarness({
    dataDirectory: `${directory.path}/data`,
    softhsmConfiguration: `${directory.path}/none.conf`,
    clusters,
  });
});
afterAll(async () => {
  await harness.close();
  await clusters.close();
  await kubernetes.stop();
  await webhook.stop();
  await directory.dispose();
});

const previewOf = async (objects: readonly Manifest[]): Promise<readonly PreviewObject[]> =>
  valueOf(await clusters.preview(pin, contentOf(objects))).objects;

async function planOf(content: ClusterPushPlan['content']): Promise<ClusterPushPlan> {
  const preview = valueOf(await clusters.preview(pin, content));
  return {
    workflow: 'cluster-push',
    rehearsal: false,
    cluster: pin,
    recipe: clusters.defaults('bank-vaults'),
    content,
    previewSha256: preview.sha256,
    takeOverConflicts: false,
  };
}

const goOn = async (runId: string): Promise<RunSnapshot> =>
  valueOf(await harness.runner.proceed(runId, { by: 'Ada', typedName: clusterName, throughDeliberateSteps: true }));
const carryThrough = async (plan: Plan): Promise<RunSnapshot> =>
  goOn(valueOf(await harness.runner.start(plan, 'Ada')).runId);
const undoOf = (pushRunId: string): ClusterUndoPlan => ({
  workflow: 'cluster-undo',
  rehearsal: false,
  cluster: pin,
  pushRunId,
  losses: [],
});
const names = async (): Promise<string> =>
  (await kubernetes.arrange(['get', 'configmaps,secrets', `--namespace=${namespace}`, '--output=name'])).trim();

test('the preview names the webhook and gives its words; what it lets in is shown as ever', async () => {
  webhook.judge(({ name }) => (name === 'strange' ? 'Names here begin with “vault”.' : ''));
  const [strange, fine] = await previewOf([
    configMap(namespace, 'strange', { a: '1' }),
    configMap(namespace, 'vault-fine', { a: '1' }),
  ]);
  expect(strange).toMatchObject({
    change: 'refused',
    refusal: expect.stringContaining(
      'admission webhook "house-rules.example.test" denied the request: Names here begin with',
    ),
  });
  expect(fine).toMatchObject({ change: 'new', refusal: '' });
  expect(webhook.requests.every(({ dryRun }) => dryRun === true)).toBe(true);
  expect(await names()).toBe('');
});

test('a webhook that does not answer is named, in the preview and in the push', async () => {
  webhook.judge(({ name }) => (name === 'slow' ? undefined : ''));
  const [slow, quick] = await previewOf([
    configMap(namespace, 'slow', { a: '1' }),
    configMap(namespace, 'quick', { a: '1' }),
  ]);
  expect(slow).toMatchObject({
    change: 'refused',
    refusal: expect.stringMatching(
      /failed calling webhook "house-rules\.example\.test".*(?:deadline exceeded|Timeout)/su,
    ),
  });
  expect(quick).toMatchObject({ change: 'new', refusal: '' });

  webhook.judge(({ name, dryRun }) => (name === 'slow' && dryRun !== true ? undefined : ''));
  const plan = await planOf(contentOf([configMap(namespace, 'quick', { a: '1' }), configMap(namespace, 'slow', {})]));
  const half = await carryThrough(plan);
  expect(failedSteps(half)).toEqual(['apply: Cluster_PushIncomplete']);
  const failed = half.state.steps.find(({ id }) => id === 'apply')?.failure;
  expect(failed?.message).toContain('failed calling webhook "house-rules.example.test"');
  expect(failed?.details).toEqual({ in: `ConfigMap ${namespace}/quick`, notIn: `ConfigMap ${namespace}/slow` });
  webhook.judge(() => '');
  expect((await goOn(half.state.runId)).state.status).toBe('completed');
  expect(failedSteps(await carryThrough(undoOf(half.state.runId)))).toEqual([]);
  expect(await names()).toBe('');
});

test('one that refuses in truth what it let pass in the dry run leaves a push that knows what is in, and is undone', async () => {
  // A value in a webhook's words is as public as a log: it is not repeated.
  webhook.judge(({ kind, dryRun, object }) =>
    kind.kind === 'Secret' && dryRun !== true ? `No Secret may hold ${object?.data?.['pin'] ?? ''}.` : '',
  );
  const reference = { apiVersion: 'v1', kind: 'Secret', namespace, name: 'hsm-pin' };
  const plan = await planOf(
    contentOf(
      [
        configMap(namespace, 'vault-config', { ui: 'true' }),
        { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'hsm-pin', namespace }, type: 'Opaque' },
      ],
      { secretSlots: [{ reference, key: 'pin', what: 'User PIN' }] },
    ),
  );
  harness.prompt.passwordAnswers.push(testPin);
  const half = await carryThrough(plan);
  expect(failedSteps(half)).toEqual(['apply: Cluster_PushIncomplete']);
  const failed = half.state.steps.find(({ id }) => id === 'apply')?.failure;
  expect(failed?.details).toEqual({
    in: `ConfigMap ${namespace}/vault-config`,
    notIn: `Secret ${namespace}/hsm-pin`,
  });
  expect(failed?.message).toContain('repeats a secret value and is not shown');
  const journal = Buffer.from(valueOf(await harness.journal.bytes(half.state.runId)));
  expect(journal.includes(testPin) || journal.includes(Buffer.from(testPin).toString('base64'))).toBe(false);

  // The same again, still refused: what is in stays in, and is told again.
  webhook.judge(({ kind }) => (kind.kind === 'Secret' ? 'No Secret today.' : ''));
  harness.prompt.passwordAnswers.push(testPin);
  const again = await goOn(half.state.runId);
  expect(failedSteps(again)).toEqual(['apply: Cluster_PushIncomplete']);
  expect(again.state.steps.find(({ id }) => id === 'apply')?.failure?.message).toContain(
    'admission webhook "house-rules.example.test" denied the request: No Secret today.',
  );
  expect(await names()).toBe('configmap/vault-config');
  expect(failedSteps(await carryThrough(undoOf(half.state.runId)))).toEqual([]);
  expect(await names()).toBe('');
});

test('an undo that the webhook keeps from restoring says so, and goes on later', async () => {
  webhook.judge(() => '');
  await kubernetes.arrange(
    ['apply', '--server-side', '--field-manager=argocd', '-f', '-'],
    JSON.stringify(configMap(namespace, 'shared', { a: '1' })),
  );
  const plan = { ...(await planOf(contentOf([configMap(namespace, 'shared', { a: '2' })]))), takeOverConflicts: true };
  const pushed = await carryThrough(plan);
  expect(failedSteps(pushed)).toEqual([]);
  webhook.judge(({ object }) => (object?.data?.['a'] === '1' ? 'Never back to 1.' : ''));
  const stopped = await carryThrough(undoOf(pushed.state.runId));
  expect(failedSteps(stopped)).toEqual(['undo: Cluster_PushIncomplete']);
  expect(stopped.state.steps.find(({ id }) => id === 'undo')?.failure?.message).toContain(
    'admission webhook "house-rules.example.test" denied the request: Never back to 1.',
  );
  webhook.judge(() => '');
  expect((await goOn(stopped.state.runId)).state.status).toBe('completed');
});

test('values for a Secret that the webhook refuses are refused by name, in its words', async () => {
  webhook.judge(({ kind }) => (kind.kind === 'Secret' ? 'Secrets come from elsewhere.' : ''));
  expect(
    await clusters.writeValues(pin, { namespace, name: 'vault-unseal-keys' }, { 'vault-test': Buffer.alloc(256) }, {}),
  ).toMatchObject({
    ok: false,
    error: {
      code: 'Cluster_AdmissionRefused',
      message: expect.stringContaining('“house-rules.example.test”'),
      details: { serverSaid: expect.stringContaining('Secrets come from elsewhere.') },
    },
  });
});
