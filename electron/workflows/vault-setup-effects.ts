/** Effects inside a Vault that need an administrator's token. Each looks first whether it took place. */
import type { VaultConnection } from './ports.ts';
import type { WantedInVault } from './vault-setup-ports.ts';

export type VaultSetUpEffect =
  | {
      readonly kind: 'vault.hold-token';
      readonly vaultName: string;
      readonly connection: VaultConnection;
      readonly namespace: string;
    }
  | { readonly kind: 'vault.make'; readonly wanted: WantedInVault; readonly replace: boolean }
  | { readonly kind: 'vault.try-policy'; readonly policy: string; readonly mount: string; readonly key: string }
  | { readonly kind: 'vault.forget-token' };
