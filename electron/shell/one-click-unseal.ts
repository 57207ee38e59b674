/** From the tray or a notification straight to the PIN: an unseal run with the shares where this app put them. */
import type { Core, KnownVault } from '../core/core.ts';
import type { UnsealPlan } from '../workflows/plans.ts';

/** undefined where this app does not know the Vault's shares on any token: the person chooses on its page. */
export function planUnsealFromToken(core: Core, vault: KnownVault, tokenLabel: string): UnsealPlan | undefined {
  if (vault.tokenSerial === '' || vault.tokenStoreId === '' || vault.keyLabel === '') return undefined;
  const token = { storeId: vault.tokenStoreId, serial: vault.tokenSerial, label: tokenLabel };
  return {
    workflow: 'unseal',
    rehearsal: vault.rehearsal,
    vaultId: vault.id,
    vaultName: vault.name,
    connections: core.connections(vault).map(({ address, trust }) => ({ address, trust })),
    sources: [
      ...(vault.secret?.alsoOnToken === false ? [] : [{ kind: 'token' as const, token, keyLabel: vault.keyLabel }]),
      ...(vault.secret === undefined
        ? []
        : [
            {
              kind: 'secret' as const,
              cluster: vault.secret.cluster,
              secret: vault.secret.secret,
              token,
              keyLabel: vault.keyLabel,
            },
          ]),
    ],
  };
}

export interface OneClickUnseal {
  readonly core: Core;
  readonly by: string;
  /** What a token is called, '' where it was not seen yet. */
  readonly tokenLabel: (storeId: string, serial: string) => string;
  /** Opens the window at a page of it. */
  readonly show: (path: string) => void;
}

/** Starts the unseal of a Vault and shows it. What becomes of it is told by the run's own view. */
export async function unsealInOneClick(vaultId: string, { core, by, tokenLabel, show }: OneClickUnseal): Promise<void> {
  const vault = core.vaults().find((candidate) => candidate.id === vaultId);
  if (vault === undefined) {
    show('/');
    return;
  }
  const plan = planUnsealFromToken(core, vault, tokenLabel(vault.tokenStoreId, vault.tokenSerial));
  const started = plan === undefined ? undefined : await core.runner.start(plan, by);
  if (started?.ok !== true) {
    show(`/vaults/${vault.id}`);
    return;
  }
  show(`/runs/${started.value.runId}`);
  await core.runner.proceed(started.value.runId, { by, typedName: '', throughDeliberateSteps: true });
}
