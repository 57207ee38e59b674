import { useState, type ReactNode } from 'react';
import { TriangleAlert } from 'lucide-react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { Tick } from '../ui/Fields.tsx';
import { getPromptBridge } from './bridge.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretInput } from './SecretInput.tsx';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.pin;

export function PinPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'pin' }> }): ReactNode {
  const pin = useSecret();
  const again = useSecret();
  const [consent, setConsent] = useState(false);
  const [problem, setProblem] = useState(view.problem);
  const [state, setState] = useState<'typing' | 'busy' | 'done'>('typing');
  const locked = !view.isNew && view.pinState === 'locked';
  const lastTry = !view.isNew && view.pinState === 'final-try';
  const tries = view.isNew ? '' : words.tries[view.pinState];
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
  const submit = async (): Promise<void> => {
    setState('busy');
    again.wipe();
    const sealed = await sealSecret(view.recipient, pin.buffer.take(), view.purpose);
    pin.changed();
    const answer = await getPromptBridge().call('prompt.submit', {
      id: view.id,
      sealed,
      consentToLastTry: lastTry && consent,
    });
    setState(answer.ok ? 'done' : 'typing');
    if (!answer.ok) setProblem(`${answer.error.message} ${answer.error.next}`);
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={(view.isNew ? words.titleNew : words.title)[view.role]}
      act={view.act}
      device={
        <>
          <strong>{view.tokenLabel}</strong>
          {view.tokenSerial === '' ? null : (
            <span>
              {promptText.serial} <span className={css('serial')}>{view.tokenSerial}</span>
            </span>
          )}
        </>
      }
      problem={problem}
      confirm={words.confirm}
      ready={ready}
      busy={state === 'busy'}
      done={state === 'done'}
      onConfirm={() => void submit()}
    >
      {tries === '' ? null : (
        <p className={css(view.pinState === 'count-low' ? 'warning' : 'problem')}>
          <TriangleAlert size={18} aria-hidden />
          <span>{tries}</span>
        </p>
      )}
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
