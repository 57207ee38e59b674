/** Which kinds of objects an API server keeps, and where each lies in etcd. */
import { success } from '../../electron/workflows/failures.ts';
import type { Allowance, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { resourceNameSchema } from '../../electron/workflows/kms-ports.ts';
import type { Kubectl, KubectlResult } from '../kubectl/kubectl.ts';
import { describeRefusal } from '../kubectl/refusals.ts';

const deadline = 60_000;

export interface StoredResource {
  /** As EncryptionConfiguration names it: secrets, deployments.apps. */
  readonly name: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly isNamespaced: boolean;
}

/** One line of `kubectl api-resources -o wide`: NAME, SHORTNAMES (may be empty), APIVERSION, NAMESPACED, KIND, … */
const linePattern = /^(\S+)\s+(?:\S+\s+)?(\S+)\s+(true|false)\s+(\S+)(?:\s|$)/u;

function readLine(line: string): StoredResource | undefined {
  const [, plural, apiVersion, isNamespaced, kind] = linePattern.exec(line) ?? [];
  if (plural === undefined || apiVersion === undefined || kind === undefined) return undefined;
  const group = apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
  const name = group === '' ? plural : `${plural}.${group}`;
  // The same objects as `events`, under a second name.
  if (name === 'events.events.k8s.io') return undefined;
  return resourceNameSchema.safeParse(name).success
    ? { name, apiVersion, kind, isNamespaced: isNamespaced === 'true' }
    : undefined;
}

/** What can be listed and written again, in each group's preferred version. Everybody who is logged in may ask. */
export async function listStoredResources(
  kubectl: Kubectl,
  on: { readonly pin: ClusterPin; readonly allowed: readonly Allowance[] },
): Promise<KubectlResult<readonly StoredResource[]>> {
  const ran = await kubectl.run({
    ...on,
    onlyReads: true,
    argumentList: ['api-resources', '--verbs=list,create,patch', '--no-headers', '--output=wide'],
    deadlineMilliseconds: deadline,
  });
  if (!ran.ok) return ran;
  const lines = ran.value.output.toString('utf8').split('\n');
  // One extension API server that is away is told beside what there is.
  if (ran.value.exitCode !== 0 && lines.length < 2)
    return { ok: false, error: describeRefusal(ran.value.errors, on.pin) };
  return success(lines.map(readLine).filter((resource) => resource !== undefined));
}

/** Kubernetes 1.34, pkg/kubeapiserver/default_storage_factory_builder.go: SpecialDefaultResourcePrefixes. */
const specialPlaces: Readonly<Record<string, string>> = {
  replicationcontrollers: 'controllers',
  endpoints: 'services/endpoints',
  nodes: 'minions',
  services: 'services/specs',
  'ingresses.networking.k8s.io': 'ingress',
};

/** Groups of kube-apiserver itself: their objects lie below the resource's name alone. */
const builtInGroups: ReadonlySet<string> = new Set([
  'admissionregistration.k8s.io',
  'apps',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'coordination.k8s.io',
  'discovery.k8s.io',
  'events.k8s.io',
  'flowcontrol.apiserver.k8s.io',
  'internal.apiserver.k8s.io',
  'networking.k8s.io',
  'node.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'resource.k8s.io',
  'scheduling.k8s.io',
  'storage.k8s.io',
  'storagemigration.k8s.io',
]);

/** Below etcd's prefix: custom resources, their definitions and APIServices lie below their group's name. */
export function placeInEtcd(name: string): string {
  const special = specialPlaces[name];
  if (special !== undefined) return special;
  const dot = name.indexOf('.');
  if (dot === -1) return name;
  const [plural, group] = [name.slice(0, dot), name.slice(dot + 1)];
  return builtInGroups.has(group) ? plural : `${group}/${plural}`;
}
