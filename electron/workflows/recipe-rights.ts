/** What pushing needs of a cluster, kind by kind. Pure. */
import type { AccessNeed, Manifest, PushContent } from './cluster-ports.ts';

/** What a dry run, a push, its rollout and its undo ask of each object. */
const verbs = ['get', 'create', 'patch', 'delete'] as const;
const clusterWide: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'PersistentVolume',
  'ClusterRole',
  'ClusterRoleBinding',
  'CustomResourceDefinition',
]);

/** Kubernetes' own plurals are regular but for these endings. */
function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (/(s|x|ch)$/u.test(name)) return `${name}es`;
  return /[^aeiou]y$/u.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function fieldOf(manifest: Manifest, field: 'name' | 'namespace'): string {
  const metadata: unknown = manifest['metadata'];
  if (typeof metadata !== 'object' || metadata === null || !(field in metadata)) return '';
  return textOf(Object.entries(metadata).find(([key]) => key === field)?.[1]);
}

/** One need for each verb, kind and namespace; names are left out, since rights are granted by kind most often. */
export function needsOf(content: PushContent): readonly AccessNeed[] {
  const needs = new Map<string, AccessNeed>();
  const add = (need: AccessNeed): void => {
    needs.set(JSON.stringify(need), need);
  };
  for (const manifest of content.objects) {
    const kind = textOf(manifest['kind']);
    const [group = '', version] = textOf(manifest['apiVersion']).split('/');
    for (const verb of verbs) {
      add({
        verb,
        group: version === undefined ? '' : group,
        resource: pluralOf(kind),
        subresource: '',
        namespace: clusterWide.has(kind) ? '' : fieldOf(manifest, 'namespace'),
        name: '',
      });
    }
  }
  for (const patch of content.patches) {
    for (const [verb, subresource] of [
      ['get', ''],
      ['patch', patch.subresource],
    ] as const)
      add({ verb, group: '', resource: 'nodes', subresource, namespace: '', name: '' });
  }
  return [...needs.values()];
}
