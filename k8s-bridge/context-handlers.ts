/** Which clusters there are, what they say about themselves, and what one may do there. */
import { failure, success, type ClusterFailureCode } from '../electron/workflows/failures.ts';
import type { ClusterPin, ClusterState } from '../electron/workflows/cluster-ports.ts';
import { handle, type ClusterHostParts, type ClusterHostResult, type Handlers } from './handler.ts';
import { isWithinSkew } from './kubectl/find-kubectl.ts';
import { createNameLists } from './name-lists.ts';
import { clusterHostRequests, type ClusterHostReply, type ClusterHostRequest } from './protocol.ts';
import { checkRights } from './rights.ts';
import { askWhoIAm } from './who-am-i.ts';

type ContextMethod =
  'hello' | 'contexts.list' | 'contexts.pin' | 'cluster.probe' | 'cluster.check-rights' | 'names.list';

const requests = clusterHostRequests;

/** With these no question left this machine, and nothing can be said about the cluster. */
const notAsked: ReadonlySet<string> = new Set<ClusterFailureCode>([
  'Cluster_KubectlMissing',
  'Cluster_KubectlUnsuitable',
  'Cluster_KubeconfigInvalid',
  'Cluster_ContextInvalid',
  'Cluster_ContextChanged',
  'Cluster_NotAllowed',
  'Cluster_InsecureRefused',
]);

export function createContextHandlers(parts: ClusterHostParts): Handlers<ContextMethod> {
  const { kubectl, opener } = parts;
  const nameLists = createNameLists(kubectl);

  async function pinContext({
    kubeconfigPaths,
    contextId,
    allowed,
  }: ClusterHostRequest<'contexts.pin'>): Promise<ClusterHostResult<ClusterHostReply<'contexts.pin'>>> {
    const listed = await kubectl.listContexts(kubeconfigPaths);
    if (!listed.ok) return listed;
    const context = listed.value.find(({ id }) => id === contextId);
    if (context === undefined)
      return failure(
        'Cluster_ContextInvalid',
        'This context is no longer in the kubeconfig.',
        'Look at the list of clusters again.',
      );
    // A context that cannot be used is refused by the door, in its words; only what a pin cannot hold is refused here.
    if (context.server === '' || context.context === '')
      return failure(
        'Cluster_ContextInvalid',
        `The context “${context.context}” cannot be used. ${context.problem}`,
        'Repair the kubeconfig, or get a new one from whoever looks after the cluster.',
        { context: context.context },
      );
    const pin: ClusterPin = {
      context: context.context,
      kubeconfigPaths: context.kubeconfigPaths,
      clusterName: context.clusterName,
      server: context.server,
      caSha256: context.caSha256,
      userName: context.userName,
      clusterUid: '',
    };
    const identity = await kubectl.identify(pin, allowed);
    return identity.ok ? success({ pin: { ...pin, clusterUid: identity.value.uid } }) : identity;
  }

  async function probe({
    pin,
    allowed,
  }: ClusterHostRequest<'cluster.probe'>): Promise<ClusterHostResult<ClusterState>> {
    const program = await kubectl.describe();
    if (!program.ok) return program;
    const [identity, seenAs] = await Promise.all([kubectl.identify(pin, allowed), askWhoIAm(kubectl, pin, allowed)]);
    const unreached: ClusterState = {
      reachable: false,
      serverVersion: '',
      clusterUid: '',
      seenAs: '',
      withinSkew: false,
      kubectlVersion: program.value.version,
      problem: '',
    };
    if (!identity.ok) {
      const { code, message, next } = identity.error;
      return notAsked.has(code) ? identity : success({ ...unreached, problem: `${message} ${next}`.slice(0, 2000) });
    }
    const { uid, serverVersion } = identity.value;
    const withinSkew = isWithinSkew(program.value.version, serverVersion);
    const problems = [
      withinSkew
        ? ''
        : `kubectl ${program.value.version} is more than one minor version away from the server’s ${serverVersion}. Install a kubectl of the server’s version.`,
      pin.clusterUid !== '' && uid !== pin.clusterUid ? 'Another cluster answers there than before.' : '',
      seenAs.ok ? '' : `${seenAs.error.message} ${seenAs.error.next}`,
    ].filter((problem) => problem !== '');
    return success({
      ...unreached,
      reachable: true,
      serverVersion,
      clusterUid: uid,
      seenAs: seenAs.ok ? seenAs.value : '',
      withinSkew,
      problem: problems.join(' ').slice(0, 2000),
    });
  }

  return {
    hello: handle<'hello'>(requests.hello.request, async () => {
      const program = await kubectl.describe();
      return program.ok
        ? success({
            sealingPublicKey: opener.publicKey,
            kubectlPath: program.value.path,
            kubectlVersion: program.value.version,
          })
        : program;
    }),
    'contexts.list': handle<'contexts.list'>(requests['contexts.list'].request, async ({ kubeconfigPaths }) => {
      const listed = await kubectl.listContexts(kubeconfigPaths);
      return listed.ok ? success({ contexts: [...listed.value] }) : listed;
    }),
    'contexts.pin': handle<'contexts.pin'>(requests['contexts.pin'].request, pinContext),
    'cluster.probe': handle<'cluster.probe'>(requests['cluster.probe'].request, probe),
    'cluster.check-rights': handle<'cluster.check-rights'>(
      requests['cluster.check-rights'].request,
      async ({ pin, allowed, needs }) => {
        const checked = await checkRights(kubectl, pin, allowed, needs);
        return checked.ok ? success({ answers: [...checked.value] }) : checked;
      },
    ),
    'names.list': handle<'names.list'>(requests['names.list'].request, (request) => nameLists.page(request)),
  };
}
