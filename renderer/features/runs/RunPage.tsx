import { useState, type ReactNode } from 'react';
import { ListChecks, NotebookPen } from 'lucide-react';
import type { AppView, FailureView, RunView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ConfirmDialog, Sheet } from '../../ui/Dialogs.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { LineField } from '../../ui/Fields.tsx';
import { Actions, EmptyState, Note, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { currentStep } from '../../views/glance.ts';
import { formatTime } from '../../views/times.ts';
import { CurrentStep } from './CurrentStep.tsx';
import { EncryptionCounts } from './EncryptionCounts.tsx';
import { EndedRun } from './EndedRun.tsx';
import { EvidencePanel } from './EvidencePanel.tsx';
import { RunStateMark } from './RunStateMark.tsx';
import { StepList } from './StepList.tsx';
import styles from './runs.module.css';

const css = classesOf(styles);

export function RunPage({ view, runId }: { readonly view: AppView; readonly runId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  const run = view.runs.find((each) => each.id === runId);
  if (run === undefined) {
    return (
      <Page title={text.runs.title}>
        <EmptyState
          icon={<ListChecks size={28} />}
          title={text.runs.notFoundTitle}
          action={
            <Button
              onPress={() => {
                go(paths.runs);
              }}
            >
              {text.navigation.runs}
            </Button>
          }
        >
          {text.runs.notFoundText}
        </EmptyState>
      </Page>
    );
  }
  const step = currentStep(run);
  return (
    <Page
      title={run.title}
      trail={[{ title: text.runs.title, path: paths.runs }]}
      lead={text.runs.startedBy(run.startedBy, formatTime(run.startedAt))}
      marks={
        <>
          <RunStateMark run={run} />
          {run.rehearsal ? <RehearsalMark /> : null}
        </>
      }
      actions={run.status === 'open' ? <RunActs run={run} stepId={step?.id ?? ''} /> : undefined}
    >
      {run.problem === null ? null : <FailureBox failure={run.problem} />}
      <div className={css('layout')}>
        <div className={css('columns')}>
          <StepList run={run} />
          <div className={css('middle')} data-keeps-focus>
            {run.status === 'open' && step !== undefined ? (
              <CurrentStep key={`${step.id} ${String(step.attempts)}`} run={run} step={step} />
            ) : null}
            {run.status === 'open' ? null : <EndedRun run={run} view={view} />}
            <EncryptionCounts run={run} view={view} />
            {run.deviations.length === 0 ? null : (
              <Note tone="warn" shape="notice" title={text.runs.deviations}>
                <ul>
                  {run.deviations.map((deviation) => (
                    <li key={deviation.at}>{`${formatTime(deviation.at)}: ${deviation.text}`}</li>
                  ))}
                </ul>
              </Note>
            )}
          </div>
          <EvidencePanel run={run} />
        </div>
      </div>
    </Page>
  );
}

/** Noting a deviation and abandoning: always at hand, never in the way. */
function RunActs({ run, stepId }: { readonly run: RunView; readonly stepId: string }): ReactNode {
  const [open, setOpen] = useState<'note' | 'abandon' | ''>('');
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState<FailureView>();
  const close = (): void => {
    setOpen('');
    setProblem(undefined);
  };
  const save = async (): Promise<void> => {
    const answer = await getBridge().call('runs.note-deviation', { runId: run.id, step: stepId, text: note });
    if (!answer.ok) {
      setProblem(answer.error);
      return;
    }
    setNote('');
    close();
  };
  return (
    <Actions>
      <Button
        icon={<NotebookPen size={18} aria-hidden />}
        onPress={() => {
          setOpen('note');
        }}
      >
        {text.runs.note}
      </Button>
      <Button
        look="danger"
        disabled={run.busy}
        onPress={() => {
          setOpen('abandon');
        }}
      >
        {text.runs.abandon}
      </Button>
      <Sheet
        title={text.runs.noteTitle}
        open={open === 'note'}
        onClose={close}
        actions={
          <>
            <Button onPress={close}>{text.common.cancel}</Button>
            <Button look="primary" disabled={note.trim() === ''} onPress={() => void save()}>
              {text.runs.noteConfirm}
            </Button>
          </>
        }
      >
        <p>{text.runs.noteText}</p>
        <LineField
          multiline
          autoFocus
          label={text.runs.noteLabel}
          help={text.runs.noteHint}
          term="deviation"
          value={note}
          onChange={setNote}
          maximumLength={2000}
        />
        {problem === undefined ? null : <FailureBox failure={problem} />}
      </Sheet>
      <ConfirmDialog
        title={text.runs.abandonTitle}
        open={open === 'abandon'}
        onClose={close}
        confirm={text.runs.abandonConfirm}
        typedName={run.subject}
        problem={problem}
        onConfirm={async (typedName) => {
          const answer = await getBridge().call('runs.abandon', { runId: run.id, typedName });
          if (!answer.ok) setProblem(answer.error);
          return answer.ok;
        }}
      >
        <p>{text.runs.abandonText}</p>
      </ConfirmDialog>
    </Actions>
  );
}
