import type { ReactNode } from 'react';
import { Check } from 'lucide-react';
import { promptText } from '../text/prompt-en.ts';
import { Button } from '../ui/Button.tsx';
import { classesOf } from '../ui/classes.ts';
import { SecretInput } from './SecretInput.tsx';
import type { Secret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.drawing;

/** What was written down is typed back from the paper, so that it is known to be readable. */
export function TypeBack(props: {
  readonly label: string;
  readonly typed: Secret;
  readonly expectedCharacters: number;
  readonly setProblem: (problem: string) => void;
  readonly onLookAgain: () => void;
}): ReactNode {
  const { typed, setProblem } = props;
  return (
    <>
      <p className={css('good')}>
        <Check size={18} aria-hidden />
        {words.typeBack}
      </p>
      <SecretInput
        label={props.label}
        buffer={typed.buffer}
        characters={typed.characters}
        onChange={() => {
          setProblem('');
          typed.changed();
        }}
        onRefused={setProblem}
        count={`${String(typed.characters)} / ${String(props.expectedCharacters)}`}
        skipSpaces
        autoFocus
      />
      <div>
        <Button
          look="quiet"
          onPress={() => {
            setProblem('');
            props.onLookAgain();
          }}
        >
          {words.lookAgain}
        </Button>
      </div>
    </>
  );
}
