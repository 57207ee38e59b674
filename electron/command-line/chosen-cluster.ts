import type { Core } from '../core/core.ts';
import type { ClusterContext, ClusterPin } from '../workflows/cluster-ports.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';

export interface ClusterWish {
  readonly context?: string | undefined;
}

/** The context of a name, or the current one. Files alone are read. */
export async function chooseContext(core: Pick<Core, 'clusters'>, wish: ClusterWish): Promise<Result<ClusterContext>> {
  const listed = await core.clusters.listContexts();
  if (!listed.ok) return listed;
  const chosen = listed.value.find((context) =>
    wish.context === undefined ? context.isCurrent : context.context === wish.context,
  );
  if (chosen === undefined) {
    return failure(
      'App_BadRequest',
      wish.context === undefined
        ? 'No kubeconfig in use has a current context.'
        : 'No kubeconfig in use has a context of that name.',
      'See what there is with: custodian cluster list. Name one with --context, or another file with --kubeconfig.',
    );
  }
  if (chosen.problem !== '') {
    return failure(
      'Cluster_ContextInvalid',
      `The context ${chosen.context} cannot be used: ${chosen.problem}`,
      'Correct the kubeconfig, then try again.',
      { file: chosen.definedIn },
    );
  }
  return success(chosen);
}

/** The pin of the cluster that is meant, as it is now. */
export async function chooseCluster(core: Pick<Core, 'clusters'>, wish: ClusterWish): Promise<Result<ClusterPin>> {
  const context = await chooseContext(core, wish);
  if (!context.ok) return context;
  const pinned = await core.clusters.pin(context.value.id);
  if (pinned.ok || pinned.error.code !== 'Cluster_NotAllowed') return pinned;
  const { error } = pinned;
  return { ok: false, error: { ...error, next: `${error.next} Here: custodian cluster allow --context NAME.` } };
}
