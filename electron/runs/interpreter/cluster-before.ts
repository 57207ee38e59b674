/** What comes before a cluster is changed: that it is the right one, that nothing has changed, and the way back. */
import type { ClusterEffect } from '../../workflows/cluster-effects.ts';
import type { PreviewObject, PushPreview } from '../../workflows/cluster-ports.ts';
import { objectInWords } from '../../workflows/cluster-push.ts';
import type { Failure, Result } from '../../workflows/failures.ts';
import { failure, success } from '../../workflows/failures.ts';
import { readRecord, recordFileName } from './cluster-outcomes.ts';
import type { EffectResult, StepContext } from './context.ts';
import { done, foundDone } from './context.ts';
import { sha256Hex } from './wrapping.ts';

type EffectOf<Kind extends ClusterEffect['kind']> = Extract<ClusterEffect, { kind: Kind }>;

export async function checkCluster(context: StepContext, { cluster }: EffectOf<'cluster.check'>): EffectResult {
  const probed = await context.ports.clusters.probe(cluster);
  if (!probed.ok) return probed;
  const state = probed.value;
  if (!state.reachable) {
    return failure(
      'Cluster_Unreachable',
      `The cluster at ${cluster.server} does not answer: ${state.problem === '' ? 'no more is known' : state.problem}`,
      'See that the cluster runs and that this machine reaches it, then press the button again. Nothing was changed.',
      { server: cluster.server },
    );
  }
  if (!state.withinSkew) {
    return failure(
      'Cluster_KubectlUnsuitable',
      `kubectl ${state.kubectlVersion} does not fit a server of version ${state.serverVersion}: they may be at most one minor version apart.`,
      'Install a kubectl of the server’s version, or name it in KEY_CUSTODIAN_KUBECTL.',
      { kubectlVersion: state.kubectlVersion, serverVersion: state.serverVersion },
    );
  }
  if (cluster.clusterUid !== '' && state.clusterUid !== cluster.clusterUid) {
    return failure(
      'Cluster_OtherCluster',
      `Another cluster answers at ${cluster.server} than when this was planned: its namespace kube-system has the UID ${state.clusterUid === '' ? 'unknown' : state.clusterUid} and not ${cluster.clusterUid}.`,
      'Find out which cluster it is. Begin again from Clusters. Nothing was changed.',
      { expectedUid: cluster.clusterUid, clusterUid: state.clusterUid },
    );
  }
  return done({
    context: cluster.context,
    server: cluster.server,
    serverVersion: state.serverVersion,
    kubectlVersion: state.kubectlVersion,
    clusterUid: state.clusterUid,
    seenAs: state.seenAs,
  });
}

const listed = (objects: readonly PreviewObject[]): string =>
  objects.map(({ reference }) => objectInWords(reference)).join(', ');

/** 'Secret vault/x .data.pin (kubectl-edit)' */
export function conflictsOf(preview: PushPreview): readonly string[] {
  return preview.objects.flatMap(({ reference, conflicts }) =>
    conflicts.map(({ field, manager }) => `${objectInWords(reference)} ${field} (${manager})`),
  );
}

