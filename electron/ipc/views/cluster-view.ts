import { createHash } from 'node:crypto';
import type { ClusterContextView, ClustersView, OutsidePartView } from '../../contract/cluster-views.ts';
import type { Allowance, ClusterContext, OutsidePart } from '../../workflows/cluster-ports.ts';
import type { ClusterObserver, ObservedCluster } from '../cluster-observer.ts';
import { toFailureView, toOptionalFailureView } from './failure-view.ts';

/** Names a part of a context in the contract; what it stands for stays in main. 16 hex digits. */
export function outsidePartId(contextId: string, part: OutsidePart): string {
  return createHash('sha256')
    .update(JSON.stringify([contextId, part.kind, part.path, part.sha256, part.detail]))
    .digest('hex')
    .slice(0, 16);
}

const isAllowedPart = (part: OutsidePart, allowances: readonly Allowance[]): boolean =>
  allowances.some(
    (allowance) => allowance.kind === part.kind && allowance.path === part.path && allowance.sha256 === part.sha256,
  );

function toOutsidePartView(contextId: string, part: OutsidePart, allowances: readonly Allowance[]): OutsidePartView {
  return {
    id: outsidePartId(contextId, part),
    kind: part.kind,
    path: part.path,
    sha256: part.sha256,
    detail: part.detail,
    allowed: isAllowedPart(part, allowances),
  };
}

function stateOf(observed: ObservedCluster | undefined): ClusterContextView['state'] {
  if (observed === undefined) return 'unknown';
  if (observed.isLooking) return 'looking';
  if (observed.result === undefined) return 'unknown';
  return observed.result.ok && observed.result.value.reachable ? 'reachable' : 'unreachable';
}

/** What keeps a cluster from being used, as it said itself or as asking it failed. */
function problemOf(observed: ObservedCluster | undefined): ClusterContextView['problem'] {
  const result = observed?.result;
  if (result === undefined) return null;
  if (!result.ok) return toFailureView(result.error);
  if (result.value.problem === '') return null;
  return {
    code: result.value.reachable ? 'Cluster_KubectlUnsuitable' : 'Cluster_Unreachable',
    message: result.value.problem,
    next: result.value.reachable
      ? 'Install a kubectl that is at most one minor version away from the server.'
      : 'Check that the cluster is up and this machine’s network leads to it, then look again.',
  };
}

export function toContextView(
  context: ClusterContext,
  observed: ObservedCluster | undefined,
  allowances: readonly Allowance[],
  isAllowed: boolean,
): ClusterContextView {
  const state = observed?.result?.ok === true ? observed.result.value : undefined;
  return {
    id: context.id,
    context: context.context,
    isCurrent: context.isCurrent,
    clusterName: context.clusterName,
    server: context.server,
    userName: context.userName,
    authentication: context.authentication,
    namespace: context.namespace,
    definedIn: context.definedIn,
    insecure: context.insecure,
    outside: context.outside.map((part) => toOutsidePartView(context.id, part, allowances)),
    allowed: isAllowed,
    state: stateOf(observed),
    serverVersion: state?.serverVersion ?? '',
    seenAs: state?.seenAs ?? '',
    withinSkew: state?.withinSkew ?? true,
    lastSeen: observed?.lastSeen ?? '',
    fault: context.problem,
    problem: problemOf(observed),
  };
}

export interface ClustersViewSources {
  readonly observer: Pick<ClusterObserver, 'contexts' | 'kubectl' | 'observed'>;
  readonly allowances: readonly Allowance[];
  readonly isAllowed: (context: ClusterContext) => boolean;
}

/** The current context first, the others in the order of their files. */
export function toClustersView({ observer, allowances, isAllowed }: ClustersViewSources): ClustersView {
  const { contexts, kubectl } = observer;
  const listed = contexts?.ok === true ? contexts.value : [];
  return {
    state: contexts === undefined ? 'looking' : contexts.ok ? 'ready' : 'failed',
    kubectl: {
      state: kubectl === undefined ? 'unknown' : kubectl.ok ? 'found' : 'missing',
      path: kubectl?.ok === true ? kubectl.value.path : '',
      version: kubectl?.ok === true ? kubectl.value.version : '',
      problem: toOptionalFailureView(kubectl?.ok === false ? kubectl.error : undefined),
    },
    contexts: [...listed]
      .sort((one, other) => Number(other.isCurrent) - Number(one.isCurrent))
      .map((context) => toContextView(context, observer.observed(context.id), allowances, isAllowed(context))),
    problem: toOptionalFailureView(contexts?.ok === false ? contexts.error : undefined),
  };
}

/** Before anybody looked, and while the app is locked. */
export const noClusters: ClustersView = {
  state: 'looking',
  kubectl: { state: 'unknown', path: '', version: '', problem: null },
  contexts: [],
  problem: null,
};
