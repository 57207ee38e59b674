import { useState, type ReactNode } from 'react';
import { FlaskConical } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Progress } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { rehearsalPath, type RehearsalPart } from '../../views/glance.ts';
import styles from './home.module.css';

const css = classesOf(styles);
const words = text.home.rehearsal;

export function RehearsalPanel({
  view,
  prominent,
}: {
  readonly view: AppView;
  readonly prominent: boolean;
}): ReactNode {
  const [asked, setAsked] = useState(false);
  const { rehearsal } = view;
  if (rehearsal.state === 'ready' || rehearsal.state === 'discarding') return <GuidedPath view={view} />;
  const start = async (): Promise<void> => {
    setAsked(true);
    await act('rehearsal.start', {});
    setAsked(false);
  };
  const starting = rehearsal.state === 'starting' || asked;
  return (
    <section className={css('hero', !prominent && !starting && 'heroSmall')} aria-label={words.title}>
      <span className={css('heroIcon')} aria-hidden>
        <FlaskConical size={28} />
      </span>
      <div className={css('heroBody')}>
        <h2>{starting ? words.starting : words.title}</h2>
        {starting ? (
          <Progress
            label={rehearsal.progressText === '' ? words.starting : rehearsal.progressText}
            fraction={rehearsal.state === 'starting' ? rehearsal.progressFraction : -1}
          />
        ) : (
          <>
            <p>{words.text}</p>
            {rehearsal.problem === null ? null : <FailureBox failure={rehearsal.problem} />}
            <Button look={prominent ? 'primary' : 'plain'} large={prominent} onPress={() => void start()}>
              {rehearsal.state === 'failed' ? words.retry : words.start}
            </Button>
          </>
        )}
      </div>
    </section>
  );
}

function GuidedPath({ view }: { readonly view: AppView }): ReactNode {
  const parts = rehearsalPath(view);
  const done = parts.every((part) => part.state === 'done');
  return (
    <section className={css('heroBody')} aria-label={words.pathTitle}>
      <h2>{done ? words.doneTitle : words.pathTitle}</h2>
      {done ? <p>{words.doneText}</p> : null}
      <ol className={css('path')}>
        {parts.map((part) => (
          <Part key={part.id} part={part} view={view} />
        ))}
      </ol>
    </section>
  );
}

function Part({ part, view }: { readonly part: RehearsalPart; readonly view: AppView }): ReactNode {
  const [title, explanation] = words.steps[part.id];
  const active = part.state === 'next' || part.state === 'open';
  return (
    <li className={css('part', active && 'partNext')}>
      <div className={css('partHead')}>
        <h3>{title}</h3>
      </div>
      <p className={css('quiet')}>{part.sealFirst ? words.sealText : explanation}</p>
      <div className={css('partFoot')}>
        <PartAction part={part} title={title} view={view} />
        <PartMark state={part.state} />
      </div>
    </li>
  );
}

function PartAction(props: {
  readonly part: RehearsalPart;
  readonly title: string;
  readonly view: AppView;
}): ReactNode {
  const { part, title, view } = props;
  const go = useNavigation((state) => state.go);
  const { rehearsal } = view;
  // The text is there only while the Vault is being restarted.
  if (part.id === 'unseal' && part.state === 'next' && rehearsal.progressText !== '') {
    return <Progress label={rehearsal.progressText} fraction={rehearsal.progressFraction} />;
  }
  if (part.sealFirst) {
    return (
      <Button look="primary" name={`${words.seal}: ${title}`} onPress={() => void act('rehearsal.restart-vault', {})}>
        {words.seal}
      </Button>
    );
  }
  const slot = view.tokens.find((token) => token.storeId === rehearsal.storeId && !token.initialized)?.slotId ?? '';
  const beginning = {
    token: paths.tokenSetup(rehearsal.storeId, slot),
    init: paths.vaultInit(rehearsal.vaultId),
    unseal: paths.unseal(rehearsal.vaultId),
  }[part.id];
  const action = { done: words.again, open: words.goOn, next: words.begin, later: '' }[part.state];
  return action === '' ? null : (
    <Button
      look={part.state === 'done' ? 'plain' : 'primary'}
      name={`${action}: ${title}`}
      onPress={() => {
        go(part.runId === '' ? beginning : paths.run(part.runId));
      }}
    >
      {action}
    </Button>
  );
}

function PartMark({ state }: { readonly state: RehearsalPart['state'] }): ReactNode {
  if (state === 'done') {
    return (
      <StateMark tone="good" shape="check">
        {words.stateDone}
      </StateMark>
    );
  }
  if (state === 'open') {
    return (
      <StateMark tone="warn" shape="dot">
        {words.stateOpen}
      </StateMark>
    );
  }
  return state === 'next' ? (
    <StateMark tone="practice" shape="dot">
      {words.stateNext}
    </StateMark>
  ) : (
    <StateMark tone="mute" shape="dashed">
      {words.stateLater}
    </StateMark>
  );
}
