import { failure, success, type Failure, type Result } from '../../workflows/failures.ts';
import { placeOf } from '../../workflows/definitions.ts';
import type { ClusterPin } from '../../workflows/cluster-ports.ts';
import type { Plan } from '../../workflows/plans.ts';
import { checkEtcdFiles, type ChosenFiles } from '../chosen-files.ts';
import { notFound, operatorName, type Group, type HandlerContext } from './context.ts';

/** The clusters that a plan of a window names: unsealing from a Secret, storing shares in one, encryption at rest. */
function pinsOf(plan: Plan): readonly ClusterPin[] {
  switch (plan.workflow) {
    case 'unseal':
    case 'seal-migration':
      return plan.sources.flatMap((source) => (source.kind === 'secret' ? [source.cluster] : []));
    case 'vault-init':
      return plan.secret === undefined ? [] : [plan.secret.cluster];
    case 'secret-store':
    case 'kms-verify':
      return [plan.cluster];
    default:
      return [];
  }
}

export type RunHandlerParts = HandlerContext & { readonly chosenFiles: Pick<ChosenFiles, 'has'> };

function checkFiles({ chosenFiles }: RunHandlerParts, plan: Plan): Failure | undefined {
  return plan.workflow === 'kms-verify' ? checkEtcdFiles(plan.etcd, chosenFiles) : undefined;
}

/** What is pushed, undone or set up in a Vault is planned in main, and a cluster is one that main pinned. */
function checkClusters({ clusters }: HandlerContext, plan: Plan): Failure | undefined {
  if (plan.workflow === 'transit-setup') {
    return failure(
      'Custody_PlanInvalid',
      'What is set up in a Vault is planned from the recipe of a KMS plugin.',
      'Begin from the Vault or from the recipe.',
    ).error;
  }
  if (plan.workflow === 'cluster-push' || plan.workflow === 'cluster-undo' || plan.workflow === 'cluster-forget') {
    return failure(
      'Custody_PlanInvalid',
      'A push is begun from its preview, and an undo from its push.',
      'Open the cluster and begin there.',
    ).error;
  }
  const pins = pinsOf(plan);
  if (pins.length > 0 && plan.rehearsal) {
    return failure(
      'Custody_PlanInvalid',
      'A rehearsal reads and writes no cluster: nothing real is touched by it.',
      'Choose another place for the shares, or do it with a Vault of your own.',
    ).error;
  }
  if (pins.every((pin) => clusters.isOwnPin(pin))) return undefined;
  return failure(
    'Cluster_ContextChanged',
    'The cluster of this plan was not chosen from the list of this app since it was unlocked.',
    'Choose the cluster again.',
  ).error;
}

/** Whether what the plan says is a rehearsal is one: the band on every screen must not lie. */
function checkRehearsalMark({ core }: HandlerContext, plan: Plan): Failure | undefined {
  const place = placeOf(plan);
  // A cluster is never part of a rehearsal.
  const subject =
    place.kind === 'cluster'
      ? { rehearsal: false }
      : place.kind === 'token'
        ? core.stores().find((candidate) => candidate.id === place.storeId)
        : core.vaults().find((candidate) => candidate.id === place.vaultId);
  if (subject === undefined) return notFound(place.kind === 'token' ? 'The token store' : 'The Vault').error;
  if (subject.rehearsal === plan.rehearsal) return undefined;
  return failure(
    'Custody_PlanInvalid',
    subject.rehearsal
      ? 'This belongs to a rehearsal but was planned as the real thing.'
      : 'This is the real thing but was planned as a rehearsal.',
    'Begin again from the token or Vault itself.',
  ).error;
}

/**
 * Begins the current step and answers when it has begun, not when it has ended: a prompt may stay open
 * for long, and the run's view tells the rest. A refusal that comes at once is answered.
 */
async function begin(
  context: HandlerContext,
  runId: string,
  typedName: string,
): Promise<Result<Record<string, never>>> {
  const { core, runs } = context;
  const ended = core.runner.proceed(runId, { by: operatorName(core), typedName, throughDeliberateSteps: false });
  return new Promise((settle, reject) => {
    const stopListening = runs.subscribe((changedId) => {
      const isBusy = changedId === runId && runs.runs.some((run) => run.state.runId === runId && run.busy);
      if (!isBusy) return;
      stopListening();
      settle(success({}));
    });
    ended.then((result) => {
      stopListening();
      settle(result.ok ? success({}) : result);
    }, reject);
  });
}

export function createRunHandlers(context: RunHandlerParts): Group<'runs'> {
  const { core } = context;
  return {
    async 'runs.start'({ plan }) {
      const refused = checkClusters(context, plan) ?? checkFiles(context, plan) ?? checkRehearsalMark(context, plan);
      if (refused !== undefined) return { ok: false, error: refused };
      return core.runner.start(plan, operatorName(core));
    },
    'runs.continue': ({ runId, typedName }) => begin(context, runId, typedName),
    async 'runs.abandon'({ runId, typedName }) {
      const result = await core.runner.abandon(runId, { by: operatorName(core), typedName });
      return result.ok ? success({}) : result;
    },
    async 'runs.note-deviation'({ runId, step, text }) {
      const result = await core.runner.noteDeviation(runId, step, text);
      return result.ok ? success({}) : result;
    },
  };
}
