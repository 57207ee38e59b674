import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { Check, EyeOff, Volume2 } from 'lucide-react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { createSealingKeyPair, openSecret } from '../../electron/sealing/sealed.ts';
import { promptText } from '../text/prompt-en.ts';
import { Button } from '../ui/Button.tsx';
import { classesOf } from '../ui/classes.ts';
import { getPromptBridge } from './bridge.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretInput } from './SecretInput.tsx';
import { clearCanvas, drawShare, groupsPerLine } from './share-canvas.ts';
import { firstDifferentGroup, recogniseShare, shareGroupLength, toLowerHex } from './share-format.ts';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.handOut;

/** The one share this window holds while it is shown and typed back; wiped with the page. */
class ShownShare {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  /** @param bytes belongs to this object from here on */
  take(bytes: Uint8Array<ArrayBuffer>): void {
    this.wipe();
    this.bytes = bytes;
  }
  wipe(): void {
    this.bytes.fill(0);
    this.bytes = new Uint8Array(0);
  }
}

type Stage = 'before' | 'shown' | 'typing' | 'done';

export function HandOutPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'hand-out' }> }): ReactNode {
  const shown = useMemo(() => new ShownShare(), []);
  const typed = useSecret();
  const [stage, setStage] = useState<Stage>('before');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState(view.problem);
  useEffect(() => {
    const wipe = (): void => {
      shown.wipe();
    };
    window.addEventListener('pagehide', wipe);
    return () => {
      window.removeEventListener('pagehide', wipe);
      wipe();
    };
  }, [shown]);

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
    const form = recogniseShare(typed.buffer.peek());
    const back =
      form === 'hex' || form === 'base64' ? toLowerHex(typed.buffer.peek(), form) : typed.buffer.peek().slice();
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
    before: words.show(view.custodian),
    shown: words.written,
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
      title={words.title(view.custodian)}
      act={view.act}
      device={
        <>
          {promptText.vault} <strong>{view.vaultName}</strong>
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
          <p className={css('small')}>{words.paper}</p>
        </>
      ) : null}
      {stage === 'shown' ? <ShareDrawing share={shown} /> : null}
      {stage === 'typing' ? (
        <>
          <p className={css('good')}>
            <Check size={18} aria-hidden />
            {words.typeBack}
          </p>
          <SecretInput
            label={words.label}
            buffer={typed.buffer}
            characters={typed.characters}
            onChange={() => {
              setProblem('');
              typed.changed();
            }}
            onRefused={setProblem}
            count={`${String(typed.characters)} / ${String(shown.bytes.length)}`}
            skipSpaces
            autoFocus
          />
          <div>
            <Button
              look="quiet"
              onPress={() => {
                setProblem('');
                setStage('shown');
              }}
            >
              {words.lookAgain}
            </Button>
          </div>
        </>
      ) : null}
    </PromptFrame>
  );
}

function ShareDrawing({ share }: { readonly share: ShownShare }): ReactNode {
  const canvas = useRef<HTMLCanvasElement>(null);
  const aloud = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return undefined;
    const draw = (): void => {
      drawShare(element, share.bytes);
    };
    draw();
    window.addEventListener('resize', draw);
    return () => {
      window.removeEventListener('resize', draw);
      clearCanvas(element);
    };
  }, [share]);
  // Only here, on the person's own demand, does the share become text in the page; it goes with the drawing.
  const readAloud = (): void => {
    const element = aloud.current;
    if (element === null) return;
    element.replaceChildren();
    const perLine = shareGroupLength * groupsPerLine;
    for (let line = 0; line * perLine < share.bytes.length; line += 1) {
      const paragraph = document.createElement('p');
      const spelled = Array.from(share.bytes.subarray(line * perLine, (line + 1) * perLine), (byte) =>
        String.fromCharCode(byte),
      ).join(' ');
      paragraph.textContent = `${words.line(line + 1)}: ${spelled}`;
      element.append(paragraph);
    }
  };
  return (
    <>
      <canvas ref={canvas} className={css('canvas')} role="img" aria-label={words.picture} />
      <div className={css('aloud')}>
        <span className={css('small')}>{words.readAloudWarning}</span>
        <Button look="quiet" icon={<Volume2 size={16} aria-hidden />} onPress={readAloud}>
          {words.readAloud}
        </Button>
      </div>
      <div ref={aloud} className={css('heard')} aria-live="assertive" />
    </>
  );
}
