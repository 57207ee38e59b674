/**
 * What the tests' Kubernetes cluster is made of: kube-apiserver (found, or built once from the module in
 * build/servers/kube-apiserver), a kubelet's streaming endpoints from the same module, etcd and kubectl.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory, findProgram, root, say, SetupError } from './commands.mjs';
import { ensureEtcd } from './etcd.mjs';
import { buildWithGo, findGo, shortHashOf } from './go.mjs';
import { ensureKubectl } from './kubectl.mjs';

const moduleDirectory = join(root, 'build/servers/kube-apiserver');

function builtVersion() {
  const text = readFileSync(join(moduleDirectory, 'go.mod'), 'utf8');
  return /^\s*k8s\.io\/kubernetes v(?<version>\S+)$/m.exec(text)?.groups?.version;
}

function findApiServer(cached) {
  const assets = process.env.KUBEBUILDER_ASSETS;
  const inAssets = assets === undefined ? undefined : join(assets, 'kube-apiserver');
  const candidates = [process.env.KUBE_APISERVER_BIN, inAssets, findProgram('kube-apiserver'), cached];
  return candidates.find((path) => path !== undefined && existsSync(path));
}

/** Built anew when its source changes; test/servers/kubernetes-programs.ts looks in the same place. */
function cachedKubelet() {
  const hash = shortHashOf(join(moduleDirectory, 'kubelet', 'main.go'));
  return join(cacheDirectory(), 'servers', `kubelet-streaming-${hash}`, 'kubelet-streaming');
}

/** Without them the server says v0.0.0, and every kubectl finds itself too new. */
function versionStamps(version) {
  const [major, minor] = version.split('.');
  const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  return Object.entries(variables).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
}

/**
 * Begins with what takes long, the build of kube-apiserver, and comes back at once.
 * @returns {() => Promise<Record<string, string>>} waits until all is there, with a line a minute while it is not, and
 *   answers the variables that name the programs. Throws SetupError.
 */
export function startKubernetesSetup() {
  const version = builtVersion();
  if (version === undefined) throw new SetupError('build/servers/kube-apiserver/go.mod names no k8s.io/kubernetes.');
  const cached = join(cacheDirectory(), 'servers', `kube-apiserver-${version}`, 'kube-apiserver');
  const found = findApiServer(cached);
  const kubelet = [process.env.KUBELET_STREAMING_BIN, cachedKubelet()].find((path) => path && existsSync(path));
  let build = Promise.resolve();
  const go = findGo();
  const buildProgram = (folder, target) =>
    buildWithGo(go, { module: moduleDirectory, folder, target, stamps: versionStamps(version) });
  if (go === undefined && kubelet === undefined)
    throw new SetupError(
      'Tests need the streaming part of a kubelet: install Go 1.25 or later (https://go.dev/dl), and it is built once, ' +
        'or name one that was built from build/servers/kube-apiserver/kubelet in KUBELET_STREAMING_BIN.',
    );
  if (found === undefined) {
    if (go === undefined)
      throw new SetupError(
        'Tests need a Kubernetes API server. Name one in KUBE_APISERVER_BIN, or the folder of setup-envtest in ' +
          'KUBEBUILDER_ASSETS; or install Go 1.25 or later (https://go.dev/dl), and it is built once, in about 7 minutes.',
      );
    say(`  Building kube-apiserver ${version} for the tests, once (about 7 minutes, in the background)`);
    build = buildProgram('.', cached);
  }
  // Of the same packages, so it takes seconds once the API server is built.
  if (kubelet === undefined) build = build.then(() => buildProgram('./kubelet', cachedKubelet()));
  // Whoever waits for it hears of it; until then it is nobody's unhandled failure.
  build.catch(() => undefined);
  const started = performance.now();
  return async () => {
    const kubectl = await ensureKubectl();
    const etcd = await ensureEtcd();
    const minutes = () => Math.round((performance.now() - started) / 60_000);
    if (found === undefined) say('  Waiting for kube-apiserver to be built');
    const timer = setInterval(() => say(`  Still building kube-apiserver: ${minutes()} minutes so far`), 60_000);
    try {
      await build;
    } finally {
      clearInterval(timer);
    }
    return {
      KUBE_APISERVER_BIN: found ?? cached,
      KUBELET_STREAMING_BIN: kubelet ?? cachedKubelet(),
      KUBECTL_BIN: kubectl,
      ...etcd,
    };
  };
}

/** The programs that an ordinary user's tests need to reach. */
export const kubernetesVariables = [
  'KUBE_APISERVER_BIN',
  'KUBELET_STREAMING_BIN',
  'KUBECTL_BIN',
  'ETCD_BIN',
  'ETCDCTL_BIN',
];
