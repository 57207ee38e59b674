/**
 * Clusters through the cluster host, the one process that runs kubectl. It is started when first needed and ended at
 * lock. What recipes become is rendered here: it is pure.
 */
import type { z } from 'zod';
import { defaultInput } from '../../k8s-bridge/manifests/defaults.ts';
import { exportFiles } from '../../k8s-bridge/manifests/export.ts';
import { checkAndRender } from '../../k8s-bridge/manifests/render.ts';
import {
  clusterHostArguments,
  clusterHostRequests,
  type ClusterHostMethod,
  type ClusterHostReply,
  type ClusterHostRequest,
} from '../../k8s-bridge/protocol.ts';
import { answerOf, setVariables, type HostWords } from '../hosts/answers.ts';
import { createHostClient } from '../hosts/host-client.ts';
import type { HostLauncher } from '../hosts/host-process.ts';
import { partsNotAllowed, toAllowance } from '../workflows/cluster-allowances.ts';
import type { Allowance, ClusterPin, ClusterPort } from '../workflows/cluster-ports.ts';
import { success, type AppFailureCode, type ClusterFailureCode, type Result } from '../workflows/failures.ts';
import type { KmsPort } from '../workflows/kms-ports.ts';
import type { ReviewPort } from '../workflows/vault-setup-ports.ts';
import { clusterHostFailureSchema } from './host-failure.ts';
import { kubeconfigPathsIn } from './kubeconfig-paths.ts';

const seconds = 1000;
const readyDeadline = 20 * seconds;

/** Milliseconds; each beyond what the host itself gives kubectl and beyond a queue of changes, so that its words come first. */
const deadlines: Readonly<Record<ClusterHostMethod, number>> = {
  hello: 30 * seconds,
  'contexts.list': 60 * seconds,
  'contexts.pin': 120 * seconds,
  'cluster.probe': 120 * seconds,
  'cluster.check-rights': 180 * seconds,
  'push.preview': 300 * seconds,
  'push.prepare': 600 * seconds,
  'push.apply': 900 * seconds,
  'push.look': 300 * seconds,
  'push.rollouts': 180 * seconds,
  'push.undo': 900 * seconds,
  'push.forget-kept': 600 * seconds,
  'push.drift': 300 * seconds,
  'values.read': 120 * seconds,
  'values.write': 600 * seconds,
  'values.remove': 600 * seconds,
  'names.list': 180 * seconds,
  'review.authority': 120 * seconds,
  'review.token': 120 * seconds,
  'kms.canary': 300 * seconds,
  'kms.count': 900 * seconds,
  'kms.rewrite': 600 * seconds,
  'kms.resources': 120 * seconds,
  'kms.api-servers': 300 * seconds,
};

/** What the cluster host may see: which kubectl, and how the way to a cluster leads through a proxy. */
const environmentNames = [
  'KEY_CUSTODIAN_KUBECTL',
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
] as const;

export interface ClusterPortOptions {
  readonly launch: HostLauncher;
  /** Where kubectl may keep what clusters say about their kinds of objects. Made with mode 0700. */
  readonly discoveryDirectory: string;
  /** What the person has allowed; kept in the settings. */
  readonly allowances: {
    current(): readonly Allowance[];
    add(allowances: readonly Allowance[]): Promise<Result<Record<string, never>>>;
  };
  /** KUBECONFIG, HOME, KEY_CUSTODIAN_KUBECTL and proxies are taken from here. */
  readonly environment?: NodeJS.ProcessEnv;
}

type HostResult<Value> = Promise<Result<Value, ClusterFailureCode | AppFailureCode>>;

const words: HostWords<ClusterFailureCode | AppFailureCode> = {
  process: 'cluster process',
  ended: 'Cluster_HostUnavailable',
  failures: clusterHostFailureSchema,
};

