import { useState, type ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { sealSecret } from '../../electron/sealing/sealed.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { getPromptBridge } from './bridge.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { SecretInput } from './SecretInput.tsx';
import { recogniseShare, toLowerHex } from './share-format.ts';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.share;

export function SharePrompt({ view }: { readonly view: Extract<PromptView, { kind: 'share' }> }): ReactNode {
  const share = useSecret();
  const [problem, setProblem] = useState(view.problem);
  const [state, setState] = useState<'typing' | 'busy' | 'done'>('typing');
  const form = recogniseShare(share.buffer.peek());
  const submit = async (): Promise<void> => {
    if (form !== 'hex' && form !== 'base64') return;
    setState('busy');
    const typed = share.buffer.take();
    const hex = toLowerHex(typed, form);
    typed.fill(0);
    share.changed();
    const sealed = await sealSecret(view.recipient, hex, view.purpose);
    const answer = await getPromptBridge().call('prompt.submit', { id: view.id, sealed, consentToLastTry: false });
    setState(answer.ok ? 'done' : 'typing');
    if (!answer.ok) setProblem(`${answer.error.message} ${answer.error.next}`);
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
      busy={state === 'busy'}
      done={state === 'done'}
      onConfirm={() => void submit()}
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
