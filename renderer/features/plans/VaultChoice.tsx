import type { ReactNode } from 'react';
import type { VaultView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { Picker } from '../../ui/Fields.tsx';

/** Which Vault a plan is for; each says its state. */
export function VaultChoice(props: {
  readonly words: { readonly vault: string; readonly vaultNone: string };
  readonly vaults: readonly VaultView[];
  /** Its id; '' for none yet. */
  readonly value: string;
  readonly onChange: (vaultId: string) => void;
  /** Said once one is chosen. */
  readonly error?: string | undefined;
  readonly help?: string | undefined;
  readonly isFit?: (vault: VaultView) => boolean;
}): ReactNode {
  const { words, vaults, value, error, help, isFit } = props;
  return (
    <Picker
      label={words.vault}
      placeholder={words.vaultNone}
      value={value}
      error={value === '' ? undefined : error}
      {...(help === undefined ? {} : { help })}
      onChange={props.onChange}
      choices={vaults.map((each) => ({
        value: each.id,
        title: each.name,
        help: text.states.vault[each.state],
        disabled: isFit?.(each) === false,
      }))}
    />
  );
}
