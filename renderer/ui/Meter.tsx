import type { ReactNode } from 'react';
import { Label, Meter as AriaMeter } from 'react-aria-components';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);

/** How much of something is taken, said in words beside it. @param taken 0 to 1 */
export function Meter(props: {
  readonly label: string;
  readonly words: string;
  readonly taken: number;
  readonly low: boolean;
}): ReactNode {
  const percent = Math.round(Math.min(1, Math.max(0, props.taken)) * 100);
  return (
    <AriaMeter className={css('meter')} value={percent} valueLabel={props.words}>
      <span className={css('meterText')}>
        <Label className={css('meterLabel')}>{props.label}</Label>
        <span className={css(props.low && 'meterLow')}>{props.words}</span>
      </span>
      <span className={css('meterTrack')} aria-hidden>
        <span className={css('meterFill', props.low && 'meterFillLow')} style={{ width: `${String(percent)}%` }} />
      </span>
    </AriaMeter>
  );
}
