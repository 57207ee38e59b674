import { useState, type ReactNode } from 'react';
import { GitCompareArrows, PackageOpen } from 'lucide-react';
import type { ClusterContextView, FailureView, PushView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ConfirmDialog } from '../../ui/Dialogs.tsx';
import { Diff } from '../../ui/Diff.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Actions, Card, EmptyState, Note } from '../../ui/Pieces.tsx';
import { StateMark, type Shape, type Tone } from '../../ui/StateMark.tsx';
import { canAsk, markOfPush, objectTitle } from '../../views/clusters.ts';
import { formatTime } from '../../views/times.ts';
import { MarkOf } from '../tokens/DeviceState.tsx';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.pushes;

export function PushesTab(props: {
  readonly pushes: readonly PushView[];
  readonly context: ClusterContextView;
}): ReactNode {
  if (props.pushes.length === 0) {
    return (
      <EmptyState icon={<PackageOpen size={28} />} title={words.none}>
        {words.noneText}
      </EmptyState>
    );
  }
  return (
    <>
      {props.pushes.map((push) => (
        <Push key={push.runId} push={push} askable={canAsk(props.context)} />
      ))}
    </>
  );
}

function Push({ push, askable }: { readonly push: PushView; readonly askable: boolean }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [undoing, setUndoing] = useState(false);
  const [forgetting, setForgetting] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  const name = text.recipes.names[push.recipe];
  const inCluster = push.state === 'pushed' || push.state === 'stopped';
  const undo = async (): Promise<void> => {
    setUndoing(true);
    const reply = await act('pushes.undo', { runId: push.runId });
    setUndoing(false);
    if (reply !== undefined) go(paths.run(reply.runId));
  };
  return (
    <Card
      title={name}
      mark={<MarkOf mark={markOfPush(push)} />}
      actions={
        <>
          {inCluster ? (
            <Button
              icon={<GitCompareArrows size={18} aria-hidden />}
              name={words.compareOf(name)}
              disabled={!askable}
              pending={push.drift.state === 'checking'}
              onPress={() => void act('pushes.check-drift', { runId: push.runId })}
            >
              {words.compare}
            </Button>
          ) : null}
          {inCluster ? (
            <Button look="danger" name={words.undoOf(name)} pending={undoing} onPress={() => void undo()}>
              {words.undo}
            </Button>
          ) : null}
          <Button
            look="quiet"
            onPress={() => {
              go(paths.run(push.runId));
            }}
          >
            {words.transcript}
          </Button>
          {push.state === 'under-way' ? null : (
            <Button
              look="quiet"
              onPress={() => {
                setForgetting(true);
              }}
            >
              {words.forget}
            </Button>
          )}
        </>
      }
    >
      <p className={css('quiet')}>
        {[
          formatTime(push.time),
          ...(inCluster && push.drift.checkedAt !== '' ? [words.checkedAt(formatTime(push.drift.checkedAt))] : []),
        ].join(', ')}
      </p>
      {inCluster ? <DriftDetails push={push} /> : null}
      <ConfirmDialog
        title={words.forgetTitle}
        open={forgetting}
        onClose={() => {
          setForgetting(false);
          setProblem(undefined);
        }}
        confirm={words.forgetConfirm}
        problem={problem}
        onConfirm={async () => {
          const answer = await getBridge().call('pushes.forget', { runId: push.runId });
          if (!answer.ok) setProblem(answer.error);
          return answer.ok;
        }}
      >
        <p>{words.forgetText}</p>
      </ConfirmDialog>
    </Card>
  );
}

const objectMarks: Readonly<Record<PushView['drift']['objects'][number]['state'], readonly [Tone, Shape]>> = {
  same: ['good', 'check'],
  changed: ['warn', 'alert'],
  missing: ['bad', 'none'],
  unknown: ['mute', 'unplug'],
};

function DriftDetails({ push }: { readonly push: PushView }): ReactNode {
  const { drift } = push;
  const different = drift.objects.filter((object) => object.state !== 'same');
  const same = drift.objects.length - different.length;
  return (
    <>
      {drift.problem === null ? null : <FailureBox failure={drift.problem} />}
      {different.length === 0 ? null : (
        <section className={css('different')} aria-label={words.driftTitle}>
          <h3>{words.driftTitle}</h3>
          {different.map((object) => {
            const title = objectTitle(object.object);
            const [tone, shape] = objectMarks[object.state];
            return (
              <div key={`${object.object.apiVersion} ${title}`} className={css('object')}>
                <div className={css('objectHead')}>
                  <strong className={css('grow')}>{title}</strong>
                  <StateMark tone={tone} shape={shape}>
                    {words.object[object.state]}
                  </StateMark>
                </div>
                {object.changedBy.length === 0 ? null : (
                  <p className={css('quiet')}>{words.changedBy(object.changedBy.join(', '))}</p>
                )}
                {object.diff.length === 0 ? null : <Diff name={title} lines={object.diff} />}
                {object.linesLeftOut === 0 ? null : (
                  <p className={css('quiet')}>{words.linesLeftOut(object.linesLeftOut)}</p>
                )}
              </div>
            );
          })}
          <p className={css('quiet')}>{words.driftNote}</p>
        </section>
      )}
      {same === 0 ? null : (
        <Actions>
          <span className={css('quiet')}>{words.sameObjects(same)}</span>
        </Actions>
      )}
      {push.state === 'stopped' ? (
        <Note tone="warn" shape="alert">
          <p>{words.state.stopped}</p>
        </Note>
      ) : null}
    </>
  );
}
