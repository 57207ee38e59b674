/**
 * What the tests' Kubernetes cluster is made of: kube-apiserver (found, or built once from the module in
 * build/servers/kube-apiserver), etcd and kubectl.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheDirectory, findProgram, root, say, SetupError } from './commands.mjs';
import { ensureEtcd } from './etcd.mjs';
import { findGo } from './go.mjs';
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

/** Builds at the lowest priority, beside whatever else runs; its words are kept until they are of use. */
async function buildApiServer(go, version, target) {
  mkdirSync(dirname(target), { recursive: true });
  const work = `${target}.${process.pid}`;
  const [major, minor] = version.split('.');
  // Without them the server says v0.0.0, and every kubectl finds itself too new.
  const variables = { gitVersion: `v${version}`, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const stamps = Object.entries(variables).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  const args = ['build', '-trimpath', '-mod=readonly', '-ldflags', ['-s', '-w', ...stamps].join(' '), '-o', work, '.'];
  const child = spawn('nice', ['-n', '19', go, ...args], {
    cwd: moduleDirectory,
    env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killAtExit = () => child.kill();
  process.once('exit', killAtExit);
  const words = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => words.push(chunk));
  const status = await new Promise((resolve) => {
    child.once('error', () => resolve(-1));
    child.once('close', resolve);
  });
  process.removeListener('exit', killAtExit);
  if (status !== 0) {
    rmSync(work, { force: true });
    throw new SetupError(
      `${Buffer.concat(words).toString().trim().slice(-2000)}\n` +
        'kube-apiserver could not be built. Most often the Go proxy could not be reached.',
    );
  }
  renameSync(work, target);
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
  let build = Promise.resolve();
  if (found === undefined) {
    const go = findGo();
    if (go === undefined)
      throw new SetupError(
        'Tests need a Kubernetes API server. Name one in KUBE_APISERVER_BIN, or the folder of setup-envtest in ' +
          'KUBEBUILDER_ASSETS; or install Go 1.25 or later (https://go.dev/dl), and it is built once, in about 7 minutes.',
      );
    say(`  Building kube-apiserver ${version} for the tests, once (about 7 minutes, in the background)`);
    build = buildApiServer(go, version, cached);
    // Whoever waits for it hears of it; until then it is nobody's unhandled failure.
    build.catch(() => undefined);
  }
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
    return { KUBE_APISERVER_BIN: found ?? cached, KUBECTL_BIN: kubectl, ...etcd };
  };
}

/** The programs that an ordinary user's tests need to reach. */
export const kubernetesVariables = ['KUBE_APISERVER_BIN', 'KUBECTL_BIN', 'ETCD_BIN', 'ETCDCTL_BIN'];
