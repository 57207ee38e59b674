/** Runs on clusters as data: their steps, dangers, rows of a transcript; and what each does, on a cluster that is played. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunSnapshot } from '../../electron/core/core.ts';
import type { ClusterPushPlan, ClusterUndoPlan, SecretStorePlan } from '../../electron/workflows/cluster-plans.ts';
import type {
  ClusterPort,
  ClusterState,
  ObjectOutcome,
  ObjectReference,
  PushPreview,
  PushRecord,
  RolloutState,
} from '../../electron/workflows/cluster-ports.ts';
import { planFacts, stepsOf, subjectOf } from '../../electron/workflows/definitions.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { planSchema, type Plan, type VaultInitPlan } from '../../electron/workflows/plans.ts';
import { evidenceNames, programEvidence } from '../../electron/workflows/evidence-names.ts';
import { noClusters } from '../fixtures/clusters.ts';
import { failedSteps } from '../fixtures/run-desk.ts';
import { openRunHarness, type RunHarness } from '../fixtures/run-harness.ts';
import { valueOf } from '../fixtures/token-port.ts';

const cluster = {
  context: 'prod-admin',
  kubeconfigPaths: ['/home/ada/.kube/config'],
  clusterName: 'prod',
  server: 'https://10.0.0.1:6443',
  caSha256: 'ab'.repeat(32),
  userName: 'ada',
  clusterUid: 'uid-1',
};
const token = { storeId: 'softhsm', serial: '0123', label: 'office' };
const configMap: ObjectReference = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'vault', name: 'settings' };
const pinSecret: ObjectReference = { apiVersion: 'v1', kind: 'Secret', namespace: 'vault', name: 'hsm-pin' };
const workload: ObjectReference = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace: 'vault', name: 'hsm' };
const manifestOf = ({ apiVersion, kind, namespace, name }: ObjectReference) => ({
  apiVersion,
  kind,
  metadata: { namespace, name },
});
const preview: PushPreview = {
  objects: [
    { reference: configMap, change: 'new', diff: [], conflicts: [], ownedByOthers: [], refusal: '' },
    { reference: pinSecret, change: 'changed', diff: [], conflicts: [], ownedByOthers: [], refusal: '' },
  ],
  sha256: 'cd'.repeat(32),
  missingRights: [],
  rightsManifest: '',
  missingKinds: [],
  warnings: [],
};
const push: ClusterPushPlan = {
  workflow: 'cluster-push',
  rehearsal: false,
  cluster,
  recipe: {
    recipe: 'bank-vaults',
    name: 'vault',
    namespace: 'vault',
    size: 1,
    vaultImage: 'hashicorp/vault:1.21.1',
    bankVaultsImage: 'ghcr.io/bank-vaults/bank-vaults:v1.32.0',
    serviceAccount: 'vault',
    device: { kind: 'softhsm', tokenLabel: 'bank-vaults' },
    keyLabel: 'bank-vaults',
    pinSecret: { name: 'hsm-pin', key: 'pin', make: true },
    shares: { kind: 'secret', namespace: 'vault', name: 'vault-unseal-keys' },
    options: { preFlightChecks: true, storeRootToken: true, secretShares: 5, secretThreshold: 3 },
    storage: { kind: 'file', size: '1Gi' },
  },
  content: {
    objects: [manifestOf(configMap), manifestOf(pinSecret)],
    secretSlots: [{ reference: pinSecret, key: 'pin', what: 'User PIN of token bank-vaults' }],
    patches: [],
    rollouts: [workload],
  },
  previewSha256: preview.sha256,
  takeOverConflicts: false,
};
const undo: ClusterUndoPlan = {
  workflow: 'cluster-undo',
  rehearsal: false,
  cluster,
  pushRunId: '20261122T120000Z-abcdef',
  losses: ['ConfigMap vault/settings is deleted'],
};
const store: SecretStorePlan = {
  workflow: 'secret-store',
  rehearsal: false,
  cluster,
  secret: { namespace: 'vault', name: 'vault-unseal-keys' },
  secretLabels: {},
  token,
  keyLabel: 'bank-vaults',
  labels: ['vault-unseal-0', 'vault-unseal-0', 'vault-root'],
  vaultName: 'Prod',
};
const init: VaultInitPlan = {
  workflow: 'vault-init',
  rehearsal: false,
  vaultId: 'v',
  vaultName: 'Prod',
  connection: { address: 'https://vault:8200', trust: { kind: 'system' } },
  token,
  keyLabel: 'bank-vaults',
  shares: 2,
  threshold: 2,
  secret: { cluster, secret: store.secret },
  destinations: [{ kind: 'secret' }, { kind: 'token' }],
  rootToken: { kind: 'secret' },
};
const idsOf = (plan: Plan): readonly string[] => stepsOf(plan).map(({ id }) => id);

describe('as data', () => {
  const plans: readonly Plan[] = [push, undo, store, init];

  it('every plan is valid, its steps are named once, need what comes before, and record what has a name', () => {
    for (const plan of plans) {
      expect(planSchema.parse(plan)).toEqual(plan);
      const ids = idsOf(plan);
      expect(new Set(ids).size).toBe(ids.length);
      for (const [index, { needs, records }] of stepsOf(plan).entries()) {
        for (const need of needs) expect(ids.slice(0, index)).toContain(need);
        for (const name of records) expect(evidenceNames[name] ?? name).not.toBe(name);
      }
    }
    for (const name of ['applying', 'undoing', 'forgetting', 'trialValueSha256'])
      expect(programEvidence.has(name)).toBe(true);
  });

  it('a push keeps the way back before it changes anything, and the name of the cluster is typed for it', () => {
    expect(idsOf(push)).toEqual(['check', 'confirm-preview', 'keep-before', 'apply', 'watch-rollout', 'settle']);
    const apply = stepsOf(push).find(({ id }) => id === 'apply');
    expect(apply).toMatchObject({ pace: 'prompt', danger: { typedName: 'prod' } });
    expect(apply?.danger?.losses).toEqual([
      expect.stringContaining('ConfigMap vault/settings'),
      expect.stringContaining('Secret vault/hsm-pin'),
      expect.stringContaining('value pin'),
    ]);
    const plain: ClusterPushPlan = { ...push, content: { ...push.content, secretSlots: [], rollouts: [] } };
    expect(idsOf(plain)).not.toContain('watch-rollout');
    expect(stepsOf(plain).find(({ id }) => id === 'apply')?.pace).toBe('deliberate');
    const nameless = { ...push, cluster: { ...cluster, clusterName: '' } };
    expect(stepsOf(nameless).find(({ id }) => id === 'apply')?.danger?.typedName).toBe('prod-admin');
    expect(subjectOf(push)).toBe('prod');
  });

  it('the transcript of a push names cluster, user, recipe and every object', () => {
    const facts = planFacts(push).map((row) => row.join(': '));
    for (const said of [
      'Context: prod-admin',
      'Server: https://10.0.0.1:6443',
      `CA SHA-256: ${cluster.caSha256}`,
      'User: ada',
      'Recipe: bank-vaults',
      'Object: ConfigMap vault/settings',
      'Typed at the push: User PIN of token bank-vaults: Secret vault/hsm-pin, key pin',
      'Conflicting fields: are left alone',
    ])
      expect(facts).toContain(said);
  });

  it('an undo tells what the person saw, and values go into a Secret once each', () => {
    expect(idsOf(undo)).toEqual(['check', 'undo', 'settle']);
    expect(stepsOf(undo)[1]?.danger).toEqual({ typedName: 'prod', losses: undo.losses });
    expect(idsOf(store)).toEqual(['check', 'log-in', 'check-secret', 'trial-value', 'store', 'verify']);
    expect(stepsOf(store)[4]?.effect).toMatchObject({ labels: ['vault-unseal-0', 'vault-root'] });
  });

  it('an initialisation into a Secret looks at it before Vault is asked, and clears the disk last', () => {
    const ids = idsOf(init);
    for (const id of ['check-cluster', 'check-secret', 'trial-value'])
      expect(ids.indexOf(id)).toBeLessThan(ids.indexOf('initialize'));
    expect(stepsOf(init).find(({ id }) => id === 'check-secret')?.effect).toMatchObject({
      labels: ['vault-unseal-0', 'vault-unseal-1', 'vault-unseal-2', 'vault-root'],
    });
    expect(stepsOf(init).at(-1)).toMatchObject({
      id: 'remove-escrow',
      effect: { storedLabels: ['vault-unseal-1'], inSecret: { labels: ['vault-unseal-0', 'vault-root'] } },
    });
    expect(stepsOf(init).at(-1)?.needs).toContain('store-in-secret');
  });
});

/** What the played cluster says, changed by each test. */
interface Played {
  state: ClusterState;
  preview: PushPreview;
  applied: readonly ObjectOutcome[];
  looked: readonly ObjectOutcome[];
  rollouts: readonly (readonly RolloutState[])[];
  readonly calls: string[];
}

