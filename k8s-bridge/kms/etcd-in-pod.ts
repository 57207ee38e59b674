/**
 * Reads keys of a cluster's etcd from inside its Pod, as kubeadm makes it: `kubectl exec` of the Pod's own etcdctl,
 * with the address and the certificates that its command line names. Each argument is one word; no shell is involved.
 */
import { z } from 'zod';
import { failure, success, type ClusterFailureCode, type Result } from '../../electron/workflows/failures.ts';
import type { Allowance, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { EtcdInPod } from '../../electron/workflows/kms-ports.ts';
import type { Kubectl, KubectlResult } from '../kubectl/kubectl.ts';
import { readJson } from '../kubectl/read-json.ts';
import { describeRefusal, quote } from '../kubectl/refusals.ts';
import { endOf, readRange, type EtcdReader } from './etcd-reader.ts';

const namespace = 'kube-system';
const deadline = 60_000;
/** kube-apiserver and kubelet pass it through memory. */
const replyLimitBytes = 16 * 1024 * 1024;

/** kubeadm's, where the command line names none. */
const usual = {
  'listen-client-urls': 'https://127.0.0.1:2379',
  'trusted-ca-file': '/etc/kubernetes/pki/etcd/ca.crt',
  'cert-file': '/etc/kubernetes/pki/etcd/server.crt',
  'key-file': '/etc/kubernetes/pki/etcd/server.key',
} as const;

const words = z.array(z.string()).default([]);
const podListSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      spec: z.object({ containers: z.array(z.object({ name: z.string(), command: words, args: words })) }),
      status: z
        .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
        .default({ conditions: [] }),
    }),
  ),
});
type Pod = z.infer<typeof podListSchema>['items'][number];

interface On {
  readonly kubectl: Kubectl;
  readonly pin: ClusterPin;
  readonly allowed: readonly Allowance[];
}

const isReady = ({ status }: Pod): boolean =>
  status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');

/** What runs etcd in a Pod, by its command; else its first container. */
function etcdContainer({ spec }: Pod): Pod['spec']['containers'][number] | undefined {
  return spec.containers.find(({ name, command }) => name === 'etcd' || command[0] === 'etcd') ?? spec.containers[0];
}

async function findPod({ kubectl, pin, allowed }: On, wanted: string): Promise<KubectlResult<Pod>> {
  const ran = await kubectl.run({
    pin,
    allowed,
    onlyReads: true,
    argumentList: ['get', 'pods', `--namespace=${namespace}`, '--selector=component=etcd', '--output=json'],
    deadlineMilliseconds: deadline,
  });
  if (!ran.ok) return ran;
  if (ran.value.exitCode !== 0) return { ok: false, error: describeRefusal(ran.value.errors, pin) };
  const pods = readJson(podListSchema, ran.value.output)?.items ?? [];
  const [first] = pods
    .filter(({ metadata }) => wanted === '' || metadata.name === wanted)
    .sort((one, other) => Number(isReady(other)) - Number(isReady(one)));
  if (first !== undefined) return success(first);
  return failure(
    'Cluster_NotFound',
    wanted === ''
      ? `There is no Pod with the label component=etcd in ${namespace}: etcd does not run in this cluster as kubeadm makes it.`
      : `There is no Pod ${wanted} with the label component=etcd in ${namespace}.`,
    'Give etcd’s address and a client certificate instead.',
    { context: pin.context },
  );
}

/** What the Pod's etcd was started with: `--name=value` or `--name value`. */
function flagOf(argumentList: readonly string[], name: keyof typeof usual): string {
  for (const [index, argument] of argumentList.entries()) {
    if (argument.startsWith(`--${name}=`)) return argument.slice(name.length + 3);
    if (argument === `--${name}`) return argumentList[index + 1] ?? usual[name];
  }
  return usual[name];
}

/** An address on the Pod's own machine before others: its certificate holds for it, and nothing leaves the node. */
function ownAddress(urls: string): string {
  const all = urls.split(',');
  return all.find((url) => /^https?:\/\/(127\.0\.0\.1|localhost|\[::1\]):/u.test(url)) ?? all[0] ?? '';
}

