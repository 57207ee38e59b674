import type { ReactNode } from 'react';
import type { VaultView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { ActionMenu } from '../../ui/Dialogs.tsx';

/** What is done more rarely: a seal migration, and what a KMS plugin needs. The rehearsal's Vault has no configuration to change. */
export function VaultMenu({ vault }: { readonly vault: VaultView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const pages = { 'seal-migration': paths.sealMigration, 'transit-setup': paths.transitSetup } as const;
  const items = [
    ...(vault.rehearsal || vault.state === 'uninitialized'
      ? []
      : [{ id: 'seal-migration' as const, title: text.vaults.migrateSeal }]),
    ...(vault.state === 'unsealed' ? [{ id: 'transit-setup' as const, title: text.vaults.setUpTransit }] : []),
  ];
  if (items.length === 0) return null;
  return (
    <ActionMenu
      label={text.vaults.more}
      name={text.vaults.moreOf(vault.name)}
      items={items}
      onAction={(id) => {
        go(pages[id](vault.id));
      }}
    />
  );
}

/** What can be done with a server in the state it is in. */
export function VaultActs({ vault }: { readonly vault: VaultView }): ReactNode {
  const go = useNavigation((state) => state.go);
  if (vault.nodes.some((node) => node.state === 'sealed')) {
    return (
      <Button
        look="primary"
        name={`${text.vaults.unseal} ${vault.name}`}
        onPress={() => {
          go(paths.unseal(vault.id));
        }}
      >
        {text.vaults.unseal}
      </Button>
    );
  }
  if (vault.state === 'uninitialized') {
    return (
      <Button
        look="primary"
        name={`${text.vaults.initialize} ${vault.name}`}
        onPress={() => {
          go(paths.vaultInit(vault.id));
        }}
      >
        {text.vaults.initialize}
      </Button>
    );
  }
  return null;
}
