import type { ReactNode } from 'react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { Meter } from '../../ui/Meter.tsx';
import { CheckValue } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { Term } from '../../ui/Term.tsx';
import type { GlossaryTerm } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { backupMark, memoryOf, pinMark, soPinMark, type Mark } from '../../views/devices.ts';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.devices;

export function MarkOf({ mark }: { readonly mark: Mark }): ReactNode {
  return (
    <StateMark tone={mark.tone} shape={mark.shape}>
      {mark.words}
    </StateMark>
  );
}

/** One instrument: what is measured on the left, what it shows on the right. */
function Reading(props: {
  readonly name: string;
  readonly term?: GlossaryTerm;
  readonly mark?: Mark;
  readonly children?: ReactNode;
}): ReactNode {
  return (
    <div className={css('reading')}>
      <dt>
        {props.name}
        {props.term === undefined ? null : <Term of={props.term} />}
      </dt>
      <dd>
        {props.children}
        {props.mark === undefined ? null : <MarkOf mark={props.mark} />}
      </dd>
    </div>
  );
}

/** PIN, SO-PIN and DKEK with what is left of each, as on the front of an instrument. */
export function Readings({ token, pinsOnly }: { readonly token: TokenView; readonly pinsOnly?: boolean }): ReactNode {
  const { device } = token;
  return (
    <dl className={css('readings')}>
      <Reading name={words.pin} term="pin" mark={pinMark(token)} />
      <Reading name={words.soPin} term="so-pin" mark={soPinMark(token)} />
      {device === null || pinsOnly === true ? null : (
        <Reading name={words.dkek} term="dkek" mark={backupMark(token, device)} />
      )}
      {device === null || pinsOnly === true || device.dkek.keyCheckValue === '' ? null : (
        <Reading name={words.keyCheckValue} term="key-check-value">
          <CheckValue value={device.dkek.keyCheckValue} />
        </Reading>
      )}
    </dl>
  );
}

export function MemoryMeter({ token }: { readonly token: TokenView }): ReactNode {
  const memory = memoryOf(token);
  if (memory === undefined) return null;
  return (
    <div>
      <Meter label={words.memory} words={memory.words} taken={memory.taken} low={memory.low} />
      {memory.low ? <p className={css('quiet')}>{words.memoryLow}</p> : null}
    </div>
  );
}