const outcomeOf = (reference: ObjectReference, outcome: ObjectOutcome['outcome'], problem = ''): ObjectOutcome => ({
  reference,
  outcome,
  uid: '',
  problem,
});
const rolloutOf = (state: RolloutState['state'], text: string): RolloutState => ({
  reference: workload,
  state,
  text,
  lines: ['the last line of a log'],
});

function play(played: Played): ClusterPort {
  let look = 0;
  const called = (name: string): void => {
    played.calls.push(name);
  };
  return {
    ...noClusters,
    describeKubectl: () =>
      Promise.resolve(success({ path: '/usr/bin/kubectl', version: 'v1.35.2', sealingPublicKey: testRecipient })),
    probe: () => Promise.resolve(success(played.state)),
    preview: () => Promise.resolve(success(played.preview)),
    preparePush: (pin, content, pushId) => {
      called('prepare');
      const before = [
        { reference: configMap, manifest: null, keptIn: '' },
        { reference: pinSecret, manifest: manifestOf(pinSecret), keptIn: 'hsm-pin.kept-1' },
      ];
      return Promise.resolve(success({ pushId, cluster: pin, content, before, patchesBefore: [] }));
    },
    apply: (_record, { secrets }) => {
      called(`apply ${secrets.length.toString()}`);
      return Promise.resolve(success(played.applied));
    },
    lookAtPush: () => {
      called('look');
      return Promise.resolve(success(played.looked));
    },
    lookAtRollouts: () => {
      const at = played.rollouts[Math.min(look, played.rollouts.length - 1)] ?? [];
      look += 1;
      return Promise.resolve(success(at));
    },
    checkDrift: () => Promise.resolve(success([])),
    undo: (record: PushRecord) => {
      called('undo');
      return Promise.resolve(success(record.before.map(({ reference }) => outcomeOf(reference, 'restored'))));
    },
    forgetKeptSecrets: () => {
      called('forget');
      return Promise.resolve(success({}));
    },
  };
}

