/** What a push needs to be allowed, asked of the server beforehand, and the rules that would allow it. */
import { stringify } from 'yaml';
import { success } from '../../electron/workflows/failures.ts';
import type {
  AccessAnswer,
  AccessNeed,
  Manifest,
  NodePatch,
  ObjectReference,
} from '../../electron/workflows/cluster-ports.ts';
import { readObjects, readOn, toStream, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { groupOf, mapAt, resourceOf, textAt } from './objects.ts';

type Verb = AccessNeed['verb'];

function needFor(reference: ObjectReference, verb: Verb, subresource = ''): AccessNeed {
  return {
    verb,
    group: groupOf(reference.apiVersion),
    resource: resourceOf(reference.kind),
    subresource,
    namespace: reference.namespace,
    name: reference.name,
  };
}

/** Reading, making and changing every object, and the patches of nodes. */
export function needsOfPush(references: readonly ObjectReference[], patches: readonly NodePatch[]): AccessNeed[] {
  const ofObjects = references.flatMap((reference) =>
    (['get', 'create', 'patch'] as const).map((verb) => needFor(reference, verb)),
  );
  const ofNodes = patches.flatMap((patch) => {
    const node = { apiVersion: 'v1', kind: 'Node', namespace: '', name: patch.node };
    // kubectl reads the subresource before it patches it.
    return [needFor(node, 'get'), needFor(node, 'get', patch.subresource), needFor(node, 'patch', patch.subresource)];
  });
  const seen = new Set<string>();
  return [...ofObjects, ...ofNodes].filter((need) => {
    const key = JSON.stringify(need);
    return !seen.has(key) && seen.add(key).size > 0;
  });
}

function review(need: AccessNeed): Manifest {
  const { verb, group, resource, subresource, namespace, name } = need;
  return {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { verb, group, resource, subresource, namespace, name } },
  };
}

/** All in one call; SelfSubjectAccessReview (Kubernetes, "Checking API access") is allowed to everybody who is let in. */
export async function reviewRights(
  call: ClusterCall,
  needs: readonly AccessNeed[],
): Promise<ClusterResult<readonly AccessAnswer[]>> {
  if (needs.length === 0) return success([]);
  const ran = await readOn(call, ['create', '--validate=false', '-f', '-', '-o', 'json'], toStream(needs.map(review)));
  if (!ran.ok) return ran;
  const read = readObjects(ran.value.output);
  if (!read.ok) return read;
  return success(
    needs.map((need, index) => {
      const status = mapAt(read.value[index], 'status');
      const reason = textAt(status, 'reason').slice(0, 512);
      return { need, allowed: status['allowed'] === true, reason };
    }),
  );
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

function rulesFor(needs: readonly AccessNeed[]): readonly Rule[] {
  const grouped = new Map<string, { need: AccessNeed; verbs: Set<string>; names: Set<string> }>();
  for (const need of needs) {
    // Making is not bound to a name: the server knows none yet (Kubernetes, "Using RBAC", resourceNames).
    const named = need.verb !== 'create' && need.verb !== 'list' && need.verb !== 'watch';
    const key = [need.group, need.resource, need.subresource, named].join(' ');
    const entry = grouped.get(key) ?? { need, verbs: new Set<string>(), names: new Set<string>() };
    entry.verbs.add(need.verb);
    if (named && need.name !== '') entry.names.add(need.name);
    grouped.set(key, entry);
  }
  return [...grouped.values()].map(({ need, verbs, names }) => ({
    apiGroups: [need.group],
    resources: [need.subresource === '' ? need.resource : `${need.resource}/${need.subresource}`],
    ...(names.size > 0 ? { resourceNames: [...names].sort() } : {}),
    verbs: [...verbs].sort(),
  }));
}

const roleName = 'key-custodian-push';
const textLimit = 20_000;

/** @returns a Role for each namespace and a ClusterRole for the rest, as YAML; '' where nothing is missing */
export function rightsManifest(missing: readonly AccessNeed[]): string {
  const byNamespace = new Map<string, AccessNeed[]>();
  for (const need of missing) byNamespace.set(need.namespace, [...(byNamespace.get(need.namespace) ?? []), need]);
  const roles = [...byNamespace].map(([namespace, needs]) =>
    stringify({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: namespace === '' ? 'ClusterRole' : 'Role',
      metadata: namespace === '' ? { name: roleName } : { name: roleName, namespace },
      rules: rulesFor(needs),
    }),
  );
  if (roles.length === 0) return '';
  const text = `# Bind these to whoever pushes.\n${roles.join('---\n')}`;
  return text.length > textLimit ? `${text.slice(0, textLimit - 20)}\n# …` : text;
}
