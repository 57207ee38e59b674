/**
 * The one door to kubectl. Arguments are an array and reach no shell; the environment is minimal; what is secret goes
 * through stdin; output is capped; every run has a deadline and is killed past it.
 */
import type { Allowance, ClusterContext, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { ClusterFailureCode, Result } from '../../electron/workflows/failures.ts';

export type KubectlResult<Value> = Result<Value, ClusterFailureCode>;

/** One run, without saying which cluster. */
export interface KubectlCall {
  /** After the options that name the cluster. Never a secret. */
  readonly argumentList: readonly string[];
  /** Wiped by the caller. */
  readonly input?: Uint8Array;
  readonly deadlineMilliseconds: number;
  /** 32 MiB where left out. Cluster_UnexpectedReply beyond it. */
  readonly outputLimitBytes?: number;
}

export interface KubectlRun extends KubectlCall {
  readonly pin: ClusterPin;
  /** What the person has allowed outside the kubeconfig, compared with what the context uses now. */
  readonly allowed: readonly Allowance[];
  /**
   * The run changes nothing: the cluster's UID is then asked beside it instead of before it, and where that is another
   * one the output is thrown away.
   */
  readonly onlyReads?: boolean;
}

/** kubectl came to an end by itself; a non-zero code is for the caller to read. */
export interface KubectlOutput {
  readonly exitCode: number;
  readonly output: Buffer;
  readonly errors: string;
}

/** What a cluster says about itself. */
export interface ClusterIdentity {
  /** UID of kube-system; '' where it may not be read. */
  readonly uid: string;
  /** 'v1.34.4' */
  readonly serverVersion: string;
}

export interface Kubectl {
  /**
   * Compares the pin with the files as they are now and with the cluster's UID, then runs kubectl on exactly that
   * context and server. Failures before it ran: Cluster_KubectlMissing, Cluster_KubectlUnsuitable (outside the skew),
   * Cluster_KubeconfigInvalid, Cluster_ContextInvalid, Cluster_ContextChanged, Cluster_OtherCluster,
   * Cluster_NotAllowed, Cluster_InsecureRefused, and those of a cluster that cannot be asked who it is (`refusals.ts`);
   * after: Cluster_KubectlEnded (killed by somebody), Cluster_TimedOut, Cluster_UnexpectedReply (too much output).
   */
  run(request: KubectlRun): Promise<KubectlResult<KubectlOutput>>;
  describe(): Promise<KubectlResult<{ readonly path: string; readonly version: string }>>;
  /** The contexts of these files. Runs nothing, contacts nobody. */
  listContexts(kubeconfigPaths: readonly string[]): Promise<KubectlResult<readonly ClusterContext[]>>;
  /**
   * Asks the cluster of a pin who it is, without comparing it to what the pin says. Failures as with `run`, but
   * without Cluster_OtherCluster and Cluster_KubectlUnsuitable for a version that the skew leaves out.
   */
  identify(pin: ClusterPin, allowed: readonly Allowance[]): Promise<KubectlResult<ClusterIdentity>>;
  /** `run` for finding out what is wrong with a cluster: its UID and version are not looked at first. */
  runUnchecked(request: KubectlRun): Promise<KubectlResult<KubectlOutput>>;
}
