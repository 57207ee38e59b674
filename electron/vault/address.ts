import { failure, success, type Result, type VaultFailureCode } from '../workflows/failures.ts';

const loopbackNames = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Reads a Vault address: https://host[:port], or http:// for this machine alone.
 * Failure: Vault_AddressInvalid.
 */
export function parseVaultAddress(address: string): Result<URL, VaultFailureCode> {
  const invalid = (message: string): Result<URL, VaultFailureCode> =>
    failure(
      'Vault_AddressInvalid',
      message,
      'Give the address as https://host:port, for example https://vault.example.org:8200.',
    );
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined) return invalid('The address of the Vault cannot be read.');
  if (url.username !== '' || url.password !== '')
    return invalid('The address of the Vault must not hold a name or password.');
  if (url.search !== '' || url.hash !== '' || (url.pathname !== '/' && url.pathname !== ''))
    return invalid('The address of the Vault must hold no path and no query.');
  if (url.protocol === 'https:') return success(url);
  if (url.protocol !== 'http:') return invalid('The address of the Vault must begin with https://.');
  if (!loopbackNames.has(url.hostname))
    return invalid('Without TLS, shares would cross the network in the clear; http:// is taken for this machine only.');
  return success(url);
}
