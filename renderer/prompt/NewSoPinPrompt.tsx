import { useState, type ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { Choices } from '../ui/Fields.tsx';
import { makeSoPin, recogniseSoPin, soPinDigits } from './hex-format.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretDrawing } from './SecretDrawing.tsx';
import { SecretInput } from './SecretInput.tsx';
import { firstDifferentGroup, toLowerHex } from './share-format.ts';
import { TokenSubject } from './TokenSubject.tsx';
import { TypeBack } from './TypeBack.tsx';
import { useHandingOver } from './use-handing-over.ts';
import { useSecret, type Secret } from './use-secret.ts';
import { useShownSecret } from './use-shown-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.soPin;

type Stage = 'choice' | 'shown' | 'typing-back';
type Way = 'made' | 'own';

/** Small letters in memory of their own; the typed bytes stay with their field. */
const digitsOf = (secret: Secret): Uint8Array<ArrayBuffer> => toLowerHex(secret.buffer.peek(), 'hex');

function sameDigits(one: Secret, other: Secret): boolean {
  const left = digitsOf(one);
  const right = digitsOf(other);
  const same = equalInConstantTime(left, right);
  left.fill(0);
  right.fill(0);
  return same;
}

/**
 * A new SO-PIN for a SmartCard-HSM: made here at random, shown once to be written on the paper form and typed
 * back before it is used; or the person's own, typed twice. The public one is refused.
 */
export function NewSoPinPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'pin' }> }): ReactNode {
  const made = useShownSecret();
  const typed = useSecret();
  const again = useSecret();
  const [stage, setStage] = useState<Stage>('choice');
  const [way, setWay] = useState<Way>('made');
  const { busy, done, problem, setProblem, submit } = useHandingOver(view);
  const form = recogniseSoPin(typed.buffer.peek());
  const same = sameDigits(typed, again);

  const compare = (): void => {
    const back = digitsOf(typed);
    const equal = equalInConstantTime(made.bytes, back);
    const group = firstDifferentGroup(made.bytes, back);
    back.fill(0);
    if (!equal) {
      setProblem(words.differs(group));
      return;
    }
    typed.wipe();
    const bytes = made.bytes.slice();
    made.wipe();
    void submit(bytes).then((taken) => {
      // What was on the paper is not here any more: another one has to be made.
      if (!taken) setStage('choice');
    });
  };
  const handOverOwn = (): void => {
    const bytes = digitsOf(typed);
    typed.wipe();
    again.wipe();
    void submit(bytes);
  };
  const onConfirm = (): void => {
    if (stage === 'typing-back') compare();
    else if (stage === 'shown') setStage('typing-back');
    else if (way === 'own') handOverOwn();
    else {
      made.take(makeSoPin());
      setStage('shown');
    }
  };
  const changeWay = (chosen: Way): void => {
    typed.wipe();
    again.wipe();
    setProblem('');
    setWay(chosen);
  };
  const confirm = {
    choice: way === 'made' ? words.show : promptText.pin.confirm,
    shown: promptText.drawing.written,
    'typing-back': words.compare,
  }[stage];
  const ready = {
    choice: way === 'made' || (form === 'complete' && same),
    shown: true,
    'typing-back': typed.characters > 0,
  }[stage];
  return (
    <PromptFrame
      promptId={view.id}
      title={promptText.pin.titleNew.so}
      act={view.act}
      device={<TokenSubject tokenLabel={view.tokenLabel} tokenSerial={view.tokenSerial} />}
      problem={problem}
      confirm={confirm}
      ready={ready}
      busy={busy}
      done={done}
      onConfirm={onConfirm}
    >
      {stage === 'choice' ? (
        <Choices
          label={words.way}
          value={way}
          onChange={changeWay}
          choices={[
            { value: 'made', title: words.made },
            { value: 'own', title: words.own },
          ]}
        />
      ) : null}
      {stage === 'choice' && way === 'made' ? <p className={css('small')}>{words.madeHelp}</p> : null}
      {stage === 'choice' && way === 'own' ? (
        <>
          <SecretInput
            label={promptText.pin.label.so}
            buffer={typed.buffer}
            characters={typed.characters}
            onChange={() => {
              setProblem('');
              typed.changed();
            }}
            onRefused={setProblem}
            count={words.of(typed.characters, soPinDigits)}
            hint={words.forms[form]}
            skipSpaces
            autoFocus
          />
          <SecretInput
            label={promptText.pin.again.so}
            buffer={again.buffer}
            characters={again.characters}
            onChange={() => {
              setProblem('');
              again.changed();
            }}
            onRefused={setProblem}
            count={words.of(again.characters, soPinDigits)}
            hint={again.characters === 0 ? '' : same ? promptText.pin.same : promptText.pin.differ}
            skipSpaces
          />
        </>
      ) : null}
      {stage === 'shown' ? (
        <>
          <p className={css('small')}>{words.paper}</p>
          <SecretDrawing secret={made} name={words.name} oneLine />
        </>
      ) : null}
      {stage === 'typing-back' ? (
        <TypeBack
          label={words.fromPaper}
          typed={typed}
          expectedCharacters={soPinDigits}
          setProblem={setProblem}
          onLookAgain={() => {
            setStage('shown');
          }}
        />
      ) : null}
    </PromptFrame>
  );
}
