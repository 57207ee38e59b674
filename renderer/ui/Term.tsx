import type { ReactNode } from 'react';
import { Info } from 'lucide-react';
import { Button, Tooltip, TooltipTrigger } from 'react-aria-components';
import { text, type GlossaryTerm } from '../text/en.ts';
import { classesOf } from './classes.ts';
import styles from './controls.module.css';

const css = classesOf(styles);

/**
 * A small mark beside a word of the field; hovering or focusing it explains the word. slot={null}: the mark
 * stands inside fields that take their own buttons by slot.
 */
export function Term({ of }: { readonly of: GlossaryTerm }): ReactNode {
  const [word, explanation] = text.glossary[of];
  return (
    <TooltipTrigger delay={150} closeDelay={100}>
      <Button slot={null} className={css('term')} aria-label={text.common.whatIs(word)}>
        <Info size={15} aria-hidden />
      </Button>
      <Tooltip className={css('tooltip')} offset={6}>
        {explanation}
      </Tooltip>
    </TooltipTrigger>
  );
}

/** A name shown on hover and focus for a control that shows an icon only. */
export function Hint({ words, children }: { readonly words: string; readonly children: ReactNode }): ReactNode {
  return (
    <TooltipTrigger delay={300} closeDelay={50}>
      {children}
      <Tooltip className={css('tooltip')} placement="right" offset={6}>
        {words}
      </Tooltip>
    </TooltipTrigger>
  );
}
