/**
 * Each API server of a cluster, asked for its metrics and for the health of its KMS plugins. Their leases say how many
 * there are (Kubernetes, "API Server Identity"); the endpoints of the Service `kubernetes` say where each one answers.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Allowance, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { success } from '../../electron/workflows/failures.ts';
import type { ApiServer, ApiServers } from '../../electron/workflows/kms-ports.ts';
import type { Kubectl, KubectlOutput, KubectlResult } from '../kubectl/kubectl.ts';
import { readJson } from '../kubectl/read-json.ts';
import { describeRefusal, quote } from '../kubectl/refusals.ts';
import { readEnvelopeMetrics } from './envelope-metrics.ts';

const deadline = 60_000;
/** Of one server that may be away, while others wait to be asked. */
const otherServerTimeout = '10s';
const mostServers = 50;

const leasesPath =
  '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases?limit=100&labelSelector=apiserver.kubernetes.io%2Fidentity%3Dkube-apiserver';
const endpointsPath =
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?limit=20&labelSelector=kubernetes.io%2Fservice-name%3Dkubernetes';

const leasesSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string().max(253), labels: z.record(z.string(), z.string()).default({}) }),
    }),
  ),
});
const endpointsSchema = z.object({
  items: z.array(
    z.object({
      endpoints: z
        .array(z.object({ addresses: z.array(z.string().max(64)) }))
        .nullish()
        .transform((list) => list ?? []),
      ports: z
        .array(z.object({ name: z.string().nullish(), port: z.int().min(1).max(65_535).nullish() }))
        .nullish()
        .transform((list) => list ?? []),
    }),
  ),
});

interface On {
  readonly pin: ClusterPin;
  readonly allowed: readonly Allowance[];
}

interface Lease {
  readonly idHash: string;
  readonly name: string;
}

interface Answer {
  readonly idHash: string;
  readonly server: ApiServer;
}

const sha256 = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** An IP address as it stands in a URL; undefined for anything else. */
function addressOf(host: string, port: number): string | undefined {
  const address = `https://${host.includes(':') ? `[${host}]` : host}:${port.toString()}`;
  return /^[0-9a-f.:]+$/iu.test(host) && URL.canParse(address) ? address : undefined;
}

