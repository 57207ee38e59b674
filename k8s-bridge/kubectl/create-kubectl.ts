/** The door to kubectl: checks first, then runs; see `kubectl.ts`. */
import { createHash } from 'node:crypto';
import { chmod, mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { z } from 'zod';
import { partsNotAllowed } from '../../electron/workflows/cluster-allowances.ts';
import type { Allowance, ClusterContext, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import { failure, success } from '../../electron/workflows/failures.ts';
import { createContextReader, type ResolvedContext } from './contexts.ts';
import { absoluteFolders, findKubectl, isWithinSkew, type KubectlProgram } from './find-kubectl.ts';
import { createGuardian } from './guardian.ts';
import { createKubeconfigFiles } from './kubeconfig-files.ts';
import type { ClusterIdentity, Kubectl, KubectlCall, KubectlOutput, KubectlResult, KubectlRun } from './kubectl.ts';
import { runProgram, type ProgramOutcome } from './kubectl-process.ts';
import { readJson } from './read-json.ts';
import { describeRefusal, nameOf } from './refusals.ts';
import { createTurns } from './turns.ts';

const seconds = 1000;
const mebibyte = 1024 * 1024;

const outputLimit = 32 * mebibyte;
const identityDeadline = 20 * seconds;
/** How long a cluster's answer about who it is counts for the runs after it. */
const identityHolds = 5 * seconds;
const serverVersionHolds = 300 * seconds;
const programHolds = 60 * seconds;
/** Each is a process of 60 MB that asks one server. */
const mostAtOnce = 6;

/** How a way through a proxy is told. */
const proxyVariables = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'] as const;
/** What a credential program needs to find its own parts. */
const programVariables = ['HOME', 'LANG', 'TMPDIR'] as const;

export interface KubectlOptions {
  /** Absolute; made with mode 0700. kubectl keeps there which kinds of objects a server has, nothing else. */
  readonly discoveryDirectory: string;
  readonly environment: NodeJS.ProcessEnv;
}

const versionSchema = z.object({ serverVersion: z.object({ gitVersion: z.string().max(80) }) });
const namespaceSchema = z.object({ metadata: z.object({ uid: z.string().max(64) }) });

interface Invocation {
  readonly program: KubectlProgram;
  readonly argumentList: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** Which of the pinned facts the files say differently now, in words; '' for none. */
function differenceOf(pin: ClusterPin, now: ClusterContext): string {
  if (now.clusterName !== pin.clusterName)
    return `names the cluster “${now.clusterName}” instead of “${pin.clusterName}”`;
  if (now.server !== pin.server) return `leads to ${now.server} instead of ${pin.server}`;
  if (now.caSha256 !== pin.caSha256) return 'has another certificate authority';
  if (now.userName !== pin.userName) return `names the user “${now.userName}” instead of “${pin.userName}”`;
  return '';
}

function checkContext(
  pin: ClusterPin,
  now: ResolvedContext | undefined,
  allowed: readonly Allowance[],
): KubectlResult<ResolvedContext> {
  const details = { context: pin.context };
  if (now === undefined)
    return failure(
      'Cluster_ContextInvalid',
      `The context “${pin.context}” is no longer in the kubeconfig.`,
      'Look at the list of clusters again.',
      details,
    );
  const { view } = now;
  const difference = differenceOf(pin, view);
  if (difference !== '')
    return failure(
      'Cluster_ContextChanged',
      `The context “${pin.context}” ${difference}. Nothing was sent.`,
      'Look at the list of clusters again, and at the preview of what you were about to do.',
      details,
    );
  if (view.problem !== '')
    return failure(
      'Cluster_ContextInvalid',
      `The context “${pin.context}” cannot be used. ${view.problem}`,
      'Repair the kubeconfig, or get a new one from whoever looks after the cluster.',
      details,
    );
  if (view.insecure)
    return failure(
      'Cluster_InsecureRefused',
      `The context “${pin.context}” does not verify the server’s certificate. Nothing was sent.`,
      'Put the cluster’s certificate authority into the kubeconfig and take insecure-skip-tls-verify out of it.',
      details,
    );
  const [notAllowed] = partsNotAllowed(view.outside, allowed);
  if (notAllowed !== undefined)
    return failure(
      'Cluster_NotAllowed',
      notAllowed.kind === 'file'
        ? `The context “${pin.context}” reads the file ${notAllowed.path}, which you have not allowed as it is now.`
        : `The context “${pin.context}” runs ${notAllowed.path}, which you have not allowed as it is now.`,
      'Look at what the cluster’s entry shows, and allow it there if you know it.',
      { ...details, path: notAllowed.path, sha256: notAllowed.sha256 },
    );
  return success(now);
}

/** Makes the door. No process is started before the first run. */
export function createKubectl({ discoveryDirectory, environment }: KubectlOptions): Kubectl {
  const guardian = createGuardian();
  const files = createKubeconfigFiles();
  const contexts = createContextReader(files, environment['PATH']);
  const inTurn = createTurns(mostAtOnce);
  let found: { readonly until: number; readonly program: KubectlProgram } | undefined;
  const serverVersions = new Map<string, { readonly until: number; readonly version: string }>();
  const identities = new Map<string, { until: number; readonly checked: Promise<KubectlResult<ClusterIdentity>> }>();

  async function describe(): Promise<KubectlResult<KubectlProgram>> {
    if (found !== undefined && found.until > performance.now()) return success(found.program);
    const program = await findKubectl(environment, guardian);
    if (program.ok) found = { until: performance.now() + programHolds, program: program.value };
    return program;
  }

  /** One folder for each server and authority: what one cluster said must not be believed of another. */
  async function discoveryOf(pin: ClusterPin): Promise<KubectlResult<string>> {
    const name = createHash('sha256')
      .update(JSON.stringify([pin.server, pin.caSha256, pin.clusterUid]))
      .digest('hex');
    const folder = join(discoveryDirectory, name.slice(0, 16));
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      // It may have been there with another mode.
      await chmod(discoveryDirectory, 0o700);
    } catch (cause) {
      if (!(cause instanceof Error && 'code' in cause && typeof cause.code === 'string')) throw cause;
      return failure(
        'Cluster_HostUnavailable',
        `The folder ${discoveryDirectory}, where kubectl keeps what clusters say of themselves, cannot be used.`,
        'Make room on the disk, or make the folder yours.',
        { reason: cause.code },
      );
    }
    return success(folder);
  }

  async function prepare(pin: ClusterPin, allowed: readonly Allowance[]): Promise<KubectlResult<Invocation>> {
    const program = await describe();
    if (!program.ok) return program;
    const context = checkContext(pin, await contexts.readOne(pin.kubeconfigPaths, pin.context), allowed);
    if (!context.ok) return context;
    const given: Record<string, string> = {
      KUBECONFIG: pin.kubeconfigPaths.join(delimiter),
      // A person's own defaults for kubectl's options (kuberc) have no say here.
      KUBECTL_KUBERC: 'false',
      KUBERC: 'off',
      LC_ALL: 'C',
    };
    for (const name of [...proxyVariables, ...(context.value.runsProgram ? programVariables : [])]) {
      const value = environment[name];
      if (value !== undefined && value !== '') given[name] = value;
    }
    if (context.value.runsProgram) given['PATH'] = absoluteFolders(environment['PATH']).join(delimiter);
    const { tlsServerName } = context.value;
    const discovery = await discoveryOf(pin);
    if (!discovery.ok) return discovery;
    return success({
      program: program.value,
      environment: given,
      // Each value joined with “=”, so that one which begins with hyphens stays a value.
      argumentList: [
        `--context=${pin.context}`,
        `--cluster=${pin.clusterName}`,
        ...(pin.userName === '' ? [] : [`--user=${pin.userName}`]),
        `--server=${pin.server}`,
        // kubectl forgets the kubeconfig's where a server is given.
        ...(tlsServerName === '' ? [] : [`--tls-server-name=${tlsServerName}`]),
        `--cache-dir=${discovery.value}`,
      ],
    });
  }

  async function spawn(
    pin: ClusterPin,
    allowed: readonly Allowance[],
    call: KubectlCall,
    signal?: AbortSignal,
  ): Promise<KubectlResult<KubectlOutput>> {
    // Compared in the last moment before the run, after any waiting.
    const outcome = await inTurn(async (): Promise<KubectlResult<ProgramOutcome>> => {
      const prepared = await prepare(pin, allowed);
      if (!prepared.ok) return prepared;
      const { program, argumentList, environment: given } = prepared.value;
      return success(
        await runProgram(
          {
            path: program.path,
            argumentList: [...argumentList, ...call.argumentList],
            environment: given,
            input: call.input,
            deadlineMilliseconds: call.deadlineMilliseconds,
            outputLimitBytes: call.outputLimitBytes ?? outputLimit,
            signal,
          },
          guardian,
        ),
      );
    });
    return outcome.ok ? toOutput(outcome.value, pin, call) : outcome;
  }

  async function serverVersionOf(
    pin: ClusterPin,
    allowed: readonly Allowance[],
    key: string,
  ): Promise<KubectlResult<string>> {
    const known = serverVersions.get(key);
    if (known !== undefined && known.until > performance.now()) return success(known.version);
    const answered = await spawn(pin, allowed, {
      argumentList: ['version', '--output=json'],
      deadlineMilliseconds: identityDeadline,
    });
    if (!answered.ok) return answered;
    const version = readJson(versionSchema, answered.value.output)?.serverVersion.gitVersion;
    if (version === undefined) return { ok: false, error: describeRefusal(answered.value.errors, pin) };
    serverVersions.set(key, { until: performance.now() + serverVersionHolds, version });
    return success(version);
  }

  async function uidOf(pin: ClusterPin, allowed: readonly Allowance[]): Promise<KubectlResult<string>> {
    const answered = await spawn(pin, allowed, {
      argumentList: ['get', '--raw=/api/v1/namespaces/kube-system'],
      deadlineMilliseconds: identityDeadline,
    });
    if (!answered.ok) return answered;
    const { exitCode, output, errors } = answered.value;
    if (exitCode === 0) return success(readJson(namespaceSchema, output)?.metadata.uid ?? '');
    const refusal = describeRefusal(errors, pin);
    // Many people may not read kube-system; the server and its authority are then all there is.
    return refusal.code === 'Cluster_RightsMissing' || refusal.code === 'Cluster_NotFound'
      ? success('')
      : { ok: false, error: refusal };
  }

  async function identify(pin: ClusterPin, allowed: readonly Allowance[]): Promise<KubectlResult<ClusterIdentity>> {
    const [version, uid] = await Promise.all([
      serverVersionOf(pin, allowed, JSON.stringify([pin.server, pin.caSha256])),
      uidOf(pin, allowed),
    ]);
    if (!version.ok) return version;
    if (!uid.ok) return uid;
    return success({ uid: uid.value, serverVersion: version.value });
  }

  function checkIdentity(
    pin: ClusterPin,
    program: KubectlProgram,
    { uid, serverVersion }: ClusterIdentity,
  ): KubectlResult<undefined> {
    if (!isWithinSkew(program.version, serverVersion))
      return failure(
        'Cluster_KubectlUnsuitable',
        `kubectl ${program.version} is more than one minor version away from the server’s ${serverVersion}, which Kubernetes does not support.`,
        'Install a kubectl of the server’s version, or name one in KEY_CUSTODIAN_KUBECTL.',
        { kubectl: program.version, server: serverVersion, path: program.path },
      );
    if (pin.clusterUid !== '' && uid === '')
      return failure(
        'Cluster_RightsMissing',
        `It can no longer be told whether ${nameOf(pin)} is the same cluster: you may not read its namespace kube-system any more.`,
        'Ask whoever looks after the cluster for the right to get that namespace, or look at the list of clusters again.',
        { context: pin.context },
      );
    if (pin.clusterUid !== '' && uid !== pin.clusterUid)
      return failure(
        'Cluster_OtherCluster',
        `Another cluster answers at ${pin.server} than a moment ago. Nothing was changed.`,
        'Look at the list of clusters again, and at the preview of what you were about to do.',
        { context: pin.context, expected: pin.clusterUid, found: uid },
      );
    return success(undefined);
  }

  /** Runs that come together share one look. */
  async function verify(pin: ClusterPin, allowed: readonly Allowance[]): Promise<KubectlResult<undefined>> {
    const program = await describe();
    if (!program.ok) return program;
    const key = JSON.stringify(pin);
    const now = performance.now();
    for (const [name, { until }] of identities) if (until <= now) identities.delete(name);
    let known = identities.get(key);
    if (known === undefined) {
      const look = { until: Number.POSITIVE_INFINITY, checked: identify(pin, allowed) };
      identities.set(key, look);
      void look.checked.then(({ ok }) => {
        look.until = ok ? performance.now() + identityHolds : 0;
      });
      known = look;
    }
    const identity = await known.checked;
    return identity.ok ? checkIdentity(pin, program.value, identity.value) : identity;
  }

  async function run({ pin, allowed, onlyReads, ...call }: KubectlRun): Promise<KubectlResult<KubectlOutput>> {
    if (onlyReads !== true) {
      const verified = await verify(pin, allowed);
      return verified.ok ? spawn(pin, allowed, call) : verified;
    }
    const givenUp = new AbortController();
    const spawned = spawn(pin, allowed, call, givenUp.signal);
    const verified = await verify(pin, allowed);
    if (verified.ok) return spawned;
    givenUp.abort();
    const outcome = await spawned;
    if (outcome.ok) outcome.value.output.fill(0);
    return verified;
  }

  return {
    run,
    runUnchecked: ({ pin, allowed, ...call }) => spawn(pin, allowed, call),
    describe,
    identify,
    async listContexts(kubeconfigPaths) {
      const { contexts: all, problems } = await contexts.readAll(kubeconfigPaths);
      return all.length === 0 && problems.length > 0
        ? failure('Cluster_KubeconfigInvalid', problems.join(' '), 'Repair the file, or take it out of KUBECONFIG.')
        : success(all.map(({ view }) => view));
    },
  };
}

function toOutput(outcome: ProgramOutcome, pin: ClusterPin, call: KubectlCall): KubectlResult<KubectlOutput> {
  const details = { context: pin.context };
  const where = nameOf(pin);
  switch (outcome.kind) {
    case 'ended':
      return success({ exitCode: outcome.exitCode, output: outcome.output, errors: outcome.errors });
    case 'killed':
      return failure(
        'Cluster_KubectlEnded',
        'kubectl was ended from outside before it was done.',
        'Begin the step again; it looks first at what took place.',
        { ...details, signal: outcome.signal },
      );
    case 'given-up':
    case 'timed-out':
      return failure(
        'Cluster_TimedOut',
        `The cluster did not answer within ${Math.round(call.deadlineMilliseconds / seconds).toString()} seconds: ${where}.`,
        'Check the network or VPN, then begin the step again; it looks first at what took place.',
        details,
      );
    case 'too-much-output':
      return failure(
        'Cluster_UnexpectedReply',
        'kubectl said far more than was asked for. What it said was thrown away.',
        'Show this to whoever looks after the cluster.',
        details,
      );
    case 'not-started':
      return failure(
        outcome.reason === 'ENOENT' ? 'Cluster_KubectlMissing' : 'Cluster_KubectlUnsuitable',
        'kubectl could not be started.',
        'Check that it is installed and may be run by you.',
        { ...details, reason: outcome.reason },
      );
  }
}
