import type { ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { SecretInput } from './SecretInput.tsx';
import { recogniseShare, toLowerHex } from './share-format.ts';
import { useHandingOver } from './use-handing-over.ts';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.share;

export function SharePrompt({ view }: { readonly view: Extract<PromptView, { kind: 'share' }> }): ReactNode {
  const share = useSecret();
  const { busy, done, problem, setProblem, submit } = useHandingOver(view);
  const form = recogniseShare(share.buffer.peek());
  const handOver = (): void => {
    if (form !== 'hex' && form !== 'base64') return;
    const typed = share.buffer.take();
    const hex = toLowerHex(typed, form);
    typed.fill(0);
    share.changed();
    void submit(hex);
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={words.title}
      act={view.act}
      device={
        <>
          {promptText.vault} <strong>{view.vaultName}</strong>
        </>
      }
      problem={problem}
      confirm={words.confirm}
      ready={form === 'hex' || form === 'base64'}
      busy={busy}
      done={done}
      onConfirm={handOver}
    >
      <SecretInput
        label={words.label}
        buffer={share.buffer}
        characters={share.characters}
        onChange={() => {
          setProblem('');
          share.changed();
        }}
        onRefused={setProblem}
        count={words.of(share.characters)}
        hint={words.forms[form]}
        skipSpaces
        autoFocus
      />
      <p className={css('small')}>{words.help}</p>
    </PromptFrame>
  );
}
