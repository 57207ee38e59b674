import type { ReactNode } from 'react';
import type { RunView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Card, CheckValue, Fact, Facts, Gauge, Hash, PathText, Words } from '../../ui/Pieces.tsx';
import { evidenceLines, shareProgress, type EvidenceLine } from '../../views/evidence.ts';
import { formatClock } from '../../views/times.ts';
import styles from './runs.module.css';

const css = classesOf(styles);

/** Grows as steps are done: serials, key words, times, the nonce, the shares presented. */
export function EvidencePanel({ run }: { readonly run: RunView }): ReactNode {
  const progress = shareProgress(run);
  const told = run.steps
    .filter((step) => step.status !== 'waiting' && step.status !== 'not-needed')
    .map((step) => ({ step, lines: evidenceLines(step) }))
    .filter(({ lines }) => lines.length > 0);
  return (
    <Card title={text.runs.evidence}>
      {progress === undefined ? null : <Gauge progress={progress.progress} threshold={progress.threshold} />}
      {told.length === 0 ? <p className={css('small')}>{text.runs.evidenceEmpty}</p> : null}
      <div className={css('evidence')}>
        {told.map(({ step, lines }) => (
          <section key={step.id} aria-label={step.title}>
            <h3>{step.title}</h3>
            {step.endedAt === '' ? null : <p className={css('small')}>{formatClock(step.endedAt)}</p>}
            <Facts narrow>
              {lines.map((line) => (
                <Fact key={line.name} name={line.name}>
                  <EvidenceValue line={line} />
                </Fact>
              ))}
            </Facts>
          </section>
        ))}
        {run.status === 'open' || run.journalHead === '' ? null : (
          <section aria-label={text.runs.head}>
            <Facts narrow>
              <Fact name={text.runs.head} term="journal-head">
                <Hash value={run.journalHead} />
              </Fact>
            </Facts>
          </section>
        )}
      </div>
    </Card>
  );
}

function EvidenceValue({ line }: { readonly line: EvidenceLine }): ReactNode {
  if (line.kind === 'words') return <Words narrow words={line.value.split(/\s+/u)} label={line.name} />;
  if (line.kind === 'hash') return <Hash value={line.value} />;
  if (line.kind === 'check-value') return <CheckValue value={line.value} />;
  if (line.kind === 'path') return <PathText path={line.value} />;
  return line.value;
}