export async function readApiServers(kubectl: Kubectl, on: On): Promise<KubectlResult<ApiServers>> {
  const ask = (path: string, more: readonly string[] = []): Promise<KubectlResult<KubectlOutput>> =>
    kubectl.run({
      ...on,
      onlyReads: true,
      argumentList: ['get', `--raw=${path}`, ...more],
      deadlineMilliseconds: deadline,
    });

  async function readList<Value>(path: string, schema: z.ZodType<Value>): Promise<KubectlResult<Value | undefined>> {
    const got = await ask(path);
    if (!got.ok) return got;
    // Who may not read it, or a server that keeps none, is no reason to say nothing.
    return success(got.value.exitCode === 0 ? readJson(schema, got.value.output) : undefined);
  }

  async function askServer(address: string, more: readonly string[]): Promise<KubectlResult<Answer>> {
    const metrics = await ask('/metrics', more);
    if (!metrics.ok) return metrics;
    if (metrics.value.exitCode !== 0) return { ok: false, error: describeRefusal(metrics.value.errors, on.pin) };
    const health = await askHealth(more);
    if (!health.ok) return health;
    const read = readEnvelopeMetrics(metrics.value.output.toString('utf8'));
    return success({
      idHash: read.serverIdHash,
      server: {
        name: new URL(address).host,
        address,
        reached: true,
        healthy: health.value === '',
        problem: health.value,
        uses: read.uses,
        resources: read.resources,
      },
    });
  }

  /** @returns what is wrong; '' for nothing */
  async function askHealth(more: readonly string[]): Promise<KubectlResult<string>> {
    const health = await ask('/healthz/kms-providers', more);
    if (!health.ok) return health;
    const { exitCode, errors } = health.value;
    if (exitCode === 0) return success('');
    if (!errors.includes('(NotFound)')) return success(healthProblem(errors));
    // Without automatic reloading, servers before 1.34 name one check for each plugin.
    const all = await ask('/healthz?verbose', more);
    if (!all.ok) return all;
    const said = `${all.value.output.toString('utf8')} ${all.value.errors}`;
    if (said.includes('[-]kms-provider')) return success('A KMS plugin does not answer as it should.');
    return success(said.includes('[+]kms-provider') ? '' : 'It has no KMS plugin in its configuration.');
  }

  /** Another server of the same cluster has to prove the same name by the same authority before it gets credentials. */
  async function askOther(address: string): Promise<Answer> {
    const name = new URL(on.pin.server).hostname.replaceAll(/[[\]]/gu, '');
    const answered = await askServer(address, [
      `--server=${address}`,
      `--tls-server-name=${name}`,
      `--request-timeout=${otherServerTimeout}`,
    ]);
    if (answered.ok) return answered.value;
    const { message } = answered.error;
    return { idHash: '', server: { ...notReached(new URL(address).host, message), address } };
  }

  const first = await askServer(new URL(on.pin.server).origin, []);
  if (!first.ok) return first;
  const listed = await readList(leasesPath, leasesSchema);
  if (!listed.ok) return listed;
  const leases = listed.value?.items.map(({ metadata }): Lease => {
    const host = metadata.labels['kubernetes.io/hostname'];
    return { idHash: sha256(metadata.name), name: (host ?? metadata.name).slice(0, 253) };
  });
  const answers = [first.value];
  const isMissing = ({ idHash }: Lease): boolean => answers.every((answer) => answer.idHash !== idHash);
  if (leases === undefined || leases.some(isMissing)) {
    const endpoints = await readList(endpointsPath, endpointsSchema);
    if (!endpoints.ok) return endpoints;
    const addresses = new Set(
      (endpoints.value?.items ?? []).flatMap(({ endpoints: each, ports }) =>
        each.flatMap(({ addresses: hosts }) => hosts.flatMap((host) => addressOf(host, ports[0]?.port ?? 443) ?? [])),
      ),
    );
    addresses.delete(first.value.server.address);
    for (const address of [...addresses].slice(0, mostServers)) {
      const answer = await askOther(address);
      // The one that was asked already, by its own address.
      if (answer.idHash === '' || answers.every(({ idHash }) => idHash !== answer.idHash)) answers.push(answer);
    }
  }
  return success(together(answers, leases));
}

/** `… rpc error: …` in what kubectl says of an answer 500. */
function healthProblem(errors: string): string {
  const said = /\("(.*)"\) has prevented/su.exec(errors)?.[1]?.replace(/^internal server error: /u, '');
  return quote(said?.replaceAll('\\"', '"') ?? errors).slice(0, 1000);
}

const notReached = (name: string, problem: string): ApiServer => ({
  name: name.slice(0, 253),
  address: '',
  reached: false,
  healthy: false,
  problem: problem.slice(0, 1000),
  uses: [],
  resources: [],
});

/** An answer with the name of its lease; a lease without an answer; an answer that no lease claims. */
function together(answers: readonly Answer[], leases: readonly Lease[] | undefined): ApiServers {
  const reached = answers.filter(({ server }) => server.reached);
  const away = answers.flatMap(({ server }) => (server.reached ? [] : [server]));
  if (leases === undefined) return { servers: [...reached.map(({ server }) => server), ...away], complete: false };
  const unclaimed = leases.filter(({ idHash }) => answers.every((answer) => answer.idHash !== idHash));
  // A server without an EncryptionConfiguration does not tell its id: it is one of those that nothing claims.
  const nameless = reached.filter(({ idHash }) => idHash === '').length;
  const [onlyOne, another] = unclaimed;
  const named = reached.map(({ idHash, server }) => {
    const lease = idHash === '' && another === undefined ? onlyOne : leases.find((one) => one.idHash === idHash);
    return lease === undefined ? server : { ...server, name: lease.name };
  });
  // An address that did not answer is most likely a silent one's, and says why.
  const reason = away.map(({ address, problem }) => `${address}: ${problem}`).join(' ');
  const silent = unclaimed
    .slice(nameless)
    .map(({ name }) => notReached(nameless === 0 ? name : unclaimed.map((one) => one.name).join(' / '), reason));
  return { servers: [...named, ...silent].slice(0, 100), complete: true };
}
