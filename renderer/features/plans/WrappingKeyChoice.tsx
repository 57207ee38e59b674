import type { ReactNode } from 'react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { Picker } from '../../ui/Fields.tsx';
import { wrappingLabels } from '../../views/devices.ts';
import { effectiveWrappingKey } from './value-forms.ts';

/** One of the token's wrapping keys, by its label. Nothing is wrong before the token was read. */
export function WrappingKeyChoice(props: {
  readonly label: string;
  readonly none: string;
  readonly token: TokenView;
  /** Its label; '' for the one that is tried first. */
  readonly value: string;
  readonly error?: string | undefined;
  readonly onChange: (label: string) => void;
}): ReactNode {
  const { token } = props;
  return (
    <Picker
      label={props.label}
      term="wrapping-key"
      placeholder={token.inspected ? props.none : text.token.reading}
      value={effectiveWrappingKey(token, props.value)}
      error={token.inspected ? props.error : undefined}
      onChange={props.onChange}
      choices={wrappingLabels(token).map((label) => ({ value: label, title: label }))}
    />
  );
}
