import { success } from '../../electron/workflows/failures.ts';
import type { ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { readObjects, readOn, splitWords, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { mapAt, textAt } from './objects.ts';

/** Kinds that hold something of somebody's. Others, such as events, come and go with these. */
const kinds = ['pods', 'secrets', 'configmaps', 'persistentvolumeclaims'];
/** Looked at where it is allowed: most who push may not, and their Pods are seen anyway. */
const ifAllowed = [
  'services',
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'jobs.batch',
  'cronjobs.batch',
];
/** Kubernetes puts these into every namespace itself. */
const ofEveryNamespace = ['ConfigMap kube-root-ca.crt'];

/** @returns what is in a namespace beside our objects, in words, for a person who is about to delete it; '' for nothing */
export async function findForeignContents(
  call: ClusterCall,
  namespace: string,
  ours: readonly ObjectReference[],
): Promise<ClusterResult<string>> {
  const ran = await readOn(call, [
    'get',
    [...kinds, ...ifAllowed].join(','),
    `--namespace=${namespace}`,
    '-o',
    'json',
    '--ignore-not-found',
  ]);
  if (!ran.ok) return ran;
  const problems = splitWords(ran.value.errors).errors.filter(
    (words) =>
      !(
        words.includes('(Forbidden)') &&
        ifAllowed.some(
          (resource) => words.includes(` ${resource} is forbidden`) || words.includes(`): ${resource} is forbidden`),
        )
      ),
  );
  if (problems.length > 0) {
    ran.value.output.fill(0);
    const said = problems.join(' ').slice(0, 1000);
    return success(`What else is in the namespace could not be read, so it was left: ${said}`);
  }
  const read = readObjects(ran.value.output);
  if (!read.ok) return read;
  const known = new Set([
    ...ofEveryNamespace,
    ...ours.filter((one) => one.namespace === namespace).map(({ kind, name }) => `${kind} ${name}`),
  ]);
  const others = read.value
    .filter((manifest) => mapAt(manifest, 'metadata')['ownerReferences'] === undefined)
    .map((manifest) => `${textAt(manifest, 'kind')} ${textAt(mapAt(manifest, 'metadata'), 'name')}`)
    .filter((name) => !known.has(name));
  return success(
    others.length === 0
      ? ''
      : `The namespace holds what this push did not make (${others.slice(0, 10).join(', ')}), so it was left.`,
  );
}
