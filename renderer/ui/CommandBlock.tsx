import { useRef, useState, type ReactNode } from 'react';
import { Terminal } from 'lucide-react';
import { text } from '../text/en.ts';
import { Button } from './Button.tsx';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);
const words = text.devices;

/**
 * Commands for a terminal, one a line. Windows have no permission for the clipboard: the button selects the
 * commands, and the desktop's own Ctrl+C copies them.
 */
export function CommandBlock({ commands }: { readonly commands: string }): ReactNode {
  const block = useRef<HTMLPreElement>(null);
  const [selected, setSelected] = useState(false);
  const select = (): void => {
    const selection = getSelection();
    if (block.current === null || selection === null) return;
    selection.selectAllChildren(block.current);
    block.current.focus();
    setSelected(true);
  };
  return (
    <div className={css('commands')}>
      <div className={css('commandsHead')}>
        <Terminal size={16} aria-hidden />
        <span>{words.commandsHelp}</span>
        <Button look="quiet" onPress={select}>
          {words.select}
        </Button>
      </div>
      <pre ref={block} className={css('commandLines')} tabIndex={0} aria-label={words.commandsLabel}>
        {commands}
      </pre>
      <span role="status" className={css('commandsSaid')}>
        {selected ? words.selected : ''}
      </span>
    </div>
  );
}
