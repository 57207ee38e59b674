/**
 * Names that bank-vaults reads and writes (its `internal/vault/operator_client.go`). A value stored
 * under them by this program is used by bank-vaults as it is, and the other way round.
 */

/** Label of the share at `index`, counted from 0. */
export function unsealLabel(index: number): string {
  return `vault-unseal-${index.toString()}`;
}

/** Label of the root token. */
export const rootLabel = 'vault-root';

/** bank-vaults' own preflight object. */
export const bankVaultsTrialLabel = 'vault-test';

/** Our trial object where bank-vaults' own is on the token already. */
export const ownTrialLabel = 'key-custodian-trial';

/** Index of the share under a label, or undefined where the label names no share. */
export function unsealIndexOf(label: string): number | undefined {
  const match = /^vault-unseal-(0|[1-9][0-9]{0,3})$/u.exec(label);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/**
 * Labels that must be absent before an initialisation: bank-vaults refuses to initialise where one of
 * vault-unseal-0 to vault-unseal-N (N included) or vault-root exists.
 */
export function labelsThatMustBeAbsent(shares: number): readonly string[] {
  return [...Array.from({ length: shares + 1 }, (_unused, index) => unsealLabel(index)), rootLabel];
}
