/** Views of clusters and pushes, whole and valid, for looking at screens without any cluster. */
import type {
  ClusterContextView,
  ClustersView,
  OutsidePartView,
  PushView,
} from '../../electron/contract/cluster-views.ts';

export function contextView(part: Partial<ClusterContextView> = {}): ClusterContextView {
  return {
    id: 'a1b2c3d4e5f60718',
    context: 'production',
    isCurrent: true,
    clusterName: 'production',
    server: 'https://api.production.example:6443',
    userName: 'ada',
    authentication: 'certificate',
    namespace: 'vault',
    definedIn: '/home/ada/.kube/config',
    insecure: false,
    outside: [],
    allowed: true,
    state: 'reachable',
    serverVersion: 'v1.34.4',
    seenAs: 'ada',
    withinSkew: true,
    lastSeen: '2026-11-22T11:20:00.000Z',
    fault: '',
    problem: null,
    ...part,
  };
}

export const outsideProgram: OutsidePartView = {
  id: '0123456789abcdef',
  kind: 'exec-program',
  path: '/usr/local/bin/aws-iam-authenticator',
  sha256: '5c'.repeat(32),
  detail: 'token -i staging-eu --role arn:aws:iam::123456789012:role/admin',
  allowed: false,
};

export const contexts: readonly ClusterContextView[] = [
  contextView(),
  contextView({
    id: 'b1b2c3d4e5f60718',
    context: 'staging-eu',
    isCurrent: false,
    clusterName: 'staging-eu',
    server: 'https://4A1C7E00F2.gr7.eu-central-1.eks.example.com',
    userName: 'staging-admin',
    authentication: 'exec',
    outside: [outsideProgram],
    allowed: false,
    state: 'unknown',
    serverVersion: '',
    seenAs: '',
    lastSeen: '',
  }),
  contextView({
    id: 'c1b2c3d4e5f60718',
    context: 'laboratory',
    isCurrent: false,
    clusterName: 'kind-laboratory',
    server: 'https://127.0.0.1:41235',
    userName: 'kind-laboratory',
    definedIn: '/home/ada/clusters/laboratory.yaml',
    state: 'unreachable',
    serverVersion: '',
    seenAs: '',
    problem: {
      code: 'Cluster_Unreachable',
      message: 'https://127.0.0.1:41235 does not answer: connection refused.',
      next: 'Start the cluster, or check that this machine’s network leads to it, then look again.',
    },
  }),
];

export function clustersView(part: Partial<ClustersView> = {}): ClustersView {
  return {
    state: 'ready',
    kubectl: { state: 'found', path: '/usr/local/bin/kubectl', version: 'v1.35.1', problem: null },
    contexts: [...contexts],
    problem: null,
    ...part,
  };
}

export function pushView(part: Partial<PushView> = {}): PushView {
  return {
    runId: '2026-11-20-push',
    context: 'production',
    server: 'https://api.production.example:6443',
    recipe: 'softhsm-cluster',
    subject: 'production',
    time: '2026-11-20T09:12:00.000Z',
    state: 'pushed',
    drift: { state: 'same', checkedAt: '2026-11-22T11:20:00.000Z', objects: [], problem: null },
    ...part,
  };
}

export const driftedPush: PushView = pushView({
  runId: '2026-11-18-push',
  recipe: 'bank-vaults',
  time: '2026-11-18T15:40:00.000Z',
  drift: {
    state: 'drifted',
    checkedAt: '2026-11-22T11:20:00.000Z',
    problem: null,
    objects: [
      {
        object: { apiVersion: 'vault.banzaicloud.com/v1alpha1', kind: 'Vault', namespace: 'vault', name: 'vault' },
        state: 'changed',
        changedBy: ['kubectl-edit'],
        diff: [
          { kind: 'same', text: 'spec:' },
          { kind: 'removed', text: '  size: 3' },
          { kind: 'added', text: '  size: 1' },
          { kind: 'same', text: '  image: hashicorp/vault:1.21.1' },
        ],
        linesLeftOut: 0,
      },
      {
        object: { apiVersion: 'v1', kind: 'ServiceAccount', namespace: 'vault', name: 'vault' },
        state: 'missing',
        changedBy: [],
        diff: [],
        linesLeftOut: 0,
      },
      {
        object: { apiVersion: 'v1', kind: 'Secret', namespace: 'vault', name: 'vault-hsm-pin' },
        state: 'same',
        changedBy: [],
        diff: [],
        linesLeftOut: 0,
      },
    ],
  },
});
