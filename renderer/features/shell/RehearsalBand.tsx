import { useState, type ReactNode } from 'react';
import { FlaskConical } from 'lucide-react';
import type { AppView, FailureView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ConfirmDialog } from '../../ui/Dialogs.tsx';
import { Items } from '../../ui/Pieces.tsx';
import styles from './shell.module.css';

const css = classesOf(styles);

/** On every screen while a rehearsal is on; throws it away in one act. */
export function RehearsalBand({ view }: { readonly view: AppView }): ReactNode {
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  const go = useNavigation((state) => state.go);
  const { state } = view.rehearsal;
  if (state !== 'ready' && state !== 'discarding') return null;
  const tokens = view.tokens.filter((token) => token.rehearsal && token.initialized).length;
  const runs = view.runs.filter((run) => run.rehearsal).length;
  return (
    <section className={css('band')} aria-label={text.band.label}>
      <span className={css('bandText')} role="status">
        <FlaskConical size={18} aria-hidden />
        {state === 'discarding' ? text.band.discarding : text.band.text}
      </span>
      <Button
        look="plain"
        disabled={state === 'discarding'}
        onPress={() => {
          setAsking(true);
        }}
      >
        {text.band.discard}
      </Button>
      <ConfirmDialog
        title={text.band.dialogTitle}
        open={asking}
        onClose={() => {
          setAsking(false);
          setProblem(undefined);
        }}
        confirm={text.band.confirm}
        problem={problem}
        onConfirm={async () => {
          const answer = await getBridge().call('rehearsal.discard', {});
          if (!answer.ok) setProblem(answer.error);
          else go(paths.home);
          return answer.ok;
        }}
      >
        <p>{text.band.dialogText}</p>
        <Items marks="bullets" items={text.band.goes(tokens, runs)} />
        <p>{text.band.stays}</p>
      </ConfirmDialog>
    </section>
  );
}
