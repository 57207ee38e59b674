import { useState, type ReactNode } from 'react';
import { beginRun, type Plan } from '../../stores/begin-run.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Items, Page } from '../../ui/Pieces.tsx';
import type { TrailStep } from '../../ui/Trail.tsx';
import styles from './plans.module.css';

const css = classesOf(styles);

/** Decisions on the left; what will happen, what is still wrong, and Start on the right. */
export function PlanLayout(props: {
  readonly title: string;
  readonly lead: string;
  readonly marks?: ReactNode;
  readonly trail?: readonly TrailStep[] | undefined;
  readonly children: ReactNode;
  readonly will: readonly string[];
  readonly errors: readonly string[];
  readonly plan: Plan | undefined;
  /** Where main itself makes the plan: begins the run. undefined while something is wrong. */
  readonly begin?: (() => Promise<void>) | undefined;
}): ReactNode {
  const [busy, setBusy] = useState(false);
  const { plan } = props;
  const begin = props.begin ?? (plan === undefined ? undefined : () => beginRun(plan));
  const start = async (): Promise<void> => {
    if (begin === undefined) return;
    setBusy(true);
    await begin();
    setBusy(false);
  };
  return (
    <Page title={props.title} lead={props.lead} marks={props.marks} trail={props.trail}>
      <div className={css('layout')}>
        <div className={css('form')}>{props.children}</div>
        <div className={css('summary')}>
          <Card title={text.plans.summary} look="accent">
            <div className={css('reading')}>
              {props.errors.length === 0 ? null : (
                <div className={css('errors')} role="status">
                  <p>{text.plans.errors}:</p>
                  <Items marks="bullets" items={props.errors} />
                </div>
              )}
              <Items marks="numbers" items={props.will} label={text.plans.summary} />
            </div>
            <div className={css('begin')}>
              <Button look="primary" large disabled={begin === undefined} pending={busy} onPress={() => void start()}>
                {text.plans.start}
              </Button>
              <p className={css('quiet')}>{text.plans.startNote}</p>
            </div>
          </Card>
        </div>
      </div>
    </Page>
  );
}
