import type { ObjectReference, PushPreview } from '../../electron/workflows/cluster-ports.ts';
import { groupOf } from './objects.ts';

type MissingKind = PushPreview['missingKinds'][number];

/** What brings the kinds of an API group, from each project's own installation page. */
const installs: Readonly<Record<string, string>> = {
  'vault.banzaicloud.com':
    'Install the bank-vaults operator: helm upgrade --install --wait vault-operator oci://ghcr.io/bank-vaults/helm-charts/vault-operator',
  'monitoring.coreos.com':
    'Install the Prometheus operator: helm upgrade --install prometheus oci://ghcr.io/prometheus-community/charts/kube-prometheus-stack',
  'cert-manager.io':
    'Install cert-manager: helm upgrade --install cert-manager oci://quay.io/jetstack/charts/cert-manager --namespace cert-manager --create-namespace --set crds.enabled=true',
  'secrets.hashicorp.com':
    'Install the Vault Secrets Operator: helm upgrade --install vault-secrets-operator hashicorp/vault-secrets-operator',
};

export function isMissingKind(words: string): boolean {
  return /no matches for kind "/u.test(words);
}

/** Each kind once, with what installs it. */
export function describeMissingKinds(references: readonly ObjectReference[]): readonly MissingKind[] {
  const kinds = new Map<string, string>();
  for (const { apiVersion, kind } of references) {
    const group = groupOf(apiVersion);
    kinds.set(
      `${kind} (${apiVersion})`,
      installs[group] ??
        `Install what brings the kind ${kind} of ${apiVersion} into the cluster (its CustomResourceDefinition), then look again.`,
    );
  }
  return [...kinds].slice(0, 50).map(([kind, install]) => ({ kind, install }));
}
