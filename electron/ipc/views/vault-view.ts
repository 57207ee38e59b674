import type { VaultNodeView, VaultView } from '../../contract/views.ts';
import type { KnownVault, WatchedNode } from '../../core/core.ts';
import type { SealStatus, VaultTrust } from '../../workflows/ports.ts';
import { toFailureView } from './failure-view.ts';

type NodeState = VaultNodeView['state'];

/** Worst first: what a person can and must act on comes before what is only not known. */
const severity: readonly NodeState[] = ['sealed', 'uninitialized', 'unreachable', 'looking', 'unsealed'];

function stateOf(status: SealStatus): NodeState {
  if (!status.initialized) return 'uninitialized';
  return status.sealed ? 'sealed' : 'unsealed';
}

function toTrustView(trust: VaultTrust): VaultView['trust'] {
  switch (trust.kind) {
    case 'system':
      return { kind: 'system' };
    case 'ca-file':
      return { kind: 'ca-file', path: trust.path };
    case 'pinned':
      return { kind: 'pinned', sha256: trust.sha256 };
  }
}

function toNodeView(address: string, node: WatchedNode | undefined): VaultNodeView {
  const result = node?.result;
  const status = result?.ok === true ? result.value : undefined;
  return {
    address,
    state: result === undefined ? 'looking' : status === undefined ? 'unreachable' : stateOf(status),
    product: status?.product ?? '',
    version: status?.version ?? '',
    sealType: status?.type ?? '',
    storageType: status?.storageType ?? '',
    threshold: status?.threshold ?? 0,
    shares: status?.shares ?? 0,
    progress: status?.progress ?? 0,
    attemptNonce: status?.nonce ?? '',
    clusterName: status?.clusterName ?? '',
    lastSeen: node?.lastSeen ?? '',
    problem: result?.ok === false ? toFailureView(result.error) : null,
  };
}

export function toVaultView(vault: KnownVault, watched: readonly WatchedNode[]): VaultView {
  const nodes = vault.addresses.map((address) =>
    toNodeView(
      address,
      watched.find((node) => node.address === address),
    ),
  );
  return {
    id: vault.id,
    name: vault.name,
    rehearsal: vault.rehearsal,
    trust: toTrustView(vault.trust),
    nodes,
    state: severity.find((state) => nodes.some((node) => node.state === state)) ?? 'looking',
    tokenSerial: vault.tokenSerial,
    tokenStoreId: vault.tokenStoreId,
    keyLabel: vault.keyLabel,
    secret:
      vault.secret === undefined
        ? null
        : {
            context: vault.secret.cluster.context,
            namespace: vault.secret.secret.namespace,
            name: vault.secret.secret.name,
          },
  };
}
