import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Core, KnownVault } from '../core/core.ts';
import { failure, success } from '../workflows/failures.ts';
import type { Result } from '../workflows/failures.ts';
import { vaultConnectionSchema } from '../workflows/vault-connection.ts';
import type { VaultTrust } from '../workflows/ports.ts';
import type { Read } from './outcome.ts';

export interface VaultWish {
  readonly name?: string | undefined;
  readonly address: readonly string[];
  readonly caFile?: string | undefined;
  readonly pinCertificate?: string | undefined;
}

function trustOf(wish: VaultWish): Read<VaultTrust> {
  if (wish.caFile !== undefined && wish.pinCertificate !== undefined) {
    return failure('App_BadRequest', '--ca-file and --pin-certificate say two different things.', 'Give one of them.');
  }
  if (wish.caFile !== undefined) return success({ kind: 'ca-file', path: resolve(wish.caFile) });
  if (wish.pinCertificate !== undefined) return success({ kind: 'pinned', sha256: wish.pinCertificate });
  return success({ kind: 'system' });
}

function normalised(address: string): string {
  return address.replace(/\/+$/u, '');
}

/** A server that was never seen before, as it would be kept. Nothing is reached or written. */
export function newVault(wish: VaultWish): Read<KnownVault> {
  const trust = trustOf(wish);
  if (!trust.ok) return trust;
  const addresses = wish.address.map(normalised);
  const wrong = addresses.findIndex(
    (address) => !vaultConnectionSchema.safeParse({ address, trust: trust.value }).success,
  );
  if (wrong !== -1) {
    return failure(
      'App_BadRequest',
      `Address ${String(wrong + 1)} is not an http or https address.`,
      'Write it as https://host:8200.',
    );
  }
  const [first] = addresses;
  if (first === undefined)
    return failure(
      'App_BadRequest',
      'No address was given.',
      'Give --address https://host:8200, or --name of a server that is known.',
    );
  return success({
    id: `vault-${randomBytes(6).toString('hex')}`,
    name: wish.name ?? new URL(first).host,
    addresses,
    trust: trust.value,
    rehearsal: false,
    tokenStoreId: '',
    tokenSerial: '',
    keyLabel: '',
  });
}

/**
 * The server that is meant: a known one by name or by one of its addresses, the only known one, or a new
 * one by its address.
 * @returns the server and whether the settings have it
 */
export function chooseVault(
  core: Core,
  wish: VaultWish,
): Result<{ readonly vault: KnownVault; readonly known: boolean }> {
  const vaults = core.vaults();
  if (wish.address.length > 0) {
    const addresses = wish.address.map(normalised);
    const known = vaults.find(
      (vault) =>
        (wish.name === undefined || vault.name === wish.name) &&
        addresses.every((address) => vault.addresses.includes(address)),
    );
    if (known !== undefined && wish.caFile === undefined && wish.pinCertificate === undefined) {
      return success({ vault: { ...known, addresses }, known: true });
    }
    const made = newVault(wish);
    if (!made.ok) return made;
    return known === undefined
      ? success({ vault: made.value, known: false })
      : success({ vault: { ...known, addresses, trust: made.value.trust }, known: true });
  }
  const named = wish.name === undefined ? vaults : vaults.filter((vault) => vault.name === wish.name);
  const [first, second] = named;
  if (first === undefined) {
    return failure(
      'App_BadRequest',
      wish.name === undefined ? 'No Vault server is known yet.' : 'No Vault server of that name is known.',
      'Give its address: --address https://host:8200, with --ca-file or --pin-certificate where its certificate needs it.',
    );
  }
  if (second !== undefined) {
    return failure(
      'App_BadRequest',
      `${String(named.length)} Vault servers could be meant.`,
      'Name one with --name or --address; custodian vault status lists them.',
    );
  }
  return success({ vault: first, known: true });
}
