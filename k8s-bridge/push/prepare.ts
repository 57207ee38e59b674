/** What an undo needs, gathered before anything is changed. */
import { failure, success, type ClusterFailureCode } from '../../electron/workflows/failures.ts';
import type { Manifest, NodePatch, PushContent, PushRecord } from '../../electron/workflows/cluster-ports.ts';
import { getLive } from './get-live.ts';
import { inverseOperations } from './json-patch.ts';
import { keepSecrets, keptReference } from './kept-secrets.ts';
import type { ClusterCall, ClusterResult } from './kubectl-call.ts';
import { isMissingKind } from './missing-kinds.ts';
import { nodeReference, pendingPatch, patched } from './node-patches.ts';
import { isMap, isSecret, mapAt, referenceText } from './objects.ts';
import { prepareObjects } from './preview.ts';

/** What goes on disk: no value of a Secret, nor the annotation in which the client-side apply repeats them. */
function withoutValues(manifest: Manifest): Manifest {
  const { status: _, ...rest } = manifest;
  if (!isSecret(manifest)) return rest;
  const { data: _data, stringData: _stringData, ...secret } = rest;
  const metadata = mapAt(secret, 'metadata');
  if (!isMap(metadata['annotations'])) return secret;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...annotations } = metadata['annotations'];
  return { ...secret, metadata: { ...metadata, annotations } };
}

/** What could not be read must not pass for what is not there: an undo would delete it. */
function findUnreadable(problems: readonly string[]): ClusterResult<never> | undefined {
  const unreadable = problems.filter((words) => !isMissingKind(words));
  if (unreadable.length === 0) return undefined;
  const code: ClusterFailureCode = unreadable.some((words) => words.includes('(Forbidden)'))
    ? 'Cluster_RightsMissing'
    : 'Cluster_UnexpectedReply';
  return failure(
    code,
    `What is in the cluster now could not be read: ${unreadable.join(' ').slice(0, 1000)}`,
    'Nothing was changed. Ask for the right to read these objects, then try again.',
  );
}

/**
 * Copies Secrets whose values will be replaced beside themselves, and answers what is there now. May be repeated.
 * @returns Cluster_ObjectInvalid, Cluster_ObjectTooLarge for what no server takes, Cluster_RightsMissing where something
 * may not be read or kept, Cluster_NotFound for a node
 */
export async function preparePush(
  call: ClusterCall,
  content: PushContent,
  pushId: string,
): Promise<ClusterResult<PushRecord>> {
  const objects = prepareObjects(content);
  const refused = objects.find(({ refusal }) => refusal !== '');
  if (refused !== undefined) {
    return failure(
      refused.refusal.includes('bytes') ? 'Cluster_ObjectTooLarge' : 'Cluster_ObjectInvalid',
      `${referenceText(refused.reference)}: ${refused.refusal}`,
      'Change the recipe. Nothing was changed in the cluster.',
    );
  }
  const nodes = [...new Set(content.patches.map((patch) => patch.node))].map(nodeReference);
  const live = await getLive(call, [...objects.map(({ reference }) => reference), ...nodes]);
  if (!live.ok) return live;
  const unreadable = findUnreadable(live.value.problems);
  if (unreadable !== undefined) return unreadable;
  const patchesBefore: NodePatch[] = [];
  const asPatched = new Map<string, Manifest>();
  for (const patch of content.patches) {
    const node = asPatched.get(patch.node) ?? live.value.find(nodeReference(patch.node));
    const pending = node === undefined ? undefined : pendingPatch(patch, { find: () => node, problems: [] });
    if (node === undefined || pending === undefined) {
      return failure('Cluster_NotFound', `There is no node ${patch.node}.`, 'Nothing was changed. Check its name.');
    }
    asPatched.set(patch.node, patched(node, pending.operations));
    const operations = inverseOperations(node, pending.operations);
    if (operations.length > 0) {
      patchesBefore.unshift({
        ...patch,
        operations: [...operations],
        summary: `Takes back: ${patch.summary}`.slice(0, 512),
      });
    }
  }
  const secrets = objects.flatMap(({ reference }) => {
    const secret = live.value.find(reference);
    if (secret === undefined || !isSecret(secret) || Object.keys(mapAt(secret, 'data')).length === 0) return [];
    return [{ secret, reference, kept: keptReference(reference, pushId) }];
  });
  const kept = await keepSecrets(call, secrets, pushId);
  if (!kept.ok) return kept;
  return success({
    pushId,
    cluster: call.pin,
    content,
    before: objects.map(({ reference }) => {
      const manifest = live.value.find(reference);
      return {
        reference,
        manifest: manifest === undefined ? null : withoutValues(manifest),
        keptIn: secrets.find((entry) => entry.reference === reference)?.kept.name ?? '',
      };
    }),
    patchesBefore,
  });
}
