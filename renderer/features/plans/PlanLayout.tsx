import { useState, type ReactNode } from 'react';
import type { ChannelRequest } from '../../../electron/contract/channels.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Items, Page } from '../../ui/Pieces.tsx';
import styles from './plans.module.css';

const css = classesOf(styles);

type Plan = ChannelRequest<'runs.start'>['plan'];

/** Decisions on the left; what will happen, what is still wrong, and Start on the right. */
export function PlanLayout(props: {
  readonly title: string;
  readonly lead: string;
  readonly marks?: ReactNode;
  readonly children: ReactNode;
  readonly will: readonly string[];
  readonly errors: readonly string[];
  readonly plan: Plan | undefined;
}): ReactNode {
  const go = useNavigation((state) => state.go);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    if (props.plan === undefined) return;
    setBusy(true);
    const reply = await act('runs.start', { plan: props.plan });
    setBusy(false);
    if (reply !== undefined) go(paths.run(reply.runId));
  };
  return (
    <Page title={props.title} lead={props.lead} marks={props.marks}>
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
              <Button
                look="primary"
                large
                disabled={props.plan === undefined}
                pending={busy}
                onPress={() => void start()}
              >
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
