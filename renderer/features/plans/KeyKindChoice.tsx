import type { ReactNode } from 'react';
import type { WrappingKeyKind } from '../../../electron/workflows/key-kinds.ts';
import { text } from '../../text/en.ts';
import { Choices } from '../../ui/Fields.tsx';
import { Note } from '../../ui/Pieces.tsx';
import { isCurve, keyKindName, keyKindOfText, keyKinds } from '../../views/key-kinds.ts';

const words = text.plans.tokenSetup;

/** Which kind of wrapping key is made, with what follows from one of a curve. */
export function KeyKindChoice({
  label,
  value,
  onChange,
}: {
  readonly label: string;
  readonly value: WrappingKeyKind;
  readonly onChange: (kind: WrappingKeyKind) => void;
}): ReactNode {
  return (
    <>
      <Choices
        label={label}
        term="wrapping-key"
        value={String(value)}
        onChange={(chosen) => {
          onChange(keyKindOfText(chosen));
        }}
        choices={keyKinds.map((kind) => ({
          value: String(kind),
          title: keyKindName(kind),
          help: words.kindHelp[kind],
        }))}
      />
      {isCurve(value) ? (
        <Note tone="warn" shape="alert" title={words.curveTitle}>
          <p>{words.curveText}</p>
        </Note>
      ) : null}
    </>
  );
}
