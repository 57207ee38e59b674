import type { ReactNode } from 'react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { Picker } from '../../ui/Fields.tsx';
import { CheckValue, Fact, Facts, Note } from '../../ui/Pieces.tsx';
import { twinsOf } from '../../views/devices.ts';
import { tokenTitle } from '../../views/token-title.ts';

const words = text.plans.drill;

/** The second device: those with the same key check value; the device itself where that is offered. */
export function TargetPicker(props: {
  readonly view: AppView;
  readonly token: TokenView;
  readonly value: string;
  readonly error: string | undefined;
  readonly offersItself?: boolean;
  readonly onChange: (serial: string) => void;
}): ReactNode {
  const { view, token } = props;
  const twins = twinsOf(view, token);
  const chosen = twins.find((each) => each.serial === props.value);
  const choices = [
    ...twins.map((each) => ({ value: each.serial, title: tokenTitle(each), help: each.serial })),
    ...(props.offersItself === true
      ? [{ value: token.serial, title: words.sameDevice(tokenTitle(token)), help: words.sameHelp }]
      : []),
  ];
  return (
    <>
      {twins.length > 0 ? null : (
        <Note tone="warn" shape="unplug">
          <p>{words.targetsNone}</p>
        </Note>
      )}
      {choices.length === 0 ? null : (
        <Picker
          label={words.target}
          help={words.targetHelp}
          placeholder={words.targetNone}
          value={props.value}
          error={props.error}
          onChange={props.onChange}
          choices={choices}
        />
      )}
      {chosen === undefined || token.device === null ? null : (
        <Facts>
          <Fact name={words.bothShow} term="key-check-value" wide>
            <CheckValue value={token.device.dkek.keyCheckValue} />
          </Fact>
        </Facts>
      )}
    </>
  );
}
