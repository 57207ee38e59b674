import type { ReactNode } from 'react';
import { Check, Circle, CircleDot, LoaderCircle, Minus, X } from 'lucide-react';
import type { RunView, StepView } from '../../../electron/contract/views.ts';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Card } from '../../ui/Pieces.tsx';
import styles from './runs.module.css';

const css = classesOf(styles);

export function actorWords(step: StepView): string {
  return text.runs.actor(text.states.role[step.actor.role], step.actor.name);
}

export function StepList({ run }: { readonly run: RunView }): ReactNode {
  return (
    <Card title={text.runs.steps}>
      <ol className={css('steps')}>
        {run.steps.map((step) => (
          <li
            key={step.id}
            className={css('step')}
            {...(step.status === 'current' || step.status === 'working' || step.status === 'failed'
              ? { 'aria-current': 'step' }
              : {})}
          >
            <StepDot status={step.status} />
            <div>
              <div
                className={css(
                  'stepTitle',
                  step.status === 'waiting' && 'later',
                  (step.status === 'current' || step.status === 'working') && 'stepNow',
                )}
              >
                {step.title}
              </div>
              <div className={css('small')}>{`${actorWords(step)} · ${text.states.step[step.status]}`}</div>
            </div>
          </li>
        ))}
      </ol>
    </Card>
  );
}

function StepDot({ status }: { readonly status: StepView['status'] }): ReactNode {
  const size = 14;
  switch (status) {
    case 'done':
      return (
        <span className={css('dot', 'dotDone')} aria-hidden>
          <Check size={size} strokeWidth={3} />
        </span>
      );
    case 'not-needed':
      return (
        <span className={css('dot')} aria-hidden>
          <Minus size={size} />
        </span>
      );
    case 'failed':
      return (
        <span className={css('dot', 'dotBad')} aria-hidden>
          <X size={size} strokeWidth={3} />
        </span>
      );
    case 'working':
      return (
        <span className={css('dot', 'dotNow')} aria-hidden>
          <LoaderCircle size={size} className={css('spin')} />
        </span>
      );
    case 'current':
      return (
        <span className={css('dot', 'dotNow')} aria-hidden>
          <CircleDot size={size} />
        </span>
      );
    case 'waiting':
      return (
        <span className={css('dot')} aria-hidden>
          <Circle size={6} />
        </span>
      );
  }
}
