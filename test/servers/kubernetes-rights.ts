/** The rights of the test cluster's two people, as RBAC manifests. */
import { readFile } from 'node:fs/promises';

const documentation = new URL('../../docs/clusters.md', import.meta.url);

/** What docs/clusters.md tells operators to grant: the YAML in it after a comment, as it stands there. */
export async function yamlAfter(comment: string): Promise<string> {
  const text = await readFile(documentation, 'utf8');
  const found = /^\s*```yaml\n(?<yaml>[\s\S]*?)```/u.exec(text.split(comment)[1] ?? '')?.groups?.['yaml'];
  if (found === undefined) throw new Error(`docs/clusters.md has no YAML after ${comment}.`);
  return found;
}

export function custodianRights(): Promise<string> {
  return yamlAfter('<!-- rights -->');
}

/** Enough to find one's way, too little to push: no Secret, nothing written. */
export async function limitedRights(): Promise<string> {
  const readable = [
    { apiGroups: [''], resources: ['namespaces', 'nodes', 'pods', 'configmaps'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['daemonsets', 'statefulsets'], verbs: ['get', 'list', 'watch'] },
  ];
  const rbac = 'rbac.authorization.k8s.io';
  const objects = [
    { apiVersion: `${rbac}/v1`, kind: 'ClusterRole', metadata: { name: 'limited' }, rules: readable },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name: 'limited' },
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name: 'limited' },
      subjects: [{ apiGroup: rbac, kind: 'User', name: 'limited' }],
    },
  ];
  return Promise.resolve(JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));
}