let testRecipient: string;
let directory: string;
let harness: RunHarness;
let played: Played;

beforeEach(async () => {
  const { createSealingKeyPair } = await import('../../electron/sealing/sealed.ts');
  testRecipient = (await createSealingKeyPair()).publicKey;
  directory = await mkdtemp(join(tmpdir(), 'key-custodian-cluster-run-'));
  played = {
    state: {
      reachable: true,
      serverVersion: 'v1.34.4',
      clusterUid: 'uid-1',
      seenAs: 'ada',
      withinSkew: true,
      kubectlVersion: 'v1.35.2',
      problem: '',
    },
    preview,
    applied: [outcomeOf(configMap, 'created'), outcomeOf(pinSecret, 'changed')],
    looked: [outcomeOf(configMap, 'created'), outcomeOf(pinSecret, 'changed')],
    rollouts: [[rolloutOf('ready', '1 of 1 ready')]],
    calls: [],
  };
  harness = await openRunHarness({
    dataDirectory: directory,
    softhsmConfiguration: join(directory, 'none.conf'),
    clusters: play(played),
    wrap: (options) => ({ ...options, rolloutWatch: { interval: 1, patience: 200 } }),
  });
  harness.prompt.passwordAnswers.push('1234-test-pin', '1234-test-pin');
});

afterEach(async () => {
  await harness.close();
  await rm(directory, { recursive: true, force: true });
});

