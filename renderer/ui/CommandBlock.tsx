import { useState, type ReactNode } from 'react';
import { ClipboardCopy, Terminal } from 'lucide-react';
import { text } from '../text/en.ts';
import { Button } from './Button.tsx';
import { classesOf } from './classes.ts';
import styles from './panels.module.css';

const css = classesOf(styles);
const words = text.devices;

/**
 * Commands for a terminal, one a line.
 * @param copy asks main to put them on the clipboard, for which windows have no permission; answers whether it did
 */
export function CommandBlock({
  commands,
  copy,
}: {
  readonly commands: string;
  readonly copy: () => Promise<boolean>;
}): ReactNode {
  const [copied, setCopied] = useState(false);
  return (
    <div className={css('commands')}>
      <div className={css('commandsHead')}>
        <Terminal size={16} aria-hidden />
        <span>{words.commandsHelp}</span>
        <Button look="quiet" icon={<ClipboardCopy size={16} aria-hidden />} onPress={() => void copy().then(setCopied)}>
          {words.copyCommands}
        </Button>
      </div>
      <pre className={css('commandLines')} tabIndex={0} aria-label={words.commandsLabel}>
        {commands}
      </pre>
      <span role="status" className={css('commandsSaid')}>
        {copied ? words.commandsCopied : ''}
      </span>
    </div>
  );
}
