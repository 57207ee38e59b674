/** Patches of nodes: shown, done once, taken back. Nodes with the same patch are patched in one call. */
import { success } from '../../electron/workflows/failures.ts';
import type { Json, Manifest, NodePatch, ObjectReference } from '../../electron/workflows/cluster-ports.ts';
import { fieldManager } from '../protocol.ts';
import { matchNames, shareOutErrors } from './dry-run.ts';
import type { LiveObjects } from './get-live.ts';
import { applyOperations, pendingOperations, valueAt, type Operation } from './json-patch.ts';
import { readOn, runOn, splitWords, type ClusterCall, type ClusterResult } from './kubectl-call.ts';
import { isMap, stubOf } from './objects.ts';

export function nodeReference(node: string): ObjectReference {
  return { apiVersion: 'v1', kind: 'Node', namespace: '', name: node };
}

export interface PatchResult {
  readonly patch: NodePatch;
  /** '' where it went in. */
  readonly problem: string;
}

/** What stands on a command line is a node's name and nothing else (RFC 1123 subdomain). */
const nodeName = /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/u;

async function runGroup(
  call: ClusterCall,
  group: readonly NodePatch[],
  dryRun: boolean,
): Promise<ClusterResult<readonly PatchResult[]>> {
  const [first] = group;
  if (first === undefined) return success([]);
  const ran = await (dryRun ? readOn : runOn)(call, [
    'patch',
    ...group.map(({ node }) => `node/${node}`),
    ...(first.subresource === '' ? [] : [`--subresource=${first.subresource}`]),
    '--type=json',
    `--patch=${JSON.stringify(first.operations)}`,
    `--field-manager=${fieldManager}`,
    ...(dryRun ? ['--dry-run=server'] : []),
    '-o',
    'name',
  ]);
  if (!ran.ok) return ran;
  if (ran.value.exitCode === 0) return success(group.map((patch) => ({ patch, problem: '' })));
  const stubs = group.map(({ node }) => stubOf(nodeReference(node)));
  const named = matchNames(stubs, ran.value.output.toString('utf8'));
  const failed = stubs.filter((_, index) => named[index] !== true);
  const words = shareOutErrors(failed, splitWords(ran.value.errors).errors);
  return success(
    group.map((patch, index) => {
      const stub = stubs[index];
      const own = stub === undefined || named[index] === true ? '' : (words[failed.indexOf(stub)] ?? '');
      return { patch, problem: named[index] === true ? '' : own || 'The server did not take the patch.' };
    }),
  );
}

/**
 * @param patches with what is still to be done; those without operations are in
 * @param dryRun the server checks and changes nothing
 */
export async function patchNodes(
  call: ClusterCall,
  patches: readonly NodePatch[],
  dryRun: boolean,
): Promise<ClusterResult<readonly PatchResult[]>> {
  const results: PatchResult[] = [];
  const groups = new Map<string, NodePatch[]>();
  for (const patch of patches) {
    if (patch.operations.length === 0) results.push({ patch, problem: '' });
    else if (!nodeName.test(patch.node)) results.push({ patch, problem: `“${patch.node}” is no name of a node.` });
    else {
      const key = JSON.stringify([patch.subresource, patch.operations]);
      groups.set(key, [...(groups.get(key) ?? []), patch]);
    }
  }
  for (const group of groups.values()) {
    const ran = await runGroup(call, group, dryRun);
    if (!ran.ok) return ran;
    results.push(...ran.value);
  }
  return success(results);
}

/** The patch with what is still to be done on the node as it is; undefined where there is no such node. */
export function pendingPatch(patch: NodePatch, live: LiveObjects): NodePatch | undefined {
  const node = live.find(nodeReference(patch.node));
  return node === undefined ? undefined : { ...patch, operations: [...pendingOperations(node, patch.operations)] };
}

/** Only what a patch touches: the first two names of each path, as in status.capacity. */
export function touchedParts(node: Manifest, operations: readonly Operation[]): Manifest {
  const parts: Record<string, Json> = { apiVersion: 'v1', kind: 'Node' };
  for (const { path } of operations) {
    const [, outer = '', inner = ''] = path.split('/');
    const value = valueAt(node, `/${outer}/${inner}`);
    const other = parts[outer];
    if (value !== undefined) parts[outer] = { ...(isMap(other) ? other : {}), [inner]: value };
  }
  return parts;
}

/** The node with the patch in, as far as it applies. */
export function patched(node: Manifest, operations: readonly Operation[]): Manifest {
  const after = applyOperations(node, operations);
  return isMap(after) ? after : node;
}
