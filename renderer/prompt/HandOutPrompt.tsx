import { useState, type ReactNode } from 'react';
import { EyeOff } from 'lucide-react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { getPromptBridge } from './bridge.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretDrawing } from './SecretDrawing.tsx';
import { groupsPerLine } from './share-canvas.ts';
import { firstDifferentGroup, toFormOf } from './share-format.ts';
import { TypeBack } from './TypeBack.tsx';
import { useSecret } from './use-secret.ts';
import { useShownSecret } from './use-shown-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.handOut;

type HandOutView = Extract<PromptView, { kind: 'hand-out' }>;

type Stage = 'before' | 'shown' | 'typing' | 'done';

export function HandOutPrompt({ view }: { readonly view: HandOutView }): ReactNode {
  const shown = useShownSecret();
  const typed = useSecret();
  const { what } = view;
  const [stage, setStage] = useState<Stage>('before');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(view.problem);

  const reveal = async (): Promise<void> => {
    setBusy(true);
    const pair = await createSealingKeyPair();
    const answer = await getPromptBridge().call('prompt.reveal', { id: view.id, publicKey: pair.publicKey });
    if (!answer.ok) setProblem(`${answer.error.message} ${answer.error.next}`);
    else {
      const opened = await openSecret(pair, answer.value.sealed, view.purpose);
      if (opened === undefined) setProblem(words.unopened);
      else {
        shown.take(opened);
        setProblem('');
        setStage('shown');
      }
    }
    setBusy(false);
  };

  const compare = async (): Promise<void> => {
    const back = toFormOf(shown.bytes, typed.buffer.peek());
    const same = equalInConstantTime(shown.bytes, back);
    const group = firstDifferentGroup(shown.bytes, back);
    back.fill(0);
    if (!same) {
      setProblem(words.differs(group, Math.ceil(group / groupsPerLine)));
      return;
    }
    setBusy(true);
    const answer = await getPromptBridge().call('prompt.confirm', { id: view.id });
    setBusy(false);
    if (!answer.ok) {
      setProblem(`${answer.error.message} ${answer.error.next}`);
      return;
    }
    typed.wipe();
    shown.wipe();
    setProblem('');
    setStage('done');
  };

  const confirm = {
    before: words.show[what](view.custodian),
    shown: promptText.drawing.written,
    typing: words.confirm,
    done: words.confirm,
  }[stage];
  const onConfirm = (): void => {
    if (stage === 'before') void reveal();
    else if (stage === 'shown') setStage('typing');
    else if (stage === 'typing') void compare();
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={words.title[what](view.custodian)}
      act={view.act}
      device={
        <>
          {view.vaultName === '' ? null : <strong>{view.vaultName}</strong>}
          <span className={css('serial')}>{view.label}</span>
        </>
      }
      problem={problem}
      confirm={confirm}
      ready={stage !== 'typing' || typed.characters > 0}
      busy={busy}
      done={stage === 'done'}
      onConfirm={onConfirm}
    >
      {stage === 'before' ? (
        <>
          <p className={css('warning')}>
            <EyeOff size={18} aria-hidden />
            <span>{words.before(view.custodian)}</span>
          </p>
          <p className={css('small')}>{words.paper[what]}</p>
        </>
      ) : null}
      {stage === 'shown' ? <SecretDrawing secret={shown} name={words.name[what]} /> : null}
      {stage === 'typing' ? (
        <TypeBack
          label={words.label[what]}
          typed={typed}
          expectedCharacters={shown.bytes.length}
          setProblem={setProblem}
          onLookAgain={() => {
            setStage('shown');
          }}
        />
      ) : null}
    </PromptFrame>
  );
}
