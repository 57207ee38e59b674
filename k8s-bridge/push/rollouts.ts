/** One look at what was pushed to run: up or not, and where not, the newest events and the end of what failed. */
import { success } from '../../electron/workflows/failures.ts';
import type { Manifest, ObjectReference, RolloutState } from '../../electron/workflows/cluster-ports.ts';
import { getLive } from './get-live.ts';
import { readObjects, readOn, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { isMap, mapAt, textAt } from './objects.ts';
import { failingContainers, judgeRollout, type FailingContainer } from './rollout-states.ts';

const eventLimit = 10;
const logLines = 20;
const logBytes = 16_000;
/** Of all rollouts together; each costs a call. */
const logLimit = 3;

/** Pods and events of a namespace. Nothing where they may not be read: they only explain. */
async function readAround(call: ClusterCall, namespace: string): Promise<ClusterResult<readonly Manifest[]>> {
  const ran = await readOn(call, [
    'get',
    'pods,events',
    `--namespace=${namespace}`,
    '-o',
    'json',
    '--ignore-not-found',
  ]);
  if (!ran.ok) return ran;
  return readObjects(ran.value.output);
}

/** The Pods of a workload: by its selector, of a Vault by the operator's label. */
function podsOf(live: Manifest, around: readonly Manifest[]): readonly Manifest[] {
  const name = textAt(mapAt(live, 'metadata'), 'name');
  const kind = textAt(live, 'kind');
  const pods = around.filter((manifest) => textAt(manifest, 'kind') === 'Pod');
  if (kind === 'Pod') return pods.filter((pod) => textAt(mapAt(pod, 'metadata'), 'name') === name);
  const selector = kind === 'Vault' ? { vault_cr: name } : mapAt(mapAt(mapAt(live, 'spec'), 'selector'), 'matchLabels');
  const wanted = Object.entries(selector);
  if (wanted.length === 0) return [];
  return pods.filter((pod) => {
    const labels = mapAt(mapAt(pod, 'metadata'), 'labels');
    return wanted.every(([key, value]) => labels[key] === value);
  });
}

function timeOf(event: Manifest): string {
  return (
    textAt(mapAt(event, 'series'), 'lastObservedTime') ||
    textAt(event, 'lastTimestamp') ||
    textAt(event, 'eventTime') ||
    textAt(mapAt(event, 'metadata'), 'creationTimestamp')
  );
}

/** Of the object, its Pods, and what stands between them (a ReplicaSet carries the Deployment's name). Newest last. */
function eventLines(live: Manifest, pods: readonly Manifest[], around: readonly Manifest[]): readonly string[] {
  const name = textAt(mapAt(live, 'metadata'), 'name');
  const names = new Set([name, ...pods.map((pod) => textAt(mapAt(pod, 'metadata'), 'name'))]);
  return around
    .filter((manifest) => {
      if (textAt(manifest, 'kind') !== 'Event') return false;
      const about = textAt(mapAt(manifest, 'involvedObject'), 'name');
      return names.has(about) || about.startsWith(`${name}-`);
    })
    .sort((left, right) => (timeOf(left) < timeOf(right) ? -1 : 1))
    .slice(-eventLimit)
    .map((event) => {
      const about = mapAt(event, 'involvedObject');
      const what = `${textAt(about, 'kind')} ${textAt(about, 'name')}: ${textAt(event, 'reason')}`;
      return `${timeOf(event)} ${what}: ${textAt(event, 'message')}`;
    });
}

async function readLog(call: ClusterCall, failing: FailingContainer): Promise<readonly string[]> {
  const ran = await readOn(call, [
    'logs',
    `--namespace=${failing.namespace}`,
    `--container=${failing.container}`,
    `--tail=${logLines}`,
    `--limit-bytes=${logBytes}`,
    // Its name comes from the server, which takes no leading hyphen.
    failing.pod,
  ]);
  // No log is no failure of the look: the container's state has said what is wrong.
  if (!ran.ok || ran.value.exitCode !== 0) return [];
  const lines = ran.value.output.toString('utf8').split('\n');
  return lines.filter((line) => line !== '').slice(-logLines);
}

function bounded(lines: readonly string[]): string[] {
  return lines.slice(-200).map((line) => line.replaceAll(/\p{Cc}+/gu, ' ').slice(0, 2000));
}

/**
 * @returns a state per reference, in their order; failures are those of the whole call
 */
export async function lookAtRollouts(
  call: ClusterCall,
  references: readonly ObjectReference[],
): Promise<ClusterResult<readonly RolloutState[]>> {
  const live = await getLive(call, references);
  if (!live.ok) return live;
  const judged = references.map((reference) => {
    const manifest = live.value.find(reference);
    return { reference, manifest, judgement: judgeRollout(manifest) };
  });
  const unread = live.value.problems.join(' ').slice(0, 512);
  const namespaces = new Set(
    judged.flatMap(({ reference, judgement }) =>
      judgement.state === 'ready' || judgement.state === 'missing' || reference.namespace === ''
        ? []
        : [reference.namespace],
    ),
  );
  const around: Manifest[] = [];
  for (const namespace of namespaces) {
    const read = await readAround(call, namespace);
    if (!read.ok) return read;
    around.push(...read.value.filter((manifest) => isMap(manifest)));
  }
  let logs = 0;
  const states: RolloutState[] = [];
  for (const { reference, manifest, judgement } of judged) {
    if (manifest === undefined) {
      states.push({ reference, state: 'missing', text: unread === '' ? judgement.text : unread, lines: [] });
      continue;
    }
    const here = around.filter((one) => textAt(mapAt(one, 'metadata'), 'namespace') === reference.namespace);
    const pods = judgement.state === 'ready' ? [] : podsOf(manifest, here);
    const failing = pods.flatMap(failingContainers);
    const lines = [...(judgement.state === 'ready' ? [] : eventLines(manifest, pods, here))];
    for (const container of failing) {
      lines.push(`${container.pod}, container ${container.container}: ${container.text}`);
      if (!container.hasRun || logs >= logLimit) continue;
      logs += 1;
      lines.push(...(await readLog(call, container)));
    }
    states.push({
      reference,
      state: failing.length > 0 ? 'failed' : judgement.state,
      text: judgement.text.slice(0, 512),
      lines: bounded(lines),
    });
  }
  return success(states);
}
