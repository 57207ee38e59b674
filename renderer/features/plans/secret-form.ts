/** Which Secret in which cluster: what is decided, checked in plain words. Pure. */
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { VaultView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';

const words = text.plans.secretChoice;

type Pin = ChannelReply<'clusters.pin'>['cluster'];

export interface SecretForm {
  readonly contextId: string;
  /** What the cluster is held to; it comes from main once a context was chosen. */
  readonly cluster: Pin | undefined;
  readonly namespace: string;
  readonly name: string;
}

/** @param known where this app put the shares of a Vault */
export function freshSecretForm(known: VaultView['secret']): SecretForm {
  return {
    contextId: '',
    cluster: undefined,
    namespace: known?.namespace ?? 'default',
    name: known?.name ?? 'vault-unseal-keys',
  };
}

/** As Kubernetes takes them (RFC 1123). */
const isLabel = (value: string): boolean => value.length <= 63 && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/u.test(value);
const isName = (value: string): boolean => value.length <= 253 && value.split('.').every(isLabel);

export function checkSecret(
  form: SecretForm,
):
  | { readonly ok: true; readonly place: { cluster: Pin; secret: { namespace: string; name: string } } }
  | { readonly ok: false; readonly error: string } {
  if (form.cluster === undefined) return { ok: false, error: words.errorCluster };
  const namespace = form.namespace.trim();
  const name = form.name.trim();
  if (!isLabel(namespace)) return { ok: false, error: words.errorNamespace };
  if (!isName(name)) return { ok: false, error: words.errorName };
  return { ok: true, place: { cluster: form.cluster, secret: { namespace, name } } };
}

export function secretInWords(form: SecretForm): string {
  return form.cluster === undefined
    ? words.someSecret
    : words.words(form.namespace.trim(), form.name.trim(), form.cluster.context);
}
