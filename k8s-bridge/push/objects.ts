/** Objects of a push: what they are called, in which order they go in, and what is refused before the server is asked. */
import type { Json, Manifest, ObjectReference } from '../../electron/workflows/cluster-ports.ts';

/** Keys and values of JSON's objects; nothing of lists, texts and numbers. */
export function isMap(value: Json | undefined): value is Readonly<Record<string, Json>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The map under a key, empty where there is none. */
export function mapAt(value: Json | undefined, key: string): Readonly<Record<string, Json>> {
  const inner = isMap(value) ? value[key] : undefined;
  return isMap(inner) ? inner : {};
}

export function textAt(value: Json | undefined, key: string): string {
  const inner = isMap(value) ? value[key] : undefined;
  return typeof inner === 'string' ? inner : '';
}

/** @returns undefined where the manifest lacks its apiVersion, kind or name */
export function findReference(manifest: Manifest): ObjectReference | undefined {
  const metadata = manifest['metadata'];
  const reference = {
    apiVersion: textAt(manifest, 'apiVersion'),
    kind: textAt(manifest, 'kind'),
    namespace: textAt(metadata, 'namespace'),
    name: textAt(metadata, 'name'),
  };
  return reference.apiVersion === '' || reference.kind === '' || reference.name === '' ? undefined : reference;
}

export function referenceKey(reference: ObjectReference): string {
  return [reference.apiVersion, reference.kind, reference.namespace, reference.name].join(' ');
}

/** As a person reads it: Secret vault/vault-pin. */
export function referenceText(reference: ObjectReference): string {
  const place = reference.namespace === '' ? '' : `${reference.namespace}/`;
  return `${reference.kind} ${place}${reference.name}`;
}

/** An object that names another and says nothing of it: what `kubectl get -f -` and `delete -f -` want. */
export function stubOf(reference: ObjectReference): Manifest {
  return {
    apiVersion: reference.apiVersion,
    kind: reference.kind,
    metadata: {
      name: reference.name,
      ...(reference.namespace === '' ? {} : { namespace: reference.namespace }),
    },
  };
}

export function groupOf(apiVersion: string): string {
  return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '';
}

export function isSecret(manifest: Manifest): boolean {
  return manifest['kind'] === 'Secret' && manifest['apiVersion'] === 'v1';
}

/**
 * The kind's resource name, as rights name it. Kubernetes' own rule for kinds whose CRD says nothing else
 * (k8s.io/apimachinery, meta.UnsafeGuessKindToResource), which holds for all kinds that come with the server.
 */
export function resourceOf(kind: string): string {
  const lower = kind.toLowerCase();
  if (lower === 'endpoints') return lower;
  if (lower.endsWith('s')) return `${lower}es`;
  return lower.endsWith('y') ? `${lower.slice(0, -1)}ies` : `${lower}s`;
}

/** Where the server has an object, for requests that kubectl has no words for. */
export function pathOf({ apiVersion, kind, namespace, name }: ObjectReference): string {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const place = namespace === '' ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${resourceOf(kind)}/${encodeURIComponent(name)}`;
}

const firstKinds = [
  'Namespace',
  'CustomResourceDefinition',
  'PriorityClass',
  'StorageClass',
  'ServiceAccount',
  'ClusterRole',
  'Role',
  'ClusterRoleBinding',
  'RoleBinding',
  'Secret',
  'ConfigMap',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'Service',
];
const lastKinds = [
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'ValidatingAdmissionPolicyBinding',
];

function place(manifest: Manifest): number {
  const kind = textAt(manifest, 'kind');
  const first = firstKinds.indexOf(kind);
  if (first >= 0) return first;
  return firstKinds.length + 1 + lastKinds.indexOf(kind);
}

/** Namespaces, kinds, rights and configuration before what uses them; equal ones stay as they were. */
export function inOrder(objects: readonly Manifest[]): readonly Manifest[] {
  return [...objects].sort((left, right) => place(left) - place(right));
}

/**
 * `stringData` becomes `data`: server-side apply would own the write-only field and no longer the value
 * (kubernetes/kubernetes issue 110816), so that a later push could not take the key away.
 */
export function withoutStringData(manifest: Manifest): Manifest {
  if (!isSecret(manifest) || !isMap(manifest['stringData'])) return manifest;
  const data: Record<string, Json> = { ...mapAt(manifest, 'data') };
  for (const [key, value] of Object.entries(manifest['stringData'])) {
    data[key] = typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value;
  }
  const { stringData: _, ...rest } = manifest;
  return { ...rest, data };
}

/** MaxSecretSize of Kubernetes' core/v1: the values of one Secret or ConfigMap together. */
const dataLimitBytes = 1024 * 1024;
/** Below etcd's request limit of 1.5 MiB. */
const objectLimitBytes = 1_500_000;

function decodedLength(value: Json): number {
  return typeof value === 'string' ? Buffer.byteLength(value, 'base64') : 0;
}

function textLength(value: Json): number {
  return typeof value === 'string' ? Buffer.byteLength(value, 'utf8') : 0;
}

function sumOf(values: Readonly<Record<string, Json>>, length: (value: Json) => number): number {
  return Object.values(values).reduce<number>((sum, value) => sum + length(value), 0);
}

/** @returns why the server need not be asked, in words; '' where it may be */
export function refuseBeforehand(manifest: Manifest, reference: ObjectReference): string {
  if (reference.name.length > 253) {
    return `The name has ${reference.name.length} characters; Kubernetes takes at most 253.`;
  }
  if (reference.namespace.length > 63) {
    return `The namespace's name has ${reference.namespace.length} characters; Kubernetes takes at most 63.`;
  }
  if (isSecret(manifest) || (reference.kind === 'ConfigMap' && reference.apiVersion === 'v1')) {
    const bytes = isSecret(manifest)
      ? sumOf(mapAt(manifest, 'data'), decodedLength) + sumOf(mapAt(manifest, 'stringData'), textLength)
      : sumOf(mapAt(manifest, 'data'), textLength) + sumOf(mapAt(manifest, 'binaryData'), decodedLength);
    if (bytes > dataLimitBytes) {
      return `Its values have ${bytes} bytes together; a ${reference.kind} holds at most 1 MiB (${dataLimitBytes} bytes).`;
    }
  }
  const whole = Buffer.byteLength(JSON.stringify(manifest), 'utf8');
  return whole > objectLimitBytes
    ? `The object has ${whole} bytes; the cluster keeps at most ${objectLimitBytes} in one.`
    : '';
}
