/** Effects about encryption at rest. Each may be repeated: what is encrypted already is left alone by the API server. */
import type { ClusterPin } from './cluster-ports.ts';
import type { EtcdPlace } from './kms-ports.ts';

export type KmsEffect =
  | {
      readonly kind: 'kms.canary';
      readonly cluster: ClusterPin;
      readonly etcd: EtcdPlace;
      readonly namespace: string;
      readonly provider: string;
    }
  | {
      readonly kind: 'kms.count';
      readonly cluster: ClusterPin;
      readonly etcd: EtcdPlace;
      readonly resources: readonly string[];
      readonly provider: string;
      /** The end of a re-encryption: anything that lies otherwise is a failure. */
      readonly mustBeAll: boolean;
    }
  | { readonly kind: 'kms.rewrite'; readonly cluster: ClusterPin; readonly resources: readonly string[] };
