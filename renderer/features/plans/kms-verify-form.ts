/** What is decided before encryption at rest is verified: which cluster, how etcd is read, what is counted. Pure. */
import type { ChannelRequest } from '../../../electron/contract/channels.ts';
import type { KmsVerifyPlan } from '../../../electron/workflows/kms-plans.ts';
import { text } from '../../text/en.ts';
import type { ChosenCluster } from './ClusterChoice.tsx';

const words = text.plans.kmsVerify;

export type EtcdFile = ChannelRequest<'etcd.choose-file'>['part'];
export const etcdFiles: readonly EtcdFile[] = ['ca', 'certificate', 'key'];

export interface KmsVerifyForm extends ChosenCluster {
  readonly provider: string;
  readonly namespace: string;
  readonly etcd: 'pod' | 'address';
  /** '' for the first that is ready. */
  readonly pod: string;
  readonly address: string;
  /** Paths that were chosen in main's dialog; '' for none. */
  readonly files: Readonly<Record<EtcdFile, string>>;
  readonly prefix: string;
  readonly secrets: boolean;
  readonly configmaps: boolean;
  /** One a line. */
  readonly others: string;
  readonly reencrypt: boolean;
}

/** @param resources as a recipe of the plugin names them */
export function freshKmsVerifyForm(provider: string, resources: readonly string[]): KmsVerifyForm {
  return {
    contextId: '',
    cluster: undefined,
    provider,
    namespace: 'default',
    etcd: 'pod',
    pod: '',
    address: '',
    files: { ca: '', certificate: '', key: '' },
    prefix: '/registry',
    secrets: resources.length === 0 || resources.includes('secrets'),
    configmaps: resources.includes('configmaps'),
    others: resources.filter((name) => name !== 'secrets' && name !== 'configmaps' && !name.includes('*')).join('\n'),
    reencrypt: false,
  };
}

/** As Kubernetes takes them (RFC 1123). */
const isLabel = (value: string): boolean => value.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/u.test(value);
const isPod = (value: string): boolean => value.length <= 253 && (value === '' || value.split('.').every(isLabel));
/** As EncryptionConfiguration names kinds: secrets, deployments.apps. */
const isKind = (name: string): boolean =>
  name.length <= 253 && /^[a-z][a-z0-9-]*(\.[a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$/u.test(name);
const isAddress = (address: string): boolean => URL.canParse(address) && new URL(address).protocol === 'https:';
const isPrefix = (prefix: string): boolean => prefix.length <= 200 && /^(\/[A-Za-z0-9._-]+)+$/u.test(prefix);

export interface KmsVerifyErrors {
  readonly cluster?: string;
  readonly provider?: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly address?: string;
  readonly files?: string;
  readonly prefix?: string;
  readonly kinds?: string;
  readonly others?: string;
}

/** Kinds beside Secrets and ConfigMaps, each once. */
function othersOf(form: KmsVerifyForm): readonly string[] {
  const names = form.others
    .split(/[\s,]+/u)
    .filter((name) => name !== '' && name !== 'secrets' && name !== 'configmaps');
  return [...new Set(names)];
}

function checkEtcd(form: KmsVerifyForm): KmsVerifyErrors {
  const prefix = isPrefix(form.prefix.trim()) ? {} : { prefix: words.errorPrefix };
  if (form.etcd === 'pod') return { ...prefix, ...(isPod(form.pod.trim()) ? {} : { pod: words.errorPod }) };
  const missing = etcdFiles.filter((part) => form.files[part] === '').map((part) => words.files[part].toLowerCase());
  return {
    ...prefix,
    ...(isAddress(form.address.trim()) ? {} : { address: words.errorAddress }),
    ...(missing.length === 0 ? {} : { files: words.errorFiles(missing.join(', ')) }),
  };
}

function etcdOf(form: KmsVerifyForm): KmsVerifyPlan['etcd'] {
  const prefix = form.prefix.trim();
  if (form.etcd === 'pod') return { pod: form.pod.trim(), prefix };
  const { ca: caPath, certificate: certificatePath, key: keyPath } = form.files;
  return { address: form.address.trim(), caPath, certificatePath, keyPath, prefix };
}

/** How etcd is read, with what is wrong with that; undefined while something is. */
export function checkEtcdPlace(form: KmsVerifyForm): {
  readonly errors: KmsVerifyErrors;
  readonly etcd: KmsVerifyPlan['etcd'] | undefined;
} {
  const errors = checkEtcd(form);
  return { errors, etcd: Object.keys(errors).length === 0 ? etcdOf(form) : undefined };
}

export interface CheckedKmsVerify {
  readonly errors: KmsVerifyErrors;
  readonly plan: KmsVerifyPlan | undefined;
  readonly will: readonly string[];
}

export function checkKmsVerify(form: KmsVerifyForm): CheckedKmsVerify {
  const provider = form.provider.trim();
  const namespace = form.namespace.trim();
  const resources = (['secrets', 'configmaps'] as const).filter((kind) => form[kind]);
  const others = othersOf(form);
  const wrong = others.find((name) => !isKind(name));
  const errors: KmsVerifyErrors = {
    ...(form.cluster === undefined ? { cluster: words.errorCluster } : {}),
    ...(isLabel(provider) ? {} : { provider: words.errorProvider }),
    ...(isLabel(namespace) ? {} : { namespace: words.errorNamespace }),
    ...checkEtcd(form),
    ...(resources.length + others.length === 0 ? { kinds: words.errorKinds } : {}),
    ...(wrong === undefined ? {} : { others: words.errorOther(wrong) }),
  };
  const kinds = [...resources.map((kind) => words[kind]), ...others].join(', ');
  const will = [
    ...(form.cluster === undefined ? [] : [words.will.check(form.cluster.context)]),
    words.will.canary(provider),
    ...(kinds === '' ? [] : [words.will.count(kinds)]),
    ...(form.reencrypt && kinds !== '' ? [words.will.rewrite(kinds), words.will.confirm] : []),
    ...(form.reencrypt ? [] : [words.will.only]),
  ];
  if (Object.keys(errors).length > 0 || form.cluster === undefined) return { errors, plan: undefined, will };
  const plan: KmsVerifyPlan = {
    workflow: 'kms-verify',
    rehearsal: false,
    cluster: form.cluster,
    provider,
    etcd: etcdOf(form),
    namespace,
    resources,
    ...(others.length === 0 ? {} : { others: [...others] }),
    reencrypt: form.reencrypt,
  };
  return { errors, plan, will };
}
