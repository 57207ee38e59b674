/** Whether encryption at rest is what it should be, seen in etcd; and having the API server write objects again. */
import { randomBytes } from 'node:crypto';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { Canary, Rewritten, StoredCount } from '../../electron/workflows/kms-ports.ts';
import { handle, type ClusterHostParts, type Handlers } from '../handler.ts';
import type { KubectlResult } from '../kubectl/kubectl.ts';
import { describeRefusal } from '../kubectl/refusals.ts';
import { createNameLists } from '../name-lists.ts';
import { clusterHostRequests, fieldManager, type ClusterHostRequest } from '../protocol.ts';
import { openEtcd } from './etcd.ts';
import { describeBeginning, readStoredUnder } from './stored-value.ts';

type KmsMethod = 'kms.canary' | 'kms.count' | 'kms.rewrite';

const requests = clusterHostRequests;

const deadline = 60_000;
/** 500 objects, one after the other in one kubectl, on a slow cluster. */
const rewriteDeadline = 300_000;
const keysAtOnce = 200;

const kinds = { secrets: 'Secret', configmaps: 'ConfigMap' } as const;

async function count({ etcd: access, resource }: ClusterHostRequest<'kms.count'>): Promise<KubectlResult<StoredCount>> {
  const opened = await openEtcd(access);
  if (!opened.ok) return opened;
  const etcd = opened.value;
  try {
    const prefix = `${access.prefix}/${resource}/`;
    const found = new Map<string, { readonly provider: string; readonly keyId: string; count: number }>();
    let total = 0;
    let from = prefix;
    for (;;) {
      const page = await etcd.range(from, prefix, keysAtOnce);
      if (!page.ok) return page;
      for (const { value } of page.value.entries) {
        const under = readStoredUnder(value);
        value.fill(0);
        total += 1;
        const name = JSON.stringify(under);
        const known = found.get(name);
        if (known === undefined) found.set(name, { ...under, count: 1 });
        else known.count += 1;
      }
      const last = page.value.entries.at(-1);
      if (!page.value.more || last === undefined) break;
      // The next key there can be after this one.
      from = `${last.key}\0`;
    }
    const under = [...found.values()].sort((one, other) => other.count - one.count);
    return success({ resource, total, under });
  } finally {
    etcd.close();
  }
}

export function createKmsHandlers({ kubectl }: ClusterHostParts): Handlers<KmsMethod> {
  const names = createNameLists(kubectl);

  async function canary(request: ClusterHostRequest<'kms.canary'>): Promise<KubectlResult<Canary>> {
    const { pin, allowed, etcd: access, namespace } = request;
    const opened = await openEtcd(access);
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
    const stored = await etcd.find(`${access.prefix}/secrets/${namespace}/${name}`);
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
        { context: pin.context, address: access.address },
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
    const page = await names.page({ pin, allowed, kind: resource, namespace: '', continueFrom });
    if (!page.ok) return page;
    const items = page.value.names.map(({ namespace, name }) => ({
      apiVersion: 'v1',
      kind: kinds[resource],
      metadata: { namespace, name },
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
  };
}
