import type { ReactNode } from 'react';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);

/** The token that a prompt is about, by label and serial. */
export function TokenSubject(props: { readonly tokenLabel: string; readonly tokenSerial: string }): ReactNode {
  return (
    <>
      {props.tokenLabel === '' ? null : <strong>{props.tokenLabel}</strong>}
      {props.tokenSerial === '' ? null : (
        <span>
          {promptText.serial} <span className={css('serial')}>{props.tokenSerial}</span>
        </span>
      )}
    </>
  );
}
