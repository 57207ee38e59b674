/**
 * What a kube-apiserver's /metrics says of KMS v2 (Kubernetes 1.29 to 1.34: k8s.io/apiserver,
 * storage/value/encrypt/envelope/metrics and storage/value/metrics; Prometheus, "Exposition formats"). All of them are
 * marked ALPHA: one that is not there is no fault.
 */
import type { ApiServer } from '../../electron/workflows/kms-ports.ts';
import { resourceNameSchema } from '../../electron/workflows/kms-ports.ts';

export interface EnvelopeMetrics {
  /** sha256 of the API server's id, which is the name of its lease; '' where none is told. */
  readonly serverIdHash: string;
  readonly uses: ApiServer['uses'];
  readonly resources: ApiServer['resources'];
}

const told = 'apiserver_envelope_encryption_key_id_hash_status_last_timestamp_seconds';
const used = 'apiserver_envelope_encryption_key_id_hash_last_timestamp_seconds';
const transformed = 'apiserver_storage_transformation_operations_total';
/** Tells the server's id where no plugin has told a key yet. */
const configured = 'apiserver_encryption_config_controller_last_config_info';
const wanted: ReadonlySet<string> = new Set([told, used, transformed, configured]);

const samplePattern = /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\} (\S+)(?: \d+)?$/u;
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"/gu;
const hashPattern = /^sha256:[0-9a-f]{64}$/u;
const providerPattern = /^k8s:enc:kms:v2:([^:]{1,253}):$/u;
const most = 2000;

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gu, (_, one: string) => (one === 'n' ? '\n' : one));

function readSample(line: string): Sample | undefined {
  const brace = line.indexOf('{');
  // A megabyte and more of other samples: looked at no further than their name.
  if (brace === -1 || !wanted.has(line.slice(0, brace))) return undefined;
  const [, name, labels, value] = samplePattern.exec(line) ?? [];
  if (name === undefined || labels === undefined) return undefined;
  const found = [...labels.matchAll(labelPattern)].map(
    ([, label = '', text = '']) => [label, unescaped(text)] as const,
  );
  return { name, labels: new Map(found), value: Number(value) };
}

function useOf({ name, labels, value }: Sample): ApiServer['uses'][number] | undefined {
  const keyIdHash = labels.get('key_id_hash') ?? '';
  const provider = labels.get('provider_name') ?? '';
  if (!hashPattern.test(keyIdHash) || provider === '' || provider.length > 253 || !(value >= 0)) return undefined;
  if (name === told) return { use: 'told', provider, keyIdHash, at: value };
  if (name !== used) return undefined;
  const use = { to_storage: 'wrote', from_storage: 'read' } as const;
  const way = labels.get('transformation_type');
  return way === 'to_storage' || way === 'from_storage' ? { use: use[way], provider, keyIdHash, at: value } : undefined;
}

function resourceOf({ name, labels }: Sample): ApiServer['resources'][number] | undefined {
  if (name !== transformed) return undefined;
  const provider = providerPattern.exec(labels.get('transformer_prefix') ?? '')?.[1];
  const resource = resourceNameSchema.safeParse(labels.get('resource'));
  return provider === undefined || !resource.success ? undefined : { resource: resource.data, provider };
}

/** Reads what is there, and leaves out what is malformed. */
export function readEnvelopeMetrics(text: string): EnvelopeMetrics {
  const uses: ApiServer['uses'] = [];
  const resources = new Map<string, ApiServer['resources'][number]>();
  let serverIdHash = '';
  for (const line of text.split('\n')) {
    const sample = readSample(line);
    if (sample === undefined) continue;
    const id = sample.labels.get('apiserver_id_hash') ?? '';
    if (serverIdHash === '' && hashPattern.test(id)) serverIdHash = id;
    const use = useOf(sample);
    if (use !== undefined && uses.length < most) uses.push(use);
    const resource = resourceOf(sample);
    if (resource !== undefined && resources.size < most) resources.set(JSON.stringify(resource), resource);
  }
  return { serverIdHash, uses, resources: [...resources.values()] };
}
