/** Parts that several manifests share: names, labels, references. Pure. */
import type { Json, Manifest, ObjectReference, SecretValueSlot } from '../../electron/workflows/cluster-ports.ts';

export type JsonObject = Readonly<Record<string, Json>>;

/** Labels of everything that a recipe makes (Kubernetes, "Recommended Labels"). */
export function recipeLabels(name: string, component: string): Record<string, string> {
  return {
    'app.kubernetes.io/name': component,
    'app.kubernetes.io/instance': name,
    'app.kubernetes.io/managed-by': 'key-custodian',
  };
}

export function metadata(
  name: string,
  namespace: string,
  labels: JsonObject,
  annotations: JsonObject = {},
): Record<string, Json> {
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

function textAt(value: Json | undefined, key: string): string {
  if (value === undefined || value === null || typeof value !== 'object' || Array.isArray(value)) return '';
  const found = (value as JsonObject)[key];
  return typeof found === 'string' ? found : '';
}

export function referenceOf(manifest: Manifest): ObjectReference {
  return {
    apiVersion: textAt(manifest, 'apiVersion'),
    kind: textAt(manifest, 'kind'),
    namespace: textAt(manifest['metadata'], 'namespace'),
    name: textAt(manifest['metadata'], 'name'),
  };
}

/** A Secret without its values: they are typed at the push and join it on kubectl's stdin. */
export function emptySecret(
  name: string,
  namespace: string,
  labels: JsonObject,
  values: readonly { readonly key: string; readonly what: string }[],
): { readonly manifest: Manifest; readonly slots: readonly SecretValueSlot[] } {
  const manifest: Manifest = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: metadata(name, namespace, labels),
    type: 'Opaque',
  };
  const reference = referenceOf(manifest);
  return { manifest, slots: values.map(({ key, what }) => ({ reference, key, what })) };
}

/** An environment variable whose value is in a Secret. */
export function secretVariable(variable: string, secret: string, key: string): Json {
  return { name: variable, valueFrom: { secretKeyRef: { name: secret, key } } };
}

/** Nothing that a container of ours needs to be allowed. */
export const noPrivileges = {
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
} as const;
