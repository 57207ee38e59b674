/** Whether encryption at rest is what it should be, seen in etcd; and having the API server write objects again. */
import { randomBytes } from 'node:crypto';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Allowance, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { Canary, EtcdPlace, Rewritten, StoredCount } from '../../electron/workflows/kms-ports.ts';
import { handle, type ClusterHostParts, type Handlers } from '../handler.ts';
import type { KubectlResult } from '../kubectl/kubectl.ts';
import { describeRefusal } from '../kubectl/refusals.ts';
import { createNameLists } from '../name-lists.ts';
import { clusterHostRequests, fieldManager, type ClusterHostRequest } from '../protocol.ts';
import { readApiServers } from './api-servers.ts';
import { openEtcd } from './etcd.ts';
import { createEtcdPods } from './etcd-in-pod.ts';
import type { EtcdReader } from './etcd-reader.ts';
import { listStoredResources, placeInEtcd, type StoredResource } from './stored-resources.ts';
import { describeBeginning, readStoredUnder } from './stored-value.ts';

type KmsMethod = 'kms.canary' | 'kms.count' | 'kms.rewrite' | 'kms.resources' | 'kms.api-servers';

const requests = clusterHostRequests;

const deadline = 60_000;
/** 500 objects, one after the other in one kubectl, on a slow cluster. */
const rewriteDeadline = 300_000;
const keysAtOnce = 200;

/** Known without asking, and with no need for the right to. */
const usualResources: readonly StoredResource[] = [
  { name: 'secrets', apiVersion: 'v1', kind: 'Secret', isNamespaced: true },
  { name: 'configmaps', apiVersion: 'v1', kind: 'ConfigMap', isNamespaced: true },
];
/** How long a list of the server's kinds counts for the pages of one re-encryption. */
const resourcesHold = 60_000;

interface On {
  readonly pin: ClusterPin;
  readonly allowed: readonly Allowance[];
}

/** Under what every value of a kind lies, page by page; smaller pages where values are too large for one answer. */
async function countIn(etcd: EtcdReader, prefix: string): Promise<KubectlResult<Omit<StoredCount, 'resource'>>> {
  const found = new Map<string, StoredCount['under'][number]>();
  let total = 0;
  let after = '';
  let limit = keysAtOnce;
  for (;;) {
    const page = await etcd.range(after, prefix, limit);
    if (!page.ok && page.error.code === 'Cluster_UnexpectedReply' && limit > 1) {
      limit = Math.ceil(limit / 8);
      continue;
    }
    if (!page.ok) return page;
    for (const { value } of page.value.entries) {
      const under = readStoredUnder(value);
      value.fill(0);
      total += 1;
      const name = JSON.stringify(under);
      found.set(name, { ...under, count: (found.get(name)?.count ?? 0) + 1 });
    }
    const last = page.value.entries.at(-1);
    if (!page.value.more || last === undefined) break;
    after = last.key;
  }
  return success({ total, under: [...found.values()].sort((one, other) => other.count - one.count) });
}

