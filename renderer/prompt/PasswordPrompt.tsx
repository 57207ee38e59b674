import type { ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { countHexDigits, pieceDigits, recognisePiece } from './hex-format.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { equalInConstantTime } from './secret-buffer.ts';
import { SecretInput } from './SecretInput.tsx';
import { TokenSubject } from './TokenSubject.tsx';
import { useHandingOver } from './use-handing-over.ts';
import { useSecret } from './use-secret.ts';
import styles from './prompt.module.css';

const css = classesOf(styles);
const words = promptText.password;

type PasswordView = Extract<PromptView, { kind: 'password' }>;

const labels: Readonly<Record<PasswordView['form'], string>> = {
  password: words.label,
  piece: words.labelPiece,
  'secret-value': words.labelValue,
  'vault-token': words.labelVaultToken,
};

function titleOf({ form, isNew }: PasswordView): string {
  switch (form) {
    case 'password':
      return isNew ? words.titleNew : words.title;
    case 'piece':
      return words.titlePiece;
    case 'secret-value':
      return words.titleValue;
    case 'vault-token':
      return words.titleVaultToken;
  }
}

/**
 * The password of a DKEK share, a new one typed twice, or one custodian's piece of it in hexadecimal digits; what goes
 * into a Secret; an administrator's Vault token.
 */
export function PasswordPrompt({ view }: { readonly view: PasswordView }): ReactNode {
  const secret = useSecret();
  const again = useSecret();
  const { busy, done, problem, setProblem, submit } = useHandingOver(view);
  const isPiece = view.form === 'piece';
  const isValue = view.form === 'secret-value';
  const piece = recognisePiece(secret.buffer.peek());
  const same = !view.isNew || equalInConstantTime(secret.buffer.peek(), again.buffer.peek());
  const tooShort = view.isNew && secret.characters < view.minimumLength;
  const wellFormed = isPiece ? piece === 'complete' : secret.characters > 0 && !tooShort;
  const hint = isPiece ? words.pieceForms[piece] : view.isNew ? words.rule(view.minimumLength) : '';
  const handOver = (): void => {
    again.wipe();
    const bytes = secret.buffer.take();
    secret.changed();
    void submit(bytes);
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={titleOf(view)}
      act={view.act}
      device={
        <>
          <strong>{view.what}</strong>
          {/* It names the Vault already. */}
          {view.form === 'vault-token' ? null : (
            <TokenSubject tokenLabel={view.tokenLabel} tokenSerial={view.tokenSerial} />
          )}
        </>
      }
      problem={problem}
      confirm={promptText.pin.confirm}
      ready={wellFormed && same}
      busy={busy}
      done={done}
      onConfirm={handOver}
    >
      {view.custodian === '' || isValue ? null : <p className={css('small')}>{words.custodian(view.custodian)}</p>}
      <SecretInput
        label={labels[view.form]}
        buffer={secret.buffer}
        characters={secret.characters}
        onChange={() => {
          setProblem('');
          secret.changed();
        }}
        onRefused={setProblem}
        count={
          isPiece
            ? promptText.soPin.of(countHexDigits(secret.buffer.peek()), pieceDigits)
            : promptText.characters(secret.characters)
        }
        hint={hint}
        autoFocus
      />
      {view.isNew ? (
        <>
          <SecretInput
            label={isValue ? words.againValue : words.again}
            buffer={again.buffer}
            characters={again.characters}
            onChange={() => {
              setProblem('');
              again.changed();
            }}
            onRefused={setProblem}
            count={promptText.characters(again.characters)}
            hint={again.characters === 0 ? '' : same ? promptText.pin.same : promptText.pin.differ}
          />
          <p className={css('small')}>{isValue ? words.valueNote : words.newNote}</p>
        </>
      ) : null}
      {view.form === 'vault-token' ? <p className={css('small')}>{words.vaultTokenNote}</p> : null}
      {isPiece ? <p className={css('small')}>{words.pieceNote}</p> : null}
    </PromptFrame>
  );
}