/** Makes the port; no process is started before the first question. */
export function createClusterPort(options: ClusterPortOptions): ClusterPort & KmsPort & ReviewPort {
  const given = options.environment ?? process.env;
  const client = createHostClient({
    launch: options.launch,
    entry: 'cluster-host',
    argumentList: [clusterHostArguments.discoveryDirectory, options.discoveryDirectory],
    environment: setVariables(given, environmentNames),
    readyDeadline,
  });

  async function ask<Method extends ClusterHostMethod>(
    method: Method,
    body: ClusterHostRequest<Method>,
    reply: z.ZodType<ClusterHostReply<Method>>,
  ): HostResult<ClusterHostReply<Method>> {
    return answerOf(await client.request(method, body, deadlines[method]), reply, words);
  }

  const allowed = (): Allowance[] => [...options.allowances.current()];
  const onCluster = (pin: ClusterPin): { pin: ClusterPin; allowed: Allowance[] } => ({ pin, allowed: allowed() });
  const paths = (): string[] => [...kubeconfigPathsIn(given)];
  const requests = clusterHostRequests;

  return {
    async describeKubectl() {
      const hello = await ask('hello', {}, requests.hello.reply);
      if (!hello.ok) return hello;
      const { kubectlPath, kubectlVersion, sealingPublicKey } = hello.value;
      return success({ path: kubectlPath, version: kubectlVersion, sealingPublicKey });
    },
    async listContexts() {
      const listed = await ask('contexts.list', { kubeconfigPaths: paths() }, requests['contexts.list'].reply);
      return listed.ok ? success(listed.value.contexts) : listed;
    },
    allow: (parts) => options.allowances.add(parts.map(toAllowance)),
    isAllowed: (context) => partsNotAllowed(context.outside, options.allowances.current()).length === 0,
    async pin(contextId) {
      const pinned = await ask(
        'contexts.pin',
        { kubeconfigPaths: paths(), contextId, allowed: allowed() },
        requests['contexts.pin'].reply,
      );
      return pinned.ok ? success(pinned.value.pin) : pinned;
    },
    probe: (pin) => ask('cluster.probe', onCluster(pin), requests['cluster.probe'].reply),
    async checkRights(pin, needs) {
      const checked = await ask(
        'cluster.check-rights',
        { ...onCluster(pin), needs: [...needs] },
        requests['cluster.check-rights'].reply,
      );
      return checked.ok ? success(checked.value.answers) : checked;
    },

    defaults: defaultInput,
    render: checkAndRender,
    export: exportFiles,

    preview: (pin, content) => ask('push.preview', { ...onCluster(pin), content }, requests['push.preview'].reply),
    preparePush: (pin, content, pushId) =>
      ask('push.prepare', { ...onCluster(pin), content, pushId }, requests['push.prepare'].reply),
    async apply(record, { takeOverConflicts, secrets }) {
      const applied = await ask(
        'push.apply',
        { allowed: allowed(), record, takeOverConflicts, secrets: [...secrets] },
        requests['push.apply'].reply,
      );
      return applied.ok ? success(applied.value.outcomes) : applied;
    },
    async lookAtPush(record) {
      const looked = await ask('push.look', { allowed: allowed(), record }, requests['push.look'].reply);
      return looked.ok ? success(looked.value.outcomes) : looked;
    },
    async lookAtRollouts(pin, references) {
      const looked = await ask(
        'push.rollouts',
        { ...onCluster(pin), references: [...references] },
        requests['push.rollouts'].reply,
      );
      return looked.ok ? success(looked.value.rollouts) : looked;
    },
    async undo(record) {
      const undone = await ask('push.undo', { allowed: allowed(), record }, requests['push.undo'].reply);
      return undone.ok ? success(undone.value.outcomes) : undone;
    },
    forgetKeptSecrets: (record) =>
      ask('push.forget-kept', { allowed: allowed(), record }, requests['push.forget-kept'].reply),
    async checkDrift(record) {
      const checked = await ask('push.drift', { allowed: allowed(), record }, requests['push.drift'].reply);
      return checked.ok ? success(checked.value.drift) : checked;
    },

    async readValues(pin, secret) {
      const read = await ask('values.read', { ...onCluster(pin), secret }, requests['values.read'].reply);
      if (!read.ok) return read;
      if (!read.value.found) return success(undefined);
      const values: Record<string, Uint8Array> = {};
      for (const [name, value] of Object.entries(read.value.values)) values[name] = Buffer.from(value, 'base64');
      return success({ resourceVersion: read.value.resourceVersion, values });
    },
    writeValues(pin, secret, values, labels) {
      const encoded: Record<string, string> = {};
      for (const [name, value] of Object.entries(values)) encoded[name] = Buffer.from(value).toString('base64');
      return ask(
        'values.write',
        { ...onCluster(pin), secret, values: encoded, labels: { ...labels } },
        requests['values.write'].reply,
      );
    },
    removeValues: (pin, secret, keys) =>
      ask('values.remove', { ...onCluster(pin), secret, keys: [...keys] }, requests['values.remove'].reply),
    listNames: (pin, what) => ask('names.list', { ...onCluster(pin), ...what }, requests['names.list'].reply),
    readAuthority: (pin) => ask('review.authority', onCluster(pin), requests['review.authority'].reply),
    sealReviewerToken: (pin, secret, recipient) =>
      ask('review.token', { ...onCluster(pin), secret, recipient }, requests['review.token'].reply),
    tryCanary: (pin, etcd, namespace) =>
      ask('kms.canary', { ...onCluster(pin), etcd, namespace }, requests['kms.canary'].reply),
    countStored: (pin, etcd, resource) =>
      ask('kms.count', { ...onCluster(pin), etcd, resource }, requests['kms.count'].reply),
    rewritePage: (pin, resource, continueFrom) =>
      ask('kms.rewrite', { ...onCluster(pin), resource, continueFrom }, requests['kms.rewrite'].reply),
    readApiServers: (pin) => ask('kms.api-servers', onCluster(pin), requests['kms.api-servers'].reply),
    listResources: async (pin) => {
      const listed = await ask('kms.resources', onCluster(pin), requests['kms.resources'].reply);
      return listed.ok ? { ok: true, value: listed.value.resources } : listed;
    },
    close: () => client.close(),
  };
}