export function createKmsHandlers({ kubectl }: ClusterHostParts): Handlers<KmsMethod> {
  const names = createNameLists(kubectl);
  const pods = createEtcdPods(kubectl);
  const openPlace = (on: On, place: EtcdPlace): Promise<KubectlResult<EtcdReader>> =>
    'pod' in place ? pods.open(on, place) : openEtcd(place);

  async function count(request: ClusterHostRequest<'kms.count'>): Promise<KubectlResult<StoredCount>> {
    const { pin, allowed, etcd: place, resource } = request;
    const opened = await openPlace({ pin, allowed }, place);
    if (!opened.ok) return opened;
    try {
      const counted = await countIn(opened.value, `${place.prefix}/${placeInEtcd(resource)}/`);
      return counted.ok ? success({ resource, ...counted.value }) : counted;
    } finally {
      opened.value.close();
    }
  }
  let listed:
    { readonly until: number; readonly of: string; readonly resources: readonly StoredResource[] } | undefined;

  async function describeResource(on: On, name: string): Promise<KubectlResult<StoredResource>> {
    const usual = usualResources.find((one) => one.name === name);
    if (usual !== undefined) return success(usual);
    const of = JSON.stringify(on.pin);
    if (listed === undefined || listed.of !== of || listed.until < performance.now()) {
      const resources = await listStoredResources(kubectl, on);
      if (!resources.ok) return resources;
      listed = { until: performance.now() + resourcesHold, of, resources: resources.value };
    }
    const found = listed.resources.find((one) => one.name === name);
    if (found !== undefined) return success(found);
    return failure(
      'Cluster_KindMissing',
      `${on.pin.context} keeps no ${name}, or they cannot be written again.`,
      'Name kinds as EncryptionConfiguration does: secrets, deployments.apps, vaults.vault.banzaicloud.com.',
      { context: on.pin.context, resource: name },
    );
  }

  async function canary(request: ClusterHostRequest<'kms.canary'>): Promise<KubectlResult<Canary>> {
    const { pin, allowed, etcd: place, namespace } = request;
    const opened = await openPlace({ pin, allowed }, place);
    if (!opened.ok) return opened;
    const etcd = opened.value;
    const name = `key-custodian-canary-${randomBytes(4).toString('hex')}`;
    const text = `canary ${randomBytes(16).toString('hex')}`;
    const manifest = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels: { 'app.kubernetes.io/managed-by': fieldManager } },
      type: 'Opaque',
      stringData: { canary: text },
    };
    const onCluster = { pin, allowed, deadlineMilliseconds: deadline };
    const made = await kubectl.run({
      ...onCluster,
      argumentList: ['create', '--filename=-', '--output=name', `--field-manager=${fieldManager}`],
      input: Buffer.from(JSON.stringify(manifest)),
    });
    if (!made.ok || made.value.exitCode !== 0) etcd.close();
    if (!made.ok) return made;
    if (made.value.exitCode !== 0) return { ok: false, error: describeRefusal(made.value.errors, pin) };
    const stored = await etcd.find(`${place.prefix}/secrets/${namespace}/${name}`);
    etcd.close();
    const removed = await kubectl.run({
      ...onCluster,
      argumentList: ['delete', 'secret', name, `--namespace=${namespace}`, '--ignore-not-found', '--wait=false'],
    });
    if (!stored.ok) return stored;
    if (!removed.ok) return removed;
    if (removed.value.exitCode !== 0) return { ok: false, error: describeRefusal(removed.value.errors, pin) };
    if (stored.value === undefined)
      return failure(
        'Cluster_OtherCluster',
        `The canary that was written to ${pin.context} is not in this etcd.`,
        'Check that the etcd is this cluster’s and that the prefix is what kube-apiserver’s --etcd-prefix says.',
        { context: pin.context, address: etcd.place },
      );
    return success({
      ...readStoredUnder(stored.value),
      beginsWith: describeBeginning(stored.value),
      readable: stored.value.includes(text) || stored.value.includes(Buffer.from(text).toString('base64')),
    });
  }

  /**
   * A patch that changes nothing: the API server leaves an object alone that lies under the key in force, and writes
   * one that does not (k8s.io/apiserver, etcd3 store, GuaranteedUpdate: stale values are not short-circuited).
   */
  async function rewrite(request: ClusterHostRequest<'kms.rewrite'>): Promise<KubectlResult<Rewritten>> {
    const { pin, allowed, resource, continueFrom } = request;
    const known = await describeResource({ pin, allowed }, resource);
    if (!known.ok) return known;
    const { apiVersion, kind, isNamespaced } = known.value;
    const page = await names.page({ pin, allowed, kind: resource, isNamespaced, namespace: '', continueFrom });
    if (!page.ok) return page;
    const items = page.value.names.map(({ namespace, name }) => ({
      apiVersion,
      kind,
      metadata: isNamespaced ? { namespace, name } : { name },
    }));
    if (items.length === 0) return success({ rewritten: 0, gone: 0, continueFrom: '' });
    const patched = await kubectl.run({
      pin,
      allowed,
      argumentList: [
        'patch',
        '--filename=-',
        '--type=merge',
        '--patch={}',
        '--output=name',
        `--field-manager=${fieldManager}`,
      ],
      input: Buffer.from(JSON.stringify({ apiVersion: 'v1', kind: 'List', items })),
      deadlineMilliseconds: rewriteDeadline,
    });
    if (!patched.ok) return patched;
    const { output, errors, exitCode } = patched.value;
    const rewritten = output.toString('utf8').split('\n').filter(Boolean).length;
    const complaints = errors.split('\n').filter((line) => line.trim() !== '');
    const gone = complaints.filter((line) => /\(NotFound\)/u.test(line)).length;
    if (exitCode !== 0 && rewritten + gone < items.length)
      return {
        ok: false,
        error: describeRefusal(complaints.filter((line) => !/\(NotFound\)/u.test(line)).join('\n'), pin),
      };
    return success({ rewritten, gone, continueFrom: page.value.continueFrom });
  }

  return {
    'kms.canary': handle<'kms.canary'>(requests['kms.canary'].request, canary),
    'kms.count': handle<'kms.count'>(requests['kms.count'].request, count),
    'kms.rewrite': handle<'kms.rewrite'>(requests['kms.rewrite'].request, rewrite),
    'kms.api-servers': handle<'kms.api-servers'>(requests['kms.api-servers'].request, (on) =>
      readApiServers(kubectl, on),
    ),
    'kms.resources': handle<'kms.resources'>(requests['kms.resources'].request, async (on) => {
      const resources = await listStoredResources(kubectl, on);
      return resources.ok ? success({ resources: resources.value.map(({ name }) => name) }) : resources;
    }),
  };
}
