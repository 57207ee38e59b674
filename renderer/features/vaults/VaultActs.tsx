import type { ReactNode } from 'react';
import type { VaultView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';

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
