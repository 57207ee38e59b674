/** Which kubectl is run, and what it says that it is. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { failure, success } from '../../electron/workflows/failures.ts';
import type { KubectlResult } from './kubectl.ts';
import type { Guardian } from './guardian.ts';
import { runProgram } from './kubectl-process.ts';

/** Milliseconds. Starting kubectl takes a tenth of a second; a wrapper may fetch things. */
const versionDeadline = 15_000;

const versionSchema = z.object({ clientVersion: z.object({ gitVersion: z.string().max(200) }) });

export interface KubectlProgram {
  readonly path: string;
  /** 'v1.35.2' */
  readonly version: string;
}

/** Folders of PATH by their absolute names. A relative one would depend on where one stands. */
export function absoluteFolders(path: string | undefined): readonly string[] {
  return (path ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause) return false;
    throw cause;
  }
}

/**
 * A program as a shell would find it, by its name alone.
 * @returns its absolute path; undefined where there is none
 */
export async function findProgram(name: string, path: string | undefined): Promise<string | undefined> {
  for (const folder of absoluteFolders(path)) {
    const candidate = join(folder, name);
    if (await isProgram(candidate)) return candidate;
  }
  return undefined;
}

async function locate(environment: NodeJS.ProcessEnv): Promise<KubectlResult<string>> {
  const named = environment['KEY_CUSTODIAN_KUBECTL'] ?? '';
  if (named === '') {
    const found = await findProgram('kubectl', environment['PATH']);
    return found === undefined
      ? failure(
          'Cluster_KubectlMissing',
          'kubectl was not found on PATH.',
          'Install kubectl in a version within one minor version of your cluster, or name it in KEY_CUSTODIAN_KUBECTL.',
        )
      : success(found);
  }
  if (!isAbsolute(named) || !(await isProgram(named))) {
    return failure(
      'Cluster_KubectlMissing',
      'KEY_CUSTODIAN_KUBECTL does not name a program by its absolute path.',
      'Correct it, or leave it out to use the kubectl on PATH.',
      { path: named },
    );
  }
  return success(named);
}

/**
 * Finds kubectl (KEY_CUSTODIAN_KUBECTL, else PATH) and asks it for its version, without any cluster.
 * Failures: Cluster_KubectlMissing; Cluster_KubectlUnsuitable where what was found does not answer like kubectl.
 */
export async function findKubectl(
  environment: NodeJS.ProcessEnv,
  guardian: Guardian,
): Promise<KubectlResult<KubectlProgram>> {
  const located = await locate(environment);
  if (!located.ok) return located;
  const path = located.value;
  const outcome = await runProgram(
    {
      path,
      argumentList: ['version', '--client', '--output=json'],
      environment: { KUBECTL_KUBERC: 'false', KUBERC: 'off', KUBECONFIG: '/dev/null', LC_ALL: 'C' },
      deadlineMilliseconds: versionDeadline,
      outputLimitBytes: 64 * 1024,
    },
    guardian,
  );
  const version = outcome.kind === 'ended' && outcome.exitCode === 0 ? readVersion(outcome.output) : undefined;
  return version === undefined
    ? failure(
        'Cluster_KubectlUnsuitable',
        `${path} does not say its version as kubectl does.`,
        'Install kubectl, or name the right one in KEY_CUSTODIAN_KUBECTL.',
        { path },
      )
    : success({ path, version });
}

function readVersion(output: Buffer): string | undefined {
  try {
    const parsed = versionSchema.safeParse(JSON.parse(output.toString('utf8')));
    if (!parsed.success) return undefined;
    const { gitVersion } = parsed.data.clientVersion;
    return readMinor(gitVersion) === undefined ? undefined : gitVersion;
  } catch (cause) {
    if (cause instanceof SyntaxError) return undefined;
    throw cause;
  }
}

function readMinor(version: string): { readonly major: number; readonly minor: number } | undefined {
  const match = /^v?([0-9]{1,4})\.([0-9]{1,4})(?![0-9])/u.exec(version);
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { major: Number(match[1]), minor: Number(match[2]) };
}

/**
 * Whether kubectl is at most one minor version older or newer than the API server (Kubernetes' version skew policy,
 * kubernetes.io/releases/version-skew-policy/#kubectl). A version that cannot be read is outside.
 */
export function isWithinSkew(kubectlVersion: string, serverVersion: string): boolean {
  const client = readMinor(kubectlVersion);
  const server = readMinor(serverVersion);
  return (
    client !== undefined &&
    server !== undefined &&
    client.major === server.major &&
    Math.abs(client.minor - server.minor) <= 1
  );
}
