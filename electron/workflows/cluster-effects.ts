/** Effects on a cluster. Each looks first whether it took place. */
import type { ClusterPushPlan, SecretStorePlan } from './cluster-plans.ts';
import type { ClusterPin, ObjectReference } from './cluster-ports.ts';
import type { TokenOfPlan } from './device-plans.ts';

export type ClusterEffect =
  /** The cluster is the one that was shown, reachable, with a kubectl that fits it. */
  | { readonly kind: 'cluster.check'; readonly cluster: ClusterPin }
  /** The dry run and the diff again: what would happen now is what was shown. */
  | {
      readonly kind: 'cluster.confirm-preview';
      readonly cluster: ClusterPin;
      readonly content: ClusterPushPlan['content'];
      readonly previewSha256: string;
      readonly takeOverConflicts: boolean;
    }
  /** What is there now, to disk, before anything is changed. */
  | { readonly kind: 'cluster.keep-before'; readonly cluster: ClusterPin; readonly content: ClusterPushPlan['content'] }
  | {
      readonly kind: 'cluster.apply';
      readonly content: ClusterPushPlan['content'];
      readonly takeOverConflicts: boolean;
    }
  | {
      readonly kind: 'cluster.watch-rollout';
      readonly cluster: ClusterPin;
      readonly references: readonly ObjectReference[];
    }
  | { readonly kind: 'cluster.settle' }
  | { readonly kind: 'cluster.undo'; readonly cluster: ClusterPin; readonly pushRunId: string }
  | {
      readonly kind: 'secret.store-values';
      readonly cluster: ClusterPin;
      readonly secret: SecretStorePlan['secret'];
      readonly secretLabels: SecretStorePlan['secretLabels'];
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    }
  /** Every value in the Secret is what the token holds, and decrypts there. */
  | {
      readonly kind: 'secret.verify-values';
      readonly cluster: ClusterPin;
      readonly secret: SecretStorePlan['secret'];
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    };