async function goOn(runId: string): Promise<RunSnapshot> {
  return valueOf(await harness.runner.proceed(runId, { by: 'Ada', typedName: 'prod', throughDeliberateSteps: true }));
}
const carryThrough = async (plan: Plan): Promise<RunSnapshot> =>
  goOn(valueOf(await harness.runner.start(plan, 'Ada')).runId);

describe('as a run', () => {
  it('pushes, and keeps the earlier values until the undo, which removes their copies', async () => {
    const run = await carryThrough(push);
    expect(failedSteps(run)).toEqual([]);
    expect(run.state.facts).toMatchObject({
      objectsToCome: '1 new, 1 changed, 0 as they are',
      created: 'ConfigMap vault/settings',
      changed: 'Secret vault/hsm-pin',
      keptSecrets: 'Secret vault/hsm-pin.kept-1',
    });
    expect(harness.prompt.asked).toEqual(['secret-value Administrator new']);
    expect(played.calls).toEqual(['prepare', 'apply 1', 'look']);
    const undone = await carryThrough({ ...undo, pushRunId: run.state.runId });
    expect(failedSteps(undone)).toEqual([]);
    expect(played.calls.slice(3)).toEqual(['undo', 'undo', 'forget']);
  });

  it('refuses another cluster, one that is away, a kubectl that does not fit, and the wrong name', async () => {
    const first = async (change: Partial<ClusterState>): Promise<readonly string[]> => {
      played.state = { ...played.state, ...change };
      return failedSteps(await carryThrough(push));
    };
    expect(await first({ clusterUid: 'uid-2' })).toEqual(['check: Cluster_OtherCluster']);
    expect(await first({ withinSkew: false })).toEqual(['check: Cluster_KubectlUnsuitable']);
    expect(await first({ reachable: false })).toEqual(['check: Cluster_Unreachable']);
    played.state = { ...played.state, clusterUid: 'uid-1', withinSkew: true, reachable: true };
    const { runId } = valueOf(await harness.runner.start(push, 'Ada'));
    const refused = await harness.runner.proceed(runId, { by: 'Ada', typedName: 'dev', throughDeliberateSteps: true });
    expect(refused).toMatchObject({ ok: false, error: { code: 'Custody_ConfirmationMismatch' } });
    expect(played.calls).toEqual(['prepare']);
  });

  it('says what stands in the way of a push, each by its own name', async () => {
    const need = {
      verb: 'patch',
      group: '',
      resource: 'secrets',
      subresource: '',
      namespace: 'vault',
      name: '',
    } as const;
    const [, changed] = preview.objects;
    if (changed === undefined) throw new Error('no object');
    const cases: readonly (readonly [Partial<PushPreview>, string])[] = [
      [{ sha256: 'ef'.repeat(32) }, 'Cluster_PreviewOutdated'],
      [{ missingKinds: [{ kind: 'Vault', install: 'Install bank-vaults’ operator.' }] }, 'Cluster_KindMissing'],
      [
        { missingRights: [{ need, allowed: false, reason: '' }], rightsManifest: 'kind: Role' },
        'Cluster_RightsMissing',
      ],
      [{ objects: [{ ...changed, change: 'refused', refusal: 'denied' }] }, 'Cluster_AdmissionRefused'],
      [
        { objects: [{ ...changed, conflicts: [{ manager: 'helm', operation: 'Update', field: '.data.pin' }] }] },
        'Cluster_Conflict',
      ],
      [{ objects: [{ ...changed, ownedByOthers: ['helm'] }] }, 'Cluster_OwnedByOthers'],
    ];
    for (const [change, code] of cases) {
      played.preview = { ...preview, ...change };
      expect(failedSteps(await carryThrough(push))).toEqual([`confirm-preview: ${code}`]);
    }
    expect(played.calls).toEqual([]);
  });

  it('goes on after half a push: only what is not in is typed again', async () => {
    played.applied = [outcomeOf(configMap, 'failed', 'quota exceeded'), outcomeOf(pinSecret, 'changed')];
    played.looked = [outcomeOf(configMap, 'not-reached'), outcomeOf(pinSecret, 'changed')];
    const half = await carryThrough(push);
    expect(failedSteps(half)).toEqual(['apply: Cluster_PushIncomplete']);
    const said = half.state.steps.find(({ id }) => id === 'apply')?.failure?.message;
    expect(said).toContain('In: Secret vault/hsm-pin. Not in: ConfigMap vault/settings.');
    expect(said).toContain('quota exceeded');
    played.applied = [outcomeOf(configMap, 'created'), outcomeOf(pinSecret, 'unchanged')];
    expect(failedSteps(await goOn(half.state.runId))).toEqual(['settle: Cluster_PushIncomplete']);
    expect(harness.prompt.asked).toHaveLength(1);
    expect(played.calls.filter((name) => name.startsWith('apply'))).toEqual(['apply 1', 'apply 0']);
    played.looked = [outcomeOf(configMap, 'created'), outcomeOf(pinSecret, 'changed')];
    expect((await goOn(half.state.runId)).state.status).toBe('completed');
  });

  it('watches a rollout through one bad look', async () => {
    played.rollouts = [
      [rolloutOf('progressing', '0 of 1 ready')],
      [rolloutOf('failed', 'restarting')],
      [rolloutOf('ready', '1 of 1 ready')],
    ];
    expect((await carryThrough(push)).state).toMatchObject({
      status: 'completed',
      facts: { rollouts: 'DaemonSet vault/hsm: 1 of 1 ready' },
    });
  });

  it('a rollout that fails and one that stands still', async () => {
    played.rollouts = [[rolloutOf('failed', 'CrashLoopBackOff')]];
    const failing = await carryThrough(push);
    expect(failedSteps(failing)).toEqual(['watch-rollout: Cluster_RolloutFailed']);
    const { message, details } = failing.state.steps.find(({ id }) => id === 'watch-rollout')?.failure ?? {};
    expect(message).toContain('the last line of a log');
    expect(details).toMatchObject({ lines: 'the last line of a log' });
    played.rollouts = [[rolloutOf('progressing', '0 of 1 ready')]];
    expect(failedSteps(await goOn(failing.state.runId))).toEqual(['watch-rollout: Cluster_TimedOut']);
  });

  it('an undo without a record, with a damaged one, and in another cluster changes nothing', async () => {
    expect(failedSteps(await carryThrough(undo))).toEqual(['undo: Custody_ReadFailed']);
    expect(failedSteps(await carryThrough({ ...undo, pushRunId: '../../etc' }))).toEqual(['undo: Custody_ReadFailed']);
    const pushed = await carryThrough(push);
    const { runId } = pushed.state;
    const elsewhere = { ...cluster, server: 'https://10.0.0.2:6443' };
    expect(failedSteps(await carryThrough({ ...undo, cluster: elsewhere, pushRunId: runId }))).toEqual([
      'undo: Cluster_OtherCluster',
    ]);
    const outbox = join(directory, 'runs', runId, 'outbox');
    expect(await readdir(outbox)).toEqual(['push-record.json']);
    expect(await readFile(join(outbox, 'push-record.json'), 'utf8')).not.toContain('1234-test-pin');
    await writeFile(join(outbox, 'push-record.json'), '{');
    expect(failedSteps(await carryThrough({ ...undo, pushRunId: runId }))).toEqual(['undo: Custody_ReadFailed']);
    expect(played.calls).not.toContain('undo');
  });

  it('the cluster away in the middle of an apply: what is in is not known, and the failure says so', async () => {
    const clusters: ClusterPort = {
      ...play(played),
      apply: () => Promise.resolve(failure('Cluster_Unreachable', 'No answer.', 'Look at the network.')),
      lookAtPush: () => Promise.resolve(failure('Cluster_Unreachable', 'No answer.', 'Look at the network.')),
    };
    await harness.close();
    harness = await openRunHarness({
      dataDirectory: directory,
      softhsmConfiguration: join(directory, 'none.conf'),
      clusters,
    });
    harness.prompt.passwordAnswers.push('1234-test-pin');
    const run = await carryThrough(push);
    expect(failedSteps(run)).toEqual(['apply: Cluster_Unreachable']);
    expect(run.state.steps.find(({ id }) => id === 'apply')?.failure?.message).toContain('not known');
  });
});
