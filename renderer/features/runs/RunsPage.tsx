import type { ReactNode } from 'react';
import { BookOpenCheck, ListChecks, Plus } from 'lucide-react';
import type { AppView, RunView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ActionMenu } from '../../ui/Dialogs.tsx';
import { Card, EmptyState, Page, Progress } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { currentStep, glanceAt, isFinished } from '../../views/glance.ts';
import { formatTime } from '../../views/times.ts';
import { RunStateMark } from './RunStateMark.tsx';
import styles from './runs.module.css';

const css = classesOf(styles);

export function RunsPage({ view }: { readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const { open } = glanceAt(view);
  const begin = (
    <ActionMenu
      label={text.runs.newRun}
      look="primary"
      icon={<Plus size={18} aria-hidden />}
      items={[
        { id: 'token-setup', title: text.plans.tokenSetup.title },
        { id: 'vault-init', title: text.plans.vaultInit.title },
        { id: 'unseal', title: text.plans.unseal.title },
      ]}
      onAction={(id) => {
        go(
          { 'token-setup': paths.tokenSetup('', ''), 'vault-init': paths.vaultInit(''), unseal: paths.unseal('') }[id],
        );
      }}
    />
  );
  return (
    <Page
      title={text.runs.title}
      lead={text.runs.lead}
      actions={
        <>
          <Button
            icon={<BookOpenCheck size={18} aria-hidden />}
            onPress={() => {
              go(paths.journal);
            }}
          >
            {text.runs.journal}
          </Button>
          {open.length === 0 ? null : begin}
        </>
      }
    >
      {open.length === 0 ? (
        <EmptyState icon={<ListChecks size={28} />} title={text.runs.emptyTitle} action={begin}>
          {text.runs.emptyText}
        </EmptyState>
      ) : (
        open.map((run) => <RunCard key={run.id} run={run} />)
      )}
    </Page>
  );
}

function RunCard({ run }: { readonly run: RunView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const done = run.steps.filter(isFinished).length;
  const step = currentStep(run);
  return (
    <Card
      title={run.title}
      mark={
        <span className={css('path')}>
          {run.rehearsal ? <RehearsalMark /> : null}
          <RunStateMark run={run} />
        </span>
      }
      actions={
        <Button
          look="primary"
          name={`${text.home.open} ${run.title}`}
          onPress={() => {
            go(paths.run(run.id));
          }}
        >
          {text.home.open}
        </Button>
      }
    >
      {step === undefined ? null : <p>{text.runs.stepNow(step.title)}</p>}
      {run.waitsFor === '' ? null : <p>{run.waitsFor}</p>}
      <Progress
        label={text.runs.progressSteps(done, run.steps.length)}
        fraction={run.steps.length === 0 ? 0 : done / run.steps.length}
      />
      <p className={css('small')}>{text.runs.startedBy(run.startedBy, formatTime(run.startedAt))}</p>
    </Card>
  );
}
