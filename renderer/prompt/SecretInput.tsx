import { useEffect, useId, useRef, type ReactNode } from 'react';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import type { SecretBuffer } from './secret-buffer.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const bullet = '•';

/**
 * A field that never holds what is typed: keys go to the buffer and are stopped, the element's value is
 * bullets. It is of type password, so that no input method, spell checker or autofill takes part.
 */
export function SecretInput(props: {
  readonly label: string;
  readonly buffer: SecretBuffer;
  /** How many characters the buffer holds: changes redraw the bullets. */
  readonly characters: number;
  readonly onChange: () => void;
  readonly onRefused: (why: string) => void;
  readonly count: string;
  readonly hint?: string;
  /** Spaces between groups are left out. */
  readonly skipSpaces?: boolean;
  readonly autoFocus?: boolean;
  readonly disabled?: boolean;
}): ReactNode {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const handlers = useRef(props);
  useEffect(() => {
    handlers.current = props;
  });

  useEffect(() => {
    const element = input.current;
    if (element === null) return undefined;
    const allSelected = (): boolean =>
      element.value !== '' && element.selectionStart === 0 && element.selectionEnd === element.value.length;
    const type = (text: string): void => {
      const { buffer, skipSpaces, onChange, onRefused } = handlers.current;
      if (allSelected()) buffer.wipe();
      const kept = skipSpaces === true && text.trim() === '';
      if (!kept && !buffer.append(text)) onRefused(promptText.full);
      onChange();
    };
    const erase = (): void => {
      const { buffer, onChange } = handlers.current;
      if (allSelected()) buffer.wipe();
      else buffer.removeLast();
      onChange();
    };
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.isComposing) return;
      const command = (event.ctrlKey || event.metaKey) && !event.getModifierState('AltGraph');
      if (event.key === 'Enter') {
        // Said outright: a stopped beforeinput would stop the form's own submit by Enter as well.
        event.preventDefault();
        element.form?.requestSubmit();
      } else if (event.key === 'Backspace' || event.key === 'Delete') {
        event.preventDefault();
        erase();
      } else if (
        !command &&
        !(event.altKey && !event.getModifierState('AltGraph')) &&
        Array.from(event.key).length === 1
      ) {
        event.preventDefault();
        type(event.key);
      } else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp' || event.key === 'Home') {
        // Bytes are added and taken at the end only, so the caret stays there.
        event.preventDefault();
      }
    };
    const onBeforeInput = (event: InputEvent): void => {
      event.preventDefault();
      if (event.inputType === 'insertFromPaste' || event.inputType === 'insertFromDrop')
        handlers.current.onRefused(promptText.pasteRefused);
      else if (event.inputType.startsWith('delete')) erase();
      else if (event.inputType === 'insertText' && event.data !== null) type(event.data);
    };
    // A dead key's composition cannot be stopped before it ends; its result is taken and the bullets are put back.
    const onCompositionEnd = (event: CompositionEvent): void => {
      if (event.data !== '') type(event.data);
      element.value = bullet.repeat(handlers.current.buffer.characters);
    };
    const refusePaste = (event: Event): void => {
      event.preventDefault();
      handlers.current.onRefused(promptText.pasteRefused);
    };
    const refuse = (event: Event): void => {
      event.preventDefault();
    };
    element.addEventListener('keydown', onKeyDown);
    element.addEventListener('beforeinput', onBeforeInput);
    element.addEventListener('compositionend', onCompositionEnd);
    element.addEventListener('paste', refusePaste);
    element.addEventListener('drop', refusePaste);
    element.addEventListener('copy', refuse);
    element.addEventListener('cut', refuse);
    return () => {
      element.removeEventListener('keydown', onKeyDown);
      element.removeEventListener('beforeinput', onBeforeInput);
      element.removeEventListener('compositionend', onCompositionEnd);
      element.removeEventListener('paste', refusePaste);
      element.removeEventListener('drop', refusePaste);
      element.removeEventListener('copy', refuse);
      element.removeEventListener('cut', refuse);
    };
  }, []);

  useEffect(() => {
    const element = input.current;
    if (element !== null && document.activeElement === element)
      element.setSelectionRange(element.value.length, element.value.length);
  }, [props.characters]);

  return (
    <div className={css('field')}>
      <label className={css('label')} htmlFor={id}>
        {props.label}
      </label>
      <input
        ref={input}
        id={id}
        type="password"
        className={css('input')}
        value={bullet.repeat(props.characters)}
        onChange={() => undefined}
        autoFocus={props.autoFocus === true}
        disabled={props.disabled === true}
        autoComplete="off"
        spellCheck={false}
        aria-describedby={`${id}-count ${id}-hint`}
      />
      <div className={css('under')}>
        <span id={`${id}-count`} role="status">
          {props.count}
        </span>
        <span id={`${id}-hint`}>{props.hint}</span>
      </div>
    </div>
  );
}
