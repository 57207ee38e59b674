import type { ReactNode } from 'react';
import { TriangleAlert } from 'lucide-react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);

type PinView = Extract<PromptView, { kind: 'pin' }>;

/** Whether nothing can be typed any more, and whether the next wrong try is the last one. A new PIN has no tries. */
export function triesOf({ isNew, pinState }: PinView): { readonly locked: boolean; readonly lastTry: boolean } {
  return { locked: !isNew && pinState === 'locked', lastTry: !isNew && pinState === 'final-try' };
}

export function TriesLeft({ view }: { readonly view: PinView }): ReactNode {
  const tries = view.isNew ? '' : promptText.pin.tries[view.pinState];
  if (tries === '') return null;
  return (
    <p className={css(view.pinState === 'count-low' ? 'warning' : 'problem')}>
      <TriangleAlert size={18} aria-hidden />
      <span>{tries}</span>
    </p>
  );
}
