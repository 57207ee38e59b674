import { randomUUID } from 'node:crypto';
import type { KnownVault } from '../../core/core.ts';
import { failure, success, type Failure } from '../../workflows/failures.ts';
import { notFound, type Group, type HandlerContext } from './context.ts';

export function createVaultHandlers({ core, desktop, changed }: HandlerContext): Group<'vaults'> {
  return {
    async 'vaults.choose-ca-file'() {
      return success({ path: (await desktop.chooseFile('ca-file')) ?? '' });
    },
    async 'vaults.fetch-certificate'({ address }) {
      const result = await core.vault.fetchCertificate(address);
      if (!result.ok) return result;
      const { sha256, subject, issuer, validFrom, validTo } = result.value;
      return success({ sha256, subject, issuer, validFrom, validTo });
    },
    async 'vaults.add'({ name, addresses, trust }) {
      const vault: KnownVault = {
        id: `vault-${randomUUID()}`,
        name,
        addresses: [...new Set(addresses)],
        trust,
        rehearsal: false,
        tokenStoreId: '',
        tokenSerial: '',
        keyLabel: '',
      };
      const answers = await Promise.all(core.connections(vault).map((connection) => core.vault.sealStatus(connection)));
      if (!answers.some((answer) => answer.ok)) {
        const refused: Failure | undefined = answers
          .map((answer) => (answer.ok ? undefined : answer.error))
          .find((error) => error !== undefined);
        return refused === undefined
          ? failure('Vault_AddressInvalid', 'No address was given.', 'Enter the address of at least one node.')
          : { ok: false, error: refused };
      }
      const kept = await core.settings.addVault(vault);
      if (!kept.ok) return kept;
      await core.watch.refresh(vault.id);
      changed();
      return success({ vaultId: vault.id });
    },
    async 'vaults.remove'({ vaultId }) {
      const vault = core.vaults().find((candidate) => candidate.id === vaultId);
      if (vault === undefined) return notFound('The Vault');
      if (vault.rehearsal) {
        return failure(
          'App_BadRequest',
          'This Vault belongs to the rehearsal and goes away with it.',
          'Throw the rehearsal away instead.',
        );
      }
      const removed = await core.settings.removeVault(vaultId);
      changed();
      return removed.ok ? success({}) : removed;
    },
    async 'vaults.refresh'({ vaultId }) {
      if (!core.vaults().some((vault) => vault.id === vaultId)) return notFound('The Vault');
      await core.watch.refresh(vaultId);
      changed();
      return success({});
    },
  };
}
