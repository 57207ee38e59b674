import type { ReactNode } from 'react';
import { classesOf } from './classes.ts';
import styles from './code.module.css';

const css = classesOf(styles);

/** A text as it will be written: comments stand back, lines keep their place and wrap. */
export function TextBlock(props: {
  readonly label: string;
  readonly content: string;
  /** It is not what the form says now. */
  readonly stale?: boolean;
  readonly tall?: boolean;
}): ReactNode {
  return (
    <ol
      className={css('text', props.stale === true && 'stale', props.tall === true && 'tall')}
      aria-label={props.label}
      tabIndex={0}
    >
      {props.content
        .trimEnd()
        .split('\n')
        .map((line, index) => (
          <li
            key={index}
            className={css(
              'row',
              line.trimStart().startsWith('#') && 'comment',
              (line === '---' || /^(kind|apiVersion):/u.test(line)) && 'strong',
            )}
          >
            {line === '' ? ' ' : line}
          </li>
        ))}
    </ol>
  );
}