/** What keeps a push with this preview from being made at all; undefined for nothing. */
function obstacleOf(
  preview: PushPreview,
  takeOverConflicts: boolean,
): { readonly ok: false; readonly error: Failure } | undefined {
  const [kind] = preview.missingKinds;
  if (kind !== undefined) {
    return failure(
      'Cluster_KindMissing',
      `The cluster does not know the kind ${kind.kind}.`,
      kind.install === '' ? 'Install what brings it, then begin again with a new preview.' : kind.install,
      { kinds: preview.missingKinds.map((missing) => missing.kind).join(', ') },
    );
  }
  const missing = preview.missingRights.filter(({ allowed }) => !allowed);
  if (missing.length > 0) {
    return failure(
      'Cluster_RightsMissing',
      `The user of this context may not do all that the push needs: ${missing
        .map(({ need }) => `${need.verb} ${need.resource}${need.namespace === '' ? '' : ` in ${need.namespace}`}`)
        .join(', ')}.`,
      'Have an administrator of the cluster grant it with the RBAC rules in the details, then press the button again.',
      { rights: preview.rightsManifest },
    );
  }
  const refused = preview.objects.filter(({ change }) => change === 'refused');
  const [first] = refused;
  if (first !== undefined) {
    return failure(
      'Cluster_AdmissionRefused',
      `The server refuses ${listed(refused)}: ${first.refusal}`,
      'Correct the recipe, or have the rule changed that refuses it. Nothing was changed.',
      { refusal: first.refusal },
    );
  }
  if (takeOverConflicts) return undefined;
  const conflicts = conflictsOf(preview);
  if (conflicts.length > 0) {
    return failure(
      'Cluster_Conflict',
      `Other managers have set fields that the push would set: ${conflicts.join(', ')}.`,
      'Leave those fields out, or preview again and choose to take them over.',
      { conflicts: conflicts.join(', ') },
    );
  }
  const foreign = preview.objects.filter(
    ({ change, ownedByOthers }) => change === 'changed' && ownedByOthers.length > 0,
  );
  return foreign.length === 0
    ? undefined
    : failure(
        'Cluster_OwnedByOthers',
        `${listed(foreign)}: made and managed by ${[...new Set(foreign.flatMap(({ ownedByOthers }) => ownedByOthers))].join(', ')}.`,
        'Choose other names, or preview again and choose to take the objects over.',
        { objects: listed(foreign) },
      );
}

/** The preview anew, where it is the one that the person saw and nothing stands in its way. */
export async function previewAgain(
  context: StepContext,
  effect: EffectOf<'cluster.confirm-preview'> | EffectOf<'cluster.apply'>,
): Promise<Result<PushPreview>> {
  const previewed = await context.ports.clusters.preview(effect.cluster, effect.content);
  if (!previewed.ok) return previewed;
  const obstacle = obstacleOf(previewed.value, effect.takeOverConflicts);
  if (obstacle !== undefined) return obstacle;
  return previewed.value.sha256 === effect.previewSha256
    ? success(previewed.value)
    : failure(
        'Cluster_PreviewOutdated',
        'What the push would do now is not what was shown: the cluster has changed since the preview.',
        'Abandon this run, preview again, and look at what is different. Nothing was changed.',
        { shown: effect.previewSha256, now: previewed.value.sha256 },
      );
}

export async function confirmPreview(context: StepContext, effect: EffectOf<'cluster.confirm-preview'>): EffectResult {
  const preview = await previewAgain(context, effect);
  if (!preview.ok) return preview;
  const count = (change: PreviewObject['change']): string =>
    preview.value.objects.filter((object) => object.change === change).length.toString();
  return done({
    previewSha256: preview.value.sha256,
    objectsToCome: `${count('new')} new, ${count('changed')} changed, ${count('same')} as they are`,
  });
}

export async function keepBefore(context: StepContext, effect: EffectOf<'cluster.keep-before'>): EffectResult {
  const { clusters, outbox } = context.ports;
  const present = await readRecord(context, context.runId);
  if (!present.ok) return present;
  let record = present.value;
  let file = '';
  if (record === undefined) {
    const prepared = await clusters.preparePush(effect.cluster, effect.content, context.runId);
    if (!prepared.ok) return prepared;
    record = prepared.value;
    const written = await outbox.write(context.runId, recordFileName, bytesOf(record));
    if (!written.ok) return written;
    file = written.value.path;
  }
  const evidence = {
    recordFile: file === '' ? recordFileName : file,
    recordSha256: sha256Hex(bytesOf(record)),
    keptSecrets: keptIn(record),
  };
  return present.value === undefined ? done(evidence) : foundDone(evidence);
}

const bytesOf = (record: unknown): Uint8Array => Buffer.from(`${JSON.stringify(record, undefined, 2)}\n`, 'utf8');

/** Where the earlier values of replaced Secrets are kept. */
export function keptIn(record: {
  readonly before: readonly { readonly reference: { readonly namespace: string }; readonly keptIn: string }[];
}): string {
  return record.before
    .flatMap(({ reference, keptIn: name }) => (name === '' ? [] : [`Secret ${reference.namespace}/${name}`]))
    .join(', ');
}