function describeExecRefusal(pod: string, errors: string, pin: ClusterPin): Result<never, ClusterFailureCode> {
  const details = { context: pin.context, pod, reason: quote(errors) };
  if (/executable file not found|no such file or directory/u.test(errors) && errors.includes('etcdctl'))
    return failure(
      'Cluster_NotFound',
      `The Pod ${pod} has no etcdctl.`,
      'Give etcd’s address and a client certificate instead.',
      details,
    );
  // What is said of a command's end is etcdctl's; everything else is the way to it.
  if (!errors.includes('command terminated with exit code')) return { ok: false, error: describeRefusal(errors, pin) };
  return failure(
    'Cluster_Unreachable',
    `etcd in the Pod ${pod} could not be read.`,
    'Read what etcdctl says, and whether the certificates on its command line may read; else give etcd’s address and a client certificate instead.',
    details,
  );
}

/** How long a Pod that was found counts for the kinds that are counted after it. */
const podHolds = 30_000;

export interface EtcdPods {
  /**
   * Cluster_NotFound where no such Pod, or no etcdctl in it, is found; Cluster_RightsMissing without the right to
   * create pods/exec in kube-system.
   */
  open(on: Omit<On, 'kubectl'>, place: EtcdInPod): Promise<KubectlResult<EtcdReader>>;
}

export function createEtcdPods(kubectl: Kubectl): EtcdPods {
  let known: { readonly until: number; readonly of: string; readonly pod: Pod } | undefined;
  return {
    async open({ pin, allowed }, { pod: wanted }) {
      const on = { kubectl, pin, allowed };
      const of = JSON.stringify([pin, wanted]);
      if (known === undefined || known.of !== of || known.until < performance.now()) {
        const found = await findPod(on, wanted);
        if (!found.ok) return found;
        known = { until: performance.now() + podHolds, of, pod: found.value };
      }
      return success(readIn(on, known.pod));
    },
  };
}

function readIn(on: On, found: Pod): EtcdReader {
  const pod = found.metadata.name;
  const container = etcdContainer(found);
  const started = [...(container?.command ?? []), ...(container?.args ?? [])];
  const connection = [
    `--endpoints=${ownAddress(flagOf(started, 'listen-client-urls'))}`,
    `--cacert=${flagOf(started, 'trusted-ca-file')}`,
    `--cert=${flagOf(started, 'cert-file')}`,
    `--key=${flagOf(started, 'key-file')}`,
  ];

  async function get(...rest: readonly string[]): ReturnType<EtcdReader['range']> {
    const ran = await on.kubectl.run({
      pin: on.pin,
      allowed: on.allowed,
      onlyReads: true,
      argumentList: [
        'exec',
        pod,
        `--namespace=${namespace}`,
        `--container=${container?.name ?? ''}`,
        '--',
        'etcdctl',
        ...connection,
        '--write-out=json',
        'get',
        ...rest,
      ],
      deadlineMilliseconds: deadline,
      outputLimitBytes: replyLimitBytes,
    });
    if (!ran.ok) return ran;
    const { exitCode, output, errors } = ran.value;
    const range = exitCode === 0 ? readRange(output) : undefined;
    output.fill(0);
    if (exitCode !== 0) return describeExecRefusal(pod, errors, on.pin);
    return range === undefined
      ? describeExecRefusal(pod, 'not etcd’s answer: command terminated with exit code 0', on.pin)
      : success(range);
  }

  return {
    place: `the Pod ${pod}`,
    async range(after, prefix, limit) {
      if (after === '') return get(`--limit=${limit.toString()}`, prefix, endOf(prefix));
      // No argument can hold the zero byte that would ask for what comes after: it is read again and left out.
      const range = await get(`--limit=${(limit + 1).toString()}`, after, endOf(prefix));
      if (!range.ok) return range;
      const [first, ...rest] = range.value.entries;
      return success(first?.key === after ? { ...range.value, entries: rest } : range.value);
    },
    async find(key) {
      const range = await get(key);
      return range.ok ? success(range.value.entries[0]?.value) : range;
    },
    close: () => undefined,
  };
}
