/** Secrets whose values a push replaces are kept beside themselves, in the cluster: an undo needs them, a disk must not. */
import { createHash } from 'node:crypto';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference, PushRecord } from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { deleteSeen, type Seen } from './delete.ts';
import { getLive } from './get-live.ts';
import { runOn, splitWords, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { mapAt, textAt } from './objects.ts';

const pushLabel = 'key-custodian/push';

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** A push's id as a label's value: as it is where Kubernetes takes it, else its hash. */
function labelFor(pushId: string): string {
  return /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/u.test(pushId) ? pushId : shortHash(pushId);
}

/** The same for the same push, so that it may be made again without harm. */
export function keptReference(reference: ObjectReference, pushId: string): ObjectReference {
  const start = reference.name.slice(0, 220).replace(/[^a-z0-9]+$/u, '');
  return { ...reference, name: `${start}.kept-${shortHash(`${pushId} ${reference.namespace}/${reference.name}`)}` };
}

function keptCopy(secret: Manifest, kept: ObjectReference, pushId: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: kept.name,
      namespace: kept.namespace,
      labels: { 'app.kubernetes.io/managed-by': fieldManager, [pushLabel]: labelFor(pushId) },
      annotations: { 'key-custodian/kept-of': textAt(mapAt(secret, 'metadata'), 'name') },
    },
    // Not the type: some are watched for by controllers.
    type: 'key-custodian/kept',
    data: mapAt(secret, 'data'),
  };
}

/** Makes the copies that are not there yet. One that is there holds the earlier values and is never written again. */
export async function keepSecrets(
  call: ClusterCall,
  secrets: readonly { readonly secret: Manifest; readonly kept: ObjectReference }[],
  pushId: string,
): Promise<ClusterResult<undefined>> {
  if (secrets.length === 0) return success(undefined);
  const ran = await runOn(
    call,
    ['create', `--field-manager=${fieldManager}`, '-f', '-', '-o', 'name'],
    toStream(secrets.map(({ secret, kept }) => keptCopy(secret, kept, pushId))),
  );
  if (!ran.ok) return ran;
  const refusals = splitWords(ran.value.errors).errors.filter((words) => !words.includes('(AlreadyExists)'));
  if (ran.value.exitCode === 0 || refusals.length === 0) return success(undefined);
  const isForbidden = refusals.some((words) => words.includes('(Forbidden)'));
  return failure(
    isForbidden ? 'Cluster_RightsMissing' : 'Cluster_ObjectInvalid',
    `The earlier values of a Secret could not be kept: ${refusals.join(' ').slice(0, 1000)}`,
    'Nothing was pushed. Ask for the right to create Secrets there, then try again.',
  );
}

/** Where a record's Secrets are kept. */
export function keptReferences(record: PushRecord): readonly ObjectReference[] {
  return record.before
    .filter(({ keptIn }) => keptIn !== '')
    .map(({ reference, keptIn }) => ({ ...reference, name: keptIn }));
}

/** Removes the copies, and nothing that does not carry the push's label. */
export async function forgetKept(call: ClusterCall, record: PushRecord): Promise<ClusterResult<Record<string, never>>> {
  const references = keptReferences(record);
  if (references.length === 0) return success({});
  const live = await getLive(call, references);
  if (!live.ok) return live;
  const label = labelFor(record.pushId);
  const ours = references.flatMap((reference): Seen[] => {
    const secret = live.value.find(reference);
    const isOurs = textAt(mapAt(mapAt(secret, 'metadata'), 'labels'), pushLabel) === label;
    return secret === undefined || !isOurs ? [] : [{ reference, live: secret }];
  });
  if (ours.length === 0 && live.value.problems.length === 0) return success({});
  const deleted = await deleteSeen(call, ours);
  if (!deleted.ok) return deleted;
  const { changed, problems } = deleted.value;
  const said = [...live.value.problems, ...problems.values()];
  if (said.length === 0 && changed.size === 0) return success({});
  return failure(
    'Cluster_PushIncomplete',
    `Copies of replaced Secrets are still there: ${[...said, ...changed].join(' ').slice(0, 1000)}`,
    'Ask for the right to delete them, then try again.',
  );
}
