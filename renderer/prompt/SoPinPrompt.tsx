import { useState, type ReactNode } from 'react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import { promptText } from '../text/prompt-en.ts';
import { Tick } from '../ui/Fields.tsx';
import { recogniseSoPin, soPinDigits } from './hex-format.ts';
import { PromptFrame } from './PromptFrame.tsx';
import { SecretInput } from './SecretInput.tsx';
import { toLowerHex } from './share-format.ts';
import { TokenSubject } from './TokenSubject.tsx';
import { TriesLeft, triesOf } from './TriesLeft.tsx';
import { useHandingOver } from './use-handing-over.ts';
import { useSecret } from './use-secret.ts';

const words = promptText.soPin;

/** The SO-PIN of a SmartCard-HSM that is in force: 16 hexadecimal digits. */
export function SoPinPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'pin' }> }): ReactNode {
  const pin = useSecret();
  const [consent, setConsent] = useState(false);
  const { busy, done, problem, setProblem, submit } = useHandingOver(view);
  const { locked, lastTry } = triesOf(view);
  const form = recogniseSoPin(pin.buffer.peek());
  // The public one may well be in force; only as a new one is it refused.
  const complete = form === 'complete' || form === 'factory';
  const handOver = (): void => {
    const typed = pin.buffer.take();
    pin.changed();
    const digits = toLowerHex(typed, 'hex');
    typed.fill(0);
    void submit(digits, lastTry && consent);
  };
  return (
    <PromptFrame
      promptId={view.id}
      title={promptText.pin.title.so}
      act={view.act}
      device={<TokenSubject tokenLabel={view.tokenLabel} tokenSerial={view.tokenSerial} />}
      problem={problem}
      confirm={promptText.pin.confirm}
      ready={!locked && complete && (!lastTry || consent)}
      busy={busy}
      done={done}
      onConfirm={handOver}
    >
      <TriesLeft view={view} />
      <SecretInput
        label={promptText.pin.label.so}
        buffer={pin.buffer}
        characters={pin.characters}
        onChange={() => {
          setProblem('');
          pin.changed();
        }}
        onRefused={setProblem}
        count={words.of(pin.characters, soPinDigits)}
        hint={words.forms[form === 'factory' ? 'complete' : form]}
        skipSpaces
        autoFocus
        disabled={locked}
      />
      {lastTry ? <Tick label={promptText.pin.consent} checked={consent} onChange={setConsent} /> : null}
    </PromptFrame>
  );
}
