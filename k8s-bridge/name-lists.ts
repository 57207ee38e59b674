/**
 * Names of the objects of one kind. kubectl asks the server for a table, in chunks, which has names and no contents:
 * the values of Secrets do not even reach this machine (k8s.io/kubectl/pkg/cmd/get, transformRequests).
 */
import { success } from '../electron/workflows/failures.ts';
import type { Kubectl, KubectlResult } from './kubectl/kubectl.ts';
import { describeRefusal } from './kubectl/refusals.ts';
import type { ClusterHostReply, ClusterHostRequest } from './protocol.ts';

const deadline = 60_000;
const pageLength = 500;
/** A page that is asked for later than that is of a new list, and goes on after the last name seen. */
const listHolds = 30_000;

interface Name {
  readonly namespace: string;
  readonly name: string;
}

const namespaced: ReadonlySet<string> = new Set(['secrets', 'configmaps']);

/** By code unit, which for names (ASCII) is the server's order as well. */
function keyOf({ namespace, name }: Name): string {
  return `${namespace}/${name}`;
}

/** Lines of a table without its head: the namespace where all of them are listed, the name, and columns not looked at. */
function readTable(table: string, namespace: string | undefined): readonly Name[] {
  return table
    .split('\n')
    .map((line) => line.trim().split(/ {3,}/u))
    .flatMap(([first = '', second = '']) => {
      if (first === '') return [];
      return namespace === undefined ? [{ namespace: first, name: second }] : [{ namespace, name: first }];
    })
    .sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

/** Any kind that the server lists, as kubectl names it: deployments.apps. */
export interface NamesRequest extends Omit<ClusterHostRequest<'names.list'>, 'kind'> {
  readonly kind: string;
  /** Whether objects of this kind lie in namespaces; told for kinds other than the usual ones. */
  readonly isNamespaced?: boolean;
}

export interface NameLists {
  page(request: NamesRequest): Promise<KubectlResult<ClusterHostReply<'names.list'>>>;
}

export function createNameLists(kubectl: Kubectl): NameLists {
  const lists = new Map<string, { readonly until: number; readonly names: readonly Name[] }>();

  async function list({
    pin,
    allowed,
    kind,
    namespace,
    isNamespaced = namespaced.has(kind),
  }: NamesRequest): Promise<KubectlResult<readonly Name[]>> {
    const everywhere = isNamespaced && namespace === '';
    const answered = await kubectl.run({
      pin,
      allowed,
      onlyReads: true,
      argumentList: [
        'get',
        kind,
        ...(everywhere ? ['--all-namespaces'] : isNamespaced ? [`--namespace=${namespace}`] : []),
        '--no-headers',
        '--chunk-size=500',
      ],
      deadlineMilliseconds: deadline,
    });
    if (!answered.ok) return answered;
    const { exitCode, output, errors } = answered.value;
    if (exitCode !== 0) return { ok: false, error: describeRefusal(errors, pin) };
    return success(readTable(output.toString('utf8'), everywhere ? undefined : isNamespaced ? namespace : ''));
  }

  return {
    async page(request) {
      const { pin, kind, namespace, continueFrom } = request;
      const key = JSON.stringify([pin, kind, namespace]);
      const now = performance.now();
      for (const [name, { until }] of lists) if (until <= now) lists.delete(name);
      let names = continueFrom === '' ? undefined : lists.get(key)?.names;
      if (names === undefined) {
        const listed = await list(request);
        if (!listed.ok) return listed;
        names = listed.value;
        lists.set(key, { until: performance.now() + listHolds, names });
      }
      const after = continueFrom === '' ? 0 : names.findIndex((name) => keyOf(name) > continueFrom);
      const start = after === -1 ? names.length : after;
      const page = names.slice(start, start + pageLength);
      const last = page.at(-1);
      const remaining = names.length - start - page.length;
      return success({
        names: [...page],
        continueFrom: remaining === 0 || last === undefined ? '' : keyOf(last),
        remaining,
      });
    },
  };
}
