import { useState, type ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { Tick } from '../ui/Fields.tsx';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretInput } from './SecretInput.tsx';
import { TokenSubject } from './TokenSubject.tsx';
import { TriesLeft, triesOf } from './TriesLeft.tsx';
import { useHandingOver } from './use-handing-over.ts';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.pin;

export function PinPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'pin' }> }): ReactNode {
  const pin = useSecret();
  const again = useSecret();
  const [consent, setConsent] = useState(false);
  const { busy, done, problem, setProblem, submit } = useHandingOver(view);
  const { locked, lastTry } = triesOf(view);
  const length = pin.buffer.byteLength;
  const lengthProblem =
    length < view.minimumLength
      ? words.tooShort(view.minimumLength)
      : length > view.maximumLength
        ? words.tooLong(view.maximumLength)
        : '';
  const same = !view.isNew || equalInConstantTime(pin.buffer.peek(), again.buffer.peek());
  // An existing PIN may be older than today's rule, so its length is the token's to judge.
  const longEnough = view.isNew ? lengthProblem === '' : length > 0;
  const ready = !locked && longEnough && same && (!lastTry || consent);
  const handOver = (): void => {
    again.wipe();
    const bytes = pin.buffer.take();
    pin.changed();
    void submit(bytes, lastTry && consent);
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={(view.isNew ? words.titleNew : words.title)[view.role]}
      act={view.act}
      device={<TokenSubject tokenLabel={view.tokenLabel} tokenSerial={view.tokenSerial} />}
      problem={problem}
      confirm={words.confirm}
      ready={ready}
      busy={busy}
      done={done}
      onConfirm={handOver}
    >
      <TriesLeft view={view} />
      <SecretInput
        label={words.label[view.role]}
        buffer={pin.buffer}
        characters={pin.characters}
        onChange={() => {
          setProblem('');
          pin.changed();
        }}
        onRefused={setProblem}
        count={promptText.characters(pin.characters)}
        hint={
          view.isNew
            ? length > 0 && lengthProblem !== ''
              ? lengthProblem
              : words.rule(view.minimumLength, view.maximumLength)
            : ''
        }
        autoFocus
        disabled={locked}
      />
      {view.isNew ? (
        <>
          <SecretInput
            label={words.again[view.role]}
            buffer={again.buffer}
            characters={again.characters}
            onChange={() => {
              setProblem('');
              again.changed();
            }}
            onRefused={setProblem}
            count={promptText.characters(again.characters)}
            hint={again.characters === 0 ? '' : same ? words.same : words.differ}
          />
          <p className={css('small')}>{words.newNote[view.role]}</p>
        </>
      ) : null}
      {lastTry ? <Tick label={words.consent} checked={consent} onChange={setConsent} /> : null}
    </PromptFrame>
  );
}
