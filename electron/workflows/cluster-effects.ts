/** Effects on a cluster. Each looks first whether it took place. */
import type { ClusterPushPlan, SecretStorePlan } from './cluster-plans.ts';
import type { ClusterPin, ObjectReference, ValueSecret } from './cluster-ports.ts';
import type { TokenOfPlan } from './device-plans.ts';

interface InSecret {
  readonly cluster: ClusterPin;
  readonly secret: ValueSecret;
}

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
      readonly cluster: ClusterPin;
      readonly content: ClusterPushPlan['content'];
      /** Compared once more before the first attempt: a person may have taken hours to type the name. */
      readonly previewSha256: string;
      readonly takeOverConflicts: boolean;
    }
  | {
      readonly kind: 'cluster.watch-rollout';
      readonly cluster: ClusterPin;
      readonly references: readonly ObjectReference[];
    }
  | { readonly kind: 'cluster.settle' }
  | { readonly kind: 'cluster.undo'; readonly cluster: ClusterPin; readonly pushRunId: string }
  | { readonly kind: 'cluster.settle-undo'; readonly cluster: ClusterPin; readonly pushRunId: string }
  | { readonly kind: 'cluster.forget-kept'; readonly cluster: ClusterPin; readonly pushRunId: string }
  /** None of these values is in the Secret, as bank-vaults asks before an initialisation. */
  | ({ readonly kind: 'secret.check-room'; readonly labels: readonly string[] } & InSecret)
  /** What is in the Secret under these names is what the token holds. */
  | ({ readonly kind: 'secret.compare'; readonly token: TokenOfPlan; readonly labels: readonly string[] } & InSecret)
  | ({
      readonly kind: 'secret.trial-value';
      readonly secretLabels: SecretStorePlan['secretLabels'];
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
    } & InSecret)
  | ({
      readonly kind: 'secret.store-values';
      readonly secretLabels: SecretStorePlan['secretLabels'];
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    } & InSecret)
  /** The same from the run's escrow, after an initialisation. */
  | ({
      readonly kind: 'secret.store-from-escrow';
      readonly secretLabels: SecretStorePlan['secretLabels'];
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    } & InSecret)
  /** Every value in the Secret is what the token holds, and decrypts there. */
  | ({
      readonly kind: 'secret.verify-values';
      readonly token: TokenOfPlan;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    } & InSecret);
