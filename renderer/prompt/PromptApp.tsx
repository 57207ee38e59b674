import { useEffect, useState, type ReactNode } from 'react';
import { FlaskConical } from 'lucide-react';
import type { PromptView } from '../../electron/contract/prompt.ts';
import type { FailureView } from '../../electron/contract/views.ts';
import { promptText } from '../text/prompt-en.ts';
import { classesOf } from '../ui/classes.ts';
import { getPromptBridge } from './bridge.ts';
import { HandOutPrompt } from './HandOutPrompt.tsx';
import { NewSoPinPrompt } from './NewSoPinPrompt.tsx';
import { PasswordPrompt } from './PasswordPrompt.tsx';
import { PinPrompt } from './PinPrompt.tsx';
import { SharePrompt } from './SharePrompt.tsx';
import { SoPinPrompt } from './SoPinPrompt.tsx';
import styles from './prompt.module.css';

const css = classesOf(styles);

export function PromptApp(): ReactNode {
  const [view, setView] = useState<PromptView>();
  const [problem, setProblem] = useState<FailureView>();
  useEffect(() => {
    void getPromptBridge()
      .call('prompt.get', {})
      .then((answer) => {
        if (answer.ok) setView(answer.value);
        else setProblem(answer.error);
      });
  }, []);
  useEffect(() => {
    if (view === undefined) return undefined;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') void getPromptBridge().call('prompt.cancel', { id: view.id });
    };
    window.addEventListener('keydown', onKeyDown);
    return () => {
      window.removeEventListener('keydown', onKeyDown);
    };
  }, [view]);

  if (view === undefined) {
    return (
      <main className={css('form')}>
        <div className={css('body')} role="status">
          {problem === undefined ? (
            promptText.loading
          ) : (
            <>
              <h1>{promptText.failedTitle}</h1>
              <p>{problem.message}</p>
              <p>{problem.next}</p>
            </>
          )}
        </div>
      </main>
    );
  }
  return (
    <div className={css('frame')}>
      {view.rehearsal ? (
        <div className={css('band')} role="note">
          <FlaskConical size={14} aria-hidden />
          {promptText.rehearsal}
        </div>
      ) : null}
      {view.kind === 'pin' ? <AnyPinPrompt key={view.id} view={view} /> : null}
      {view.kind === 'password' ? <PasswordPrompt key={view.id} view={view} /> : null}
      {view.kind === 'share' ? <SharePrompt key={view.id} view={view} /> : null}
      {view.kind === 'hand-out' ? <HandOutPrompt key={view.id} view={view} /> : null}
    </div>
  );
}

function AnyPinPrompt({ view }: { readonly view: Extract<PromptView, { kind: 'pin' }> }): ReactNode {
  if (view.form === 'text') return <PinPrompt view={view} />;
  return view.isNew ? <NewSoPinPrompt view={view} /> : <SoPinPrompt view={view} />;
}
