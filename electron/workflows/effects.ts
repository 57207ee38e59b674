/**
 * What a step does, as data. The runner (`electron/runs`) carries effects out through the ports. Each is
 * written so that it can be begun again after a crash: it looks first whether it took place.
 */
import type { CareEffect } from './care-effects.ts';
import type { ClusterEffect } from './cluster-effects.ts';
import type { ClusterPin, ValueSecret } from './cluster-ports.ts';
import type { DeviceEffect } from './device-effects.ts';
import type { WrappingKeyKind } from './key-kinds.ts';
import type { KmsEffect } from './kms-effects.ts';
import type { VaultSetUpEffect } from './vault-setup-effects.ts';
import type { RootTokenDestination, ShareDestination, TokenReference, VaultConnection } from './ports.ts';

export type Effect =
  | DeviceEffect
  | CareEffect
  | ClusterEffect
  | VaultSetUpEffect
  | KmsEffect
  // token-setup
  | {
      readonly kind: 'token.initialize';
      readonly storeId: string;
      readonly slotId: number;
      readonly expectedSerial: string;
      readonly label: string;
    }
  | { readonly kind: 'token.read-back'; readonly storeId: string; readonly label: string }
  | {
      readonly kind: 'token.log-in';
      readonly storeId: string;
      readonly serial: string;
      readonly tokenLabel: string;
      readonly act: string;
    }
  | {
      readonly kind: 'token.generate-key';
      readonly storeId: string;
      readonly serial: string;
      readonly keyLabel: string;
      readonly keyKind: WrappingKeyKind;
    }
  | { readonly kind: 'token.verify-key'; readonly storeId: string; readonly serial: string; readonly keyLabel: string }
  // vault-init
  | { readonly kind: 'vault.check-uninitialized'; readonly connection: VaultConnection }
  | {
      readonly kind: 'token.check-room';
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly labels: readonly string[];
    }
  | { readonly kind: 'token.trial-object'; readonly token: TokenReference; readonly keyLabel: string }
  | {
      readonly kind: 'vault.initialize';
      readonly connection: VaultConnection;
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly shares: number;
      readonly threshold: number;
      readonly destinations: readonly ShareDestination[];
      readonly rootToken: RootTokenDestination;
    }
  | {
      readonly kind: 'token.store-value';
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly label: string;
    }
  | { readonly kind: 'pgp.deliver'; readonly label: string; readonly custodian: string; readonly fingerprint: string }
  | {
      readonly kind: 'share.hand-out';
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly label: string;
      readonly custodian: string;
      readonly vaultName: string;
    }
  /** Unseals the new Vault with the values in escrow: the proof that they work, and needed to revoke the root token. */
  | {
      readonly kind: 'vault.unseal-from-escrow';
      readonly connection: VaultConnection;
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly threshold: number;
    }
  | {
      readonly kind: 'vault.revoke-root';
      readonly connection: VaultConnection;
      readonly token: TokenReference;
      readonly keyLabel: string;
    }
  | {
      readonly kind: 'escrow.remove';
      readonly token: TokenReference;
      readonly keyLabel: string;
      readonly storedLabels: readonly string[];
      /** Values that were stored in a Secret, which are compared there. */
      readonly inSecret?: {
        readonly cluster: ClusterPin;
        readonly secret: ValueSecret;
        readonly labels: readonly string[];
      };
    }
  // unseal
  | { readonly kind: 'vault.read-seal-status'; readonly connections: readonly VaultConnection[] }
  | {
      readonly kind: 'vault.unseal-from-token';
      readonly connections: readonly VaultConnection[];
      readonly token: TokenReference;
      readonly keyLabel: string;
    }
  | {
      readonly kind: 'vault.unseal-from-secret';
      readonly connections: readonly VaultConnection[];
      readonly cluster: ClusterPin;
      readonly secret: ValueSecret;
      readonly token: TokenReference;
      readonly keyLabel: string;
    }
  | {
      readonly kind: 'vault.unseal-from-pgp';
      readonly connections: readonly VaultConnection[];
      readonly custodian: string;
      readonly messageBase64: string;
    }
  | {
      readonly kind: 'vault.unseal-typed';
      readonly connections: readonly VaultConnection[];
      readonly custodian: string;
      readonly vaultName: string;
    }
  /** The node has been restarted with both seals in its configuration, and waits. */
  | {
      readonly kind: 'vault.await-migration' | 'vault.confirm-migrated';
      readonly connection: VaultConnection;
      readonly sealType: string;
      /** The migration is over with it; the nodes before it stay in it, unsealed. */
      readonly isLastNode: boolean;
    }
  | { readonly kind: 'vault.confirm-unsealed'; readonly connections: readonly VaultConnection[] };

export type EffectKind = Effect['kind'];
