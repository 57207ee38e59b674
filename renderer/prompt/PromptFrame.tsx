import { useEffect, useRef, type ReactNode } from 'react';
import { CircleAlert } from 'lucide-react';
import { promptText } from '../text/prompt-en.ts';
import { Button } from '../ui/Button.tsx';
import { classesOf } from '../ui/classes.ts';
import { getPromptBridge } from './bridge.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);

/** What every prompt has: what it is for, what went wrong, one main button and Cancel. */
export function PromptFrame(props: {
  readonly promptId: string;
  readonly title: string;
  readonly act: string;
  readonly device: ReactNode;
  readonly problem: string;
  readonly confirm: string;
  readonly ready: boolean;
  readonly busy: boolean;
  readonly done: boolean;
  readonly onConfirm: () => void;
  readonly children: ReactNode;
}): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // A prompt that opens with nothing to type into; its main button would be one Enter too near.
    if (document.activeElement === document.body) heading.current?.focus();
  }, []);
  return (
    <form
      className={css('form')}
      aria-label={props.title}
      autoComplete="off"
      onSubmit={(event) => {
        event.preventDefault();
        if (props.ready && !props.busy && !props.done) props.onConfirm();
      }}
    >
      <main className={css('body')}>
        <div className={css('subject')}>
          <h1 ref={heading} tabIndex={-1}>
            {props.title}
          </h1>
          <div className={css('device')}>{props.device}</div>
          <p className={css('act')}>{props.act}</p>
        </div>
        <div role="alert" className={css('notice')}>
          {props.problem === '' ? null : (
            <p className={css('problem')}>
              <CircleAlert size={18} aria-hidden />
              <span>{props.problem}</span>
            </p>
          )}
        </div>
        {props.done ? <p role="status">{promptText.closing}</p> : props.children}
      </main>
      <div className={css('actions')}>
        <Button onPress={() => void getPromptBridge().call('prompt.cancel', { id: props.promptId })}>
          {promptText.cancel}
        </Button>
        <Button look="primary" type="submit" disabled={!props.ready || props.done} pending={props.busy}>
          {props.confirm}
        </Button>
      </div>
    </form>
  );
}
