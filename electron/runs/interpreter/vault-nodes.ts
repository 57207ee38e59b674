/** A Vault's nodes as they were asked, or as they answered when they took their last share. */
import type { Failure, Result } from '../../workflows/failures.ts';
import { success } from '../../workflows/failures.ts';
import type { SealStatus, UnsealProgress, VaultConnection } from '../../workflows/ports.ts';
import type { Evidence } from '../../workflows/run.ts';
import type { StepContext } from './context.ts';

interface ClusterState {
  readonly statuses: readonly SealStatus[];
  readonly sealed: readonly VaultConnection[];
  readonly evidence: Evidence;
}

export function evidenceOf(statuses: readonly SealStatus[]): Evidence {
  const sealed = statuses.filter((status) => status.sealed);
  const shown = sealed[0] ?? statuses[0];
  return {
    nodes: statuses.length,
    sealedNodes: sealed.length,
    threshold: shown?.threshold ?? 0,
    progress: shown?.progress ?? 0,
    nonce: shown?.nonce ?? '',
    clusterName: statuses.find((status) => status.clusterName !== '')?.clusterName ?? '',
  };
}

/**
 * Asks every node at once. A node that is not initialised has not joined its cluster yet: it counts as sealed.
 * @param nodes 'reachable': one that does not answer is left out and counts as sealed, so that the others are
 * unsealed all the same; its failure is that of the act only where no node answers. 'every': its failure is.
 */
export async function readCluster(
  context: StepContext,
  connections: readonly VaultConnection[],
  nodes: 'reachable' | 'every' = 'reachable',
): Promise<Result<ClusterState>> {
  const answers = await Promise.all(connections.map((connection) => context.ports.vault.sealStatus(connection)));
  const reached = connections.filter((_connection, index) => answers[index]?.ok === true);
  const failures = answers.flatMap((answer) => (answer.ok ? [] : [answer]));
  const [unanswered] = failures;
  if (unanswered !== undefined && (nodes === 'every' || reached.length === 0)) return unanswered;
  const cluster = clusterOf(
    context,
    reached,
    answers.flatMap((answer) => (answer.ok ? [answer.value] : [])),
  );
  if (unanswered === undefined) return success(cluster);
  const unreached = connections.filter((connection) => !reached.includes(connection));
  return success({
    ...cluster,
    evidence: {
      ...cluster.evidence,
      nodes: connections.length,
      sealedNodes: cluster.sealed.length + unreached.length,
      unreachedNodes: unreached.map(({ address }) => address).join(', '),
    },
  });
}

function clusterOf(
  context: StepContext,
  connections: readonly VaultConnection[],
  statuses: readonly SealStatus[],
): ClusterState {
  for (const [index, status] of statuses.entries()) {
    const connection = connections[index];
    if (connection !== undefined) context.seen.statuses.set(connection.address, status);
  }
  return {
    statuses,
    sealed: connections.filter((_connection, index) => statuses[index]?.sealed !== false),
    evidence: evidenceOf(statuses),
  };
}

/** The cluster as this process last saw it since the button was pressed; asked where a node was not seen. */
export async function seenCluster(
  context: StepContext,
  connections: readonly VaultConnection[],
): Promise<Result<ClusterState>> {
  const statuses = connections.flatMap(({ address }) => context.seen.statuses.get(address) ?? []);
  return statuses.length === connections.length
    ? success(clusterOf(context, connections, statuses))
    : readCluster(context, connections);
}

/** Failures of single nodes, the first that is more than a share given twice. */
export function failureOf(progress: readonly UnsealProgress[]): Failure | undefined {
  for (const { result } of progress)
    if (!result.ok && result.error.code !== 'Vault_ShareDuplicate') return result.error;
  return undefined;
}

/** Whether earlier steps of this run left nothing to unseal. */
export const isAllOpen = (context: StepContext): boolean => context.facts['sealedNodes'] === 0;

/** What the nodes said when they took their last share. */
export function seenEvidence(context: StepContext, connections: readonly VaultConnection[]): Evidence {
  return evidenceOf(connections.flatMap(({ address }) => context.seen.statuses.get(address) ?? []));
}
