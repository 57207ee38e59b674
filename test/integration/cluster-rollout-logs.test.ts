/** What a rollout that fails says of itself: events, the container's state, and the end of its log from the kubelet. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { contentOf, daemonSet, openPushEngine, type PushEngine } from '../fixtures/push-engine.ts';
import { valueOf } from '../fixtures/token-port.ts';
import type { Kubelet } from '../servers/kubernetes-kubelet.ts';
import { startKubernetes, type KubernetesServer } from '../servers/kubernetes.ts';

const namespace = 'failing';
const reference = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace, name: 'vault' };

let cluster: KubernetesServer;
let kubelet: Kubelet;
let node: string;
let engine: PushEngine;

beforeAll(async () => {
  cluster = await startKubernetes({ kubelet: true });
  if (cluster.node === undefined) throw new Error('The cluster has no node.');
  ({ kubelet, name: node } = cluster.node);
  // With just the rights that docs/clusters.md lists.
  engine = await openPushEngine(await cluster.custodianKubeconfig(), cluster.kubectlPath);
  await cluster.arrange(['create', 'namespace', namespace]);
  const content = contentOf([daemonSet(namespace, 'vault', 'vault:1', 0)]);
  const record = valueOf(await engine.ask('push.prepare', { content, pushId: 'logs' }));
  valueOf(await engine.ask('push.apply', { record, takeOverConflicts: false, secrets: [] }));
});
afterAll(async () => {
  await engine.close();
  await cluster.stop();
});

/** A Pod of the DaemonSet whose container was started and ended again, as its kubelet would tell. */
async function playPod(name: string): Promise<void> {
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: { app: 'vault' } },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'vault:1' }] },
  };
  const waiting = { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting failed container' };
  const status = {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        image: 'vault:1',
        imageID: 'vault:1',
        ready: false,
        restartCount: 3,
        state: { waiting },
        lastState: { terminated: { exitCode: 1, reason: 'Error' } },
      },
    ],
  };
  await cluster.arrange(['create', '-f', '-'], JSON.stringify(pod));
  await cluster.arrange([
    'patch',
    'pod',
    name,
    `--namespace=${namespace}`,
    '--subresource=status',
    '--type=merge',
    `--patch=${JSON.stringify({ status })}`,
  ]);
}

const look = async () => valueOf(await engine.ask('push.rollouts', { references: [reference] })).rollouts[0];

test('the end of the log of a container that fails stands below its state', async () => {
  await playPod('vault-one');
  const said = Array.from({ length: 30 }, (_, index) => `line ${index.toString()}`);
  await kubelet.setLog(
    { namespace, name: 'vault-one', container: 'main' },
    `${said.join('\n')}\nerror: no PKCS#11 token with label "vault"\u0007\n`,
  );
  const rollout = await look();
  expect(rollout?.state).toBe('failed');
  const lines = rollout?.lines ?? [];
  const at = lines.findIndex((line) => line.startsWith('vault-one, container main: '));
  expect(lines[at]).toContain('CrashLoopBackOff');
  const log = lines.slice(at + 1);
  expect(log).toHaveLength(20);
  expect(log[0]).toBe('line 11');
  // Nothing that a terminal would act on.
  expect(log.at(-1)).toBe('error: no PKCS#11 token with label "vault" ');
});

test('a container whose log cannot be read is told all the same', async () => {
  await playPod('vault-two');
  const lines = (await look())?.lines ?? [];
  expect(lines.find((line) => line.startsWith('vault-two, container main: '))).toContain('CrashLoopBackOff');
  expect(lines).toContain('line 29');
});
