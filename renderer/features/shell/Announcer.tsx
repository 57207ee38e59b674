import { useEffect, useRef, useState, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { changesToAnnounce } from '../../views/announcements.ts';
import styles from './shell.module.css';

const css = classesOf(styles);

/** Says what changed (steps, seal states, the rehearsal) to screen readers, wherever the focus is. */
export function Announcer({ view }: { readonly view: AppView }): ReactNode {
  const before = useRef(view);
  const [words, setWords] = useState('');
  useEffect(() => {
    const changes = changesToAnnounce(before.current, view);
    before.current = view;
    if (changes.length > 0) setWords(changes.join('. '));
  }, [view]);
  return (
    <div className={css('heard')} role="status" aria-label={text.app.name}>
      {words}
    </div>
  );
}
