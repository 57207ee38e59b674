/** What a push needs to be allowed, asked of the server beforehand, and the rules that would allow it. */
import { createHash } from 'node:crypto';
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

const textLimit = 20_000;
const apiGroup = 'rbac.authorization.k8s.io';

/**
 * Who RBAC binds to: a service account by its parts. Undefined for nobody in particular: what is bound to the name of
 * those who do not log in at all is given to everybody.
 */
function subjectOf(userName: string): object | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/u.exec(userName) ?? [];
  if (namespace !== undefined) return { kind: 'ServiceAccount', name, namespace };
  return userName === '' || userName === 'system:anonymous' ? undefined : { apiGroup, kind: 'User', name: userName };
}

/**
 * What an administrator applies so that a push is allowed. Its name comes from what it grants and to whom, so that the
 * next recipe's rules do not replace these.
 *
 * @param userName who the server says is asking; '' where it does not say
 * @returns a Role and its binding for each namespace, a ClusterRole and its binding for the rest, as YAML; roles alone
 *   where it is not known who is to have them; '' where nothing is missing
 */
export function rightsManifest(missing: readonly AccessNeed[], userName: string): string {
  const byNamespace = new Map<string, AccessNeed[]>();
  for (const need of missing) byNamespace.set(need.namespace, [...(byNamespace.get(need.namespace) ?? []), need]);
  const subject = subjectOf(userName);
  const objects = [...byNamespace].flatMap(([namespace, needs]) => {
    const rules = rulesFor(needs);
    const digest = createHash('sha256').update(JSON.stringify([namespace, userName, rules]));
    const name = `key-custodian-push-${digest.digest('hex').slice(0, 8)}`;
    const metadata = namespace === '' ? { name } : { name, namespace };
    const [role, binding] = namespace === '' ? ['ClusterRole', 'ClusterRoleBinding'] : ['Role', 'RoleBinding'];
    const given = { apiVersion: `${apiGroup}/v1`, kind: role, metadata, rules };
    if (subject === undefined) return [given];
    const roleRef = { apiGroup, kind: role, name };
    return [given, { apiVersion: given.apiVersion, kind: binding, metadata, roleRef, subjects: [subject] }];
  });
  if (objects.length === 0) return '';
  const lead = subject === undefined ? '# Bind these to whoever pushes.\n' : '';
  const text = `${lead}${objects.map((object) => stringify(object)).join('---\n')}`;
  return text.length > textLimit ? `${text.slice(0, textLimit - 20)}\n# …` : text;
}
