import { useState, type ReactNode } from 'react';
import type { DriftObjectView } from '../../electron/contract/views.ts';
import { text } from '../text/en.ts';
import { Button } from './Button.tsx';
import { classesOf } from './classes.ts';
import styles from './code.module.css';

const css = classesOf(styles);
const words = text.diff;

type Line = DriftObjectView['diff'][number];

/** Beyond this, lines are shown on demand: a ConfigMap may have thousands. */
const shownAtOnce = 200;
const signs = { same: ' ', added: '+', removed: '−', gap: '⋯' } as const;

/** Lines that come and go: by a sign, a word for screen readers, a weight and a colour, never the colour alone. */
export function Diff({ name, lines }: { readonly name: string; readonly lines: readonly Line[] }): ReactNode {
  const [all, setAll] = useState(false);
  const shown = all ? lines : lines.slice(0, shownAtOnce);
  return (
    <div className={css('diff')}>
      <ol className={css('lines')} aria-label={words.label(name)} tabIndex={0}>
        {shown.map((line, index) => (
          <li key={index} className={css('line', line.kind)}>
            <span className={css('sign')} aria-hidden>
              {signs[line.kind]}
            </span>
            <span className={css('code')}>
              {line.kind === 'same' ? null : <span className={css('heard')}>{`${words[line.kind]}: `}</span>}
              {line.text}
            </span>
          </li>
        ))}
      </ol>
      {shown.length === lines.length ? null : (
        <Button
          look="quiet"
          onPress={() => {
            setAll(true);
          }}
        >
          {words.more(lines.length - shown.length)}
        </Button>
      )}
    </div>
  );
}
