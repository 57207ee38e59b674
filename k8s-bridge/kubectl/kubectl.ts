/**
 * The one door to kubectl. Arguments are an array and reach no shell; the environment is minimal; what is secret goes
 * through stdin; output is capped; every run has a deadline and is killed past it.
 */
import type { Allowance, ClusterPin } from '../../electron/workflows/cluster-ports.ts';
import type { ClusterFailureCode, Result } from '../../electron/workflows/failures.ts';

export interface KubectlRun {
  readonly pin: ClusterPin;
  /** What the person has allowed outside the kubeconfig, compared with what the context uses now. */
  readonly allowed: readonly Allowance[];
  /** After the options that name the cluster. Never a secret. */
  readonly argumentList: readonly string[];
  /** Wiped by the caller. */
  readonly input?: Uint8Array;
  readonly deadlineMilliseconds: number;
  /** 32 MiB where left out. Cluster_UnexpectedReply beyond it. */
  readonly outputLimitBytes?: number;
}

/** kubectl came to an end by itself; a non-zero code is for the caller to read. */
export interface KubectlOutput {
  readonly exitCode: number;
  readonly output: Buffer;
  readonly errors: string;
}

export interface Kubectl {
  /**
   * Compares the pin with the files as they are now, then runs kubectl on exactly that context and server.
   * Failures: Cluster_KubectlMissing, Cluster_KubectlUnsuitable, Cluster_KubectlEnded (killed by somebody),
   * Cluster_ContextInvalid, Cluster_ContextChanged, Cluster_NotAllowed, Cluster_InsecureRefused, Cluster_TimedOut.
   */
  run(request: KubectlRun): Promise<Result<KubectlOutput, ClusterFailureCode>>;
  describe(): Promise<Result<{ readonly path: string; readonly version: string }, ClusterFailureCode>>;
}
