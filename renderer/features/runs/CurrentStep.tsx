import { useState, type ReactNode } from 'react';
import type { RunView, StepView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { LineField } from '../../ui/Fields.tsx';
import { Card, Items, Note, Progress } from '../../ui/Pieces.tsx';
import { TextBlock } from '../../ui/TextBlock.tsx';
import { rewriteProgress } from '../../views/encryption.ts';
import { actorWords } from './StepList.tsx';
import styles from './runs.module.css';

const css = classesOf(styles);

/** One question, one main button; what will happen is said before it happens. */
export function CurrentStep({ run, step }: { readonly run: RunView; readonly step: StepView }): ReactNode {
  const [typedName, setTypedName] = useState('');
  const [asked, setAsked] = useState(false);
  const { danger } = step;
  // A push can be undone from its record; what it changes is said all the same.
  const onCluster = ['cluster-push', 'cluster-undo', 'cluster-forget', 'kms-verify'].includes(run.workflow);
  const lost = onCluster ? text.runs.changesInCluster : text.runs.lost;
  const working = run.busy || asked;
  const rewrite = rewriteProgress(run, step);
  const ready = danger === null || typedName === danger.typedName;
  const go = async (): Promise<void> => {
    setAsked(true);
    await act('runs.continue', { runId: run.id, typedName });
    setAsked(false);
  };
  const number = run.steps.findIndex((each) => each.id === step.id) + 1;
  const action = step.status === 'failed' ? text.runs.tryAgain : step.action;
  return (
    <Card look={danger === null ? 'accent' : 'danger'}>
      <div>
        <p className={css('small')}>{`${text.common.step(number, run.steps.length)} · ${actorWords(step)}`}</p>
        <h2 className={css('question')}>{step.title}</h2>
      </div>
      <p className={css('explanation')}>{step.explanation}</p>
      {step.guide === null ? null : (
        <div className={css('guide')} role="group" aria-label={text.runs.guide}>
          <Items marks="numbers" items={step.guide.steps} />
          {step.guide.example === '' ? null : <TextBlock label={text.runs.example} content={step.guide.example} />}
        </div>
      )}
      {step.problem === null ? null : <FailureBox failure={step.problem} />}
      {danger === null ? null : (
        <Note tone="bad" shape="stop" title={onCluster ? text.runs.dangerCluster : text.runs.danger}>
          <p>{lost}:</p>
          <Items marks="bullets" items={danger.losses} label={lost} />
        </Note>
      )}
      {working ? (
        <>
          {rewrite === undefined ? (
            <Progress label={run.waitsFor === '' ? text.runs.working : run.waitsFor} fraction={-1} />
          ) : (
            <Progress
              label={text.encryption.progress(rewrite.done, rewrite.all)}
              fraction={rewrite.done / rewrite.all}
            />
          )}
          <p className={css('small')}>{text.runs.leave}</p>
        </>
      ) : (
        <div className={css('mainAct')}>
          {danger === null ? null : (
            <LineField
              label={text.common.typeToConfirm(danger.typedName)}
              value={typedName}
              onChange={setTypedName}
              error={typedName === '' || ready ? undefined : text.common.typedDiffers}
            />
          )}
          {step.pace === 'prompt' ? <p className={css('small')}>{text.runs.prompt}</p> : null}
          <Button look={danger === null ? 'primary' : 'danger-main'} large disabled={!ready} onPress={() => void go()}>
            {action}
          </Button>
          {rewrite === undefined || rewrite.done === 0 ? null : (
            <p className={css('small')}>{text.encryption.progress(rewrite.done, rewrite.all)}</p>
          )}
          {run.waitsFor === '' ? null : <p className={css('small')}>{run.waitsFor}</p>}
          {step.attempts > 1 ? <p className={css('small')}>{text.runs.attempts(step.attempts)}</p> : null}
        </div>
      )}
    </Card>
  );
}
