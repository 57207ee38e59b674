/** Whether a workload is up, from its status. Kubernetes, "Deployment status"; kubectl's `rollout status` asks the same. */
import type { Manifest, RolloutState } from '../../electron/workflows/cluster-ports.ts';
import { isList, isMap, mapAt, textAt } from './objects.ts';

export interface Judgement {
  readonly state: RolloutState['state'];
  readonly text: string;
}

function numberAt(value: Readonly<Record<string, unknown>>, key: string, otherwise = 0): number {
  const found = value[key];
  return typeof found === 'number' ? found : otherwise;
}

function condition(status: Manifest, type: string): Manifest | undefined {
  const conditions = status['conditions'];
  if (!isList(conditions)) return undefined;
  const found = conditions.find((one) => textAt(one, 'type') === type);
  return isMap(found) ? found : undefined;
}

function counted(ready: number, wanted: number, updated: number): Judgement {
  const text = `${ready} of ${wanted} ready${updated < wanted ? `, ${updated} of them brought up to date` : ''}`;
  return { state: ready >= wanted && updated >= wanted ? 'ready' : 'progressing', text };
}

function judgeDeployment(spec: Manifest, status: Manifest): Judgement {
  const wanted = numberAt(spec, 'replicas', 1);
  const progressing = condition(status, 'Progressing');
  if (textAt(progressing, 'reason') === 'ProgressDeadlineExceeded') {
    return { state: 'failed', text: textAt(progressing, 'message') || 'It has not come up in its time.' };
  }
  const judged = counted(numberAt(status, 'availableReplicas'), wanted, numberAt(status, 'updatedReplicas'));
  const old = numberAt(status, 'replicas') - numberAt(status, 'updatedReplicas');
  return judged.state === 'ready' && old > 0
    ? { state: 'progressing', text: `${judged.text}, ${old} old ones still end` }
    : judged;
}

function judgeDaemonSet(status: Manifest): Judgement {
  const wanted = numberAt(status, 'desiredNumberScheduled');
  if (wanted === 0) return { state: 'ready', text: 'No node takes it' };
  return counted(numberAt(status, 'numberAvailable'), wanted, numberAt(status, 'updatedNumberScheduled'));
}

function judgeStatefulSet(spec: Manifest, status: Manifest): Judgement {
  const wanted = numberAt(spec, 'replicas', 1);
  const isOne = textAt(status, 'currentRevision') === textAt(status, 'updateRevision');
  const updated = isOne ? wanted : numberAt(status, 'updatedReplicas');
  return counted(numberAt(status, 'readyReplicas'), wanted, updated);
}

function judgePod(status: Manifest): Judgement {
  const phase = textAt(status, 'phase');
  if (phase === 'Succeeded') return { state: 'ready', text: 'Done' };
  if (phase === 'Failed') return { state: 'failed', text: textAt(status, 'message') || 'Failed' };
  if (textAt(condition(status, 'Ready'), 'status') === 'True') return { state: 'ready', text: 'Ready' };
  return { state: 'progressing', text: phase === '' ? 'Pending' : phase };
}

function judgeJob(status: Manifest): Judgement {
  const failed = condition(status, 'Failed');
  if (textAt(failed, 'status') === 'True') return { state: 'failed', text: textAt(failed, 'message') || 'Failed' };
  if (textAt(condition(status, 'Complete'), 'status') === 'True') return { state: 'ready', text: 'Done' };
  return { state: 'progressing', text: `${numberAt(status, 'active')} at work` };
}

/** bank-vaults' Vault: the operator sets the condition Healthy, with the error if it is not. */
function judgeVault(spec: Manifest, status: Manifest): Judgement {
  const healthy = condition(status, 'Healthy');
  const nodes = status['nodes'];
  const count = `${isList(nodes) ? nodes.length : 0} of ${numberAt(spec, 'size', 1)} nodes`;
  const leader = textAt(status, 'leader');
  if (textAt(healthy, 'status') === 'True') {
    return { state: 'ready', text: leader === '' ? count : `${count}, led by ${leader}` };
  }
  const error = textAt(healthy, 'error') || textAt(healthy, 'message');
  return { state: 'progressing', text: error === '' ? `${count}, not healthy yet` : `${count}: ${error}` };
}

/** @param live undefined where there is none */
export function judgeRollout(live: Manifest | undefined): Judgement {
  if (live === undefined) return { state: 'missing', text: 'It is not there' };
  const [spec, status] = [mapAt(live, 'spec'), mapAt(live, 'status')];
  const generation = numberAt(mapAt(live, 'metadata'), 'generation');
  const kind = textAt(live, 'kind');
  const counts = ['Deployment', 'DaemonSet', 'StatefulSet'].includes(kind);
  if (counts && numberAt(status, 'observedGeneration') < generation) {
    return { state: 'progressing', text: 'The cluster has not looked at it yet' };
  }
  switch (kind) {
    case 'Deployment':
      return judgeDeployment(spec, status);
    case 'DaemonSet':
      return judgeDaemonSet(status);
    case 'StatefulSet':
      return judgeStatefulSet(spec, status);
    case 'Pod':
      return judgePod(status);
    case 'Job':
      return judgeJob(status);
    case 'Vault':
      return judgeVault(spec, status);
    default:
      return { state: 'ready', text: 'It is there' };
  }
}

/** Reasons for which a container waits that do not pass by themselves. */
const stuckReasons = [
  'CrashLoopBackOff',
  'CreateContainerConfigError',
  'CreateContainerError',
  'ErrImageNeverPull',
  'ImagePullBackOff',
  'InvalidImageName',
  'RunContainerError',
];

export interface FailingContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** CrashLoopBackOff: what the container said */
  readonly text: string;
  /** It has run, so that there is a log. */
  readonly hasRun: boolean;
}

export function failingContainers(pod: Manifest): readonly FailingContainer[] {
  const metadata = mapAt(pod, 'metadata');
  const status = mapAt(pod, 'status');
  const statuses = ['initContainerStatuses', 'containerStatuses'].flatMap((name) => {
    const list = status[name];
    return isList(list) ? list : [];
  });
  return statuses.flatMap((one) => {
    const waiting = mapAt(mapAt(one, 'state'), 'waiting');
    const terminated = mapAt(mapAt(one, 'state'), 'terminated');
    const reason = textAt(waiting, 'reason');
    const exitCode = numberAt(terminated, 'exitCode');
    if (!stuckReasons.includes(reason) && exitCode === 0) return [];
    const restarts = isMap(one) ? numberAt(one, 'restartCount') : 0;
    const said = textAt(waiting, 'message') || textAt(terminated, 'message');
    const what = reason === '' ? `ended with code ${exitCode}` : reason;
    return [
      {
        namespace: textAt(metadata, 'namespace'),
        pod: textAt(metadata, 'name'),
        container: textAt(one, 'name'),
        text: said === '' ? what : `${what}: ${said}`,
        hasRun: restarts > 0 || exitCode !== 0,
      },
    ];
  });
}
