import { useEffect, useState, type ReactNode } from 'react';
import { Network, RefreshCw } from 'lucide-react';
import type { AppView, ClusterContextView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Actions, Card, EmptyState, Mono, Note, Page, PathText } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { canAsk, canPush, loginInWords, markOfContext, markOfPush, pushesOf } from '../../views/clusters.ts';
import { MarkOf } from '../tokens/DeviceState.tsx';
import { OutsideParts, outsideNames } from './OutsideParts.tsx';
import styles from './clusters.module.css';

const css = classesOf(styles);
const words = text.clusters;

export function ClustersPage({ view }: { readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [reading, setReading] = useState(false);
  const { clusters } = view;
  const read = async (): Promise<void> => {
    setReading(true);
    await act('clusters.refresh', {});
    setReading(false);
  };
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        <>
          <Button
            look="quiet"
            onPress={() => {
              go(paths.recipe(''));
            }}
          >
            {words.recipes}
          </Button>
          <Button icon={<RefreshCw size={18} aria-hidden />} pending={reading} onPress={() => void read()}>
            {words.refresh}
          </Button>
        </>
      }
    >
      <LookOnce view={view} />
      {clusters.kubectl.problem === null ? null : <FailureBox failure={clusters.kubectl.problem} />}
      {clusters.problem === null ? null : <FailureBox failure={clusters.problem} />}
      {clusters.state === 'looking' ? <p role="status">{words.state.looking}…</p> : null}
      {clusters.state === 'ready' && clusters.contexts.length === 0 ? (
        <EmptyState icon={<Network size={28} />} title={words.emptyTitle}>
          {words.emptyText}
        </EmptyState>
      ) : (
        <div className={css('cards')}>
          {clusters.contexts.map((context) => (
            <ContextCard key={context.id} context={context} view={view} />
          ))}
        </div>
      )}
      {clusters.kubectl.state === 'found' ? (
        <p className={css('quiet')}>{words.kubectlFound(clusters.kubectl.version, clusters.kubectl.path)}</p>
      ) : null}
    </Page>
  );
}

/** Clusters that may be asked are looked at once when the page opens, a few at a time. */
function LookOnce({ view }: { readonly view: AppView }): ReactNode {
  const waiting = view.clusters.contexts.filter((context) => canAsk(context) && context.state === 'unknown');
  const looking = view.clusters.contexts.filter((context) => context.state === 'looking').length;
  const next = looking < 3 ? waiting[0]?.id : undefined;
  useEffect(() => {
    if (next !== undefined) void act('clusters.probe', { contextId: next });
  }, [next]);
  return null;
}

function ContextCard({ context, view }: { readonly context: ClusterContextView; readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const pushes = pushesOf(view, context).filter((push) => push.state !== 'undone');
  return (
    <Card
      title={context.context}
      mark={
        <span className={css('marks')}>
          {context.isCurrent ? (
            <StateMark tone="calm" shape="dot">
              {words.current}
            </StateMark>
          ) : null}
          <MarkOf mark={markOfContext(context)} />
        </span>
      }
      actions={
        <>
          {canPush(context) ? (
            <Button
              look={context.isCurrent ? 'primary' : 'plain'}
              name={words.pushTo(context.context)}
              onPress={() => {
                go(paths.recipe(context.id));
              }}
            >
              {words.push}
            </Button>
          ) : null}
          <Button
            look="quiet"
            name={words.openOf(context.context)}
            onPress={() => {
              go(paths.cluster(context.id));
            }}
          >
            {words.open}
          </Button>
          {canAsk(context) ? (
            <Button
              look="quiet"
              name={words.lookAt(context.context)}
              pending={context.state === 'looking'}
              onPress={() => void act('clusters.probe', { contextId: context.id })}
            >
              {words.look}
            </Button>
          ) : null}
        </>
      }
    >
      <div className={css('place')}>
        <Mono>{context.server}</Mono>
        <span className={css('quiet')}>
          {[context.userName, loginInWords(context.authentication), context.serverVersion]
            .filter((each) => each !== '')
            .join(' · ')}
        </span>
        {context.isCurrent ? null : (
          <span className={css('quiet')}>
            <PathText path={context.definedIn} />
          </span>
        )}
      </div>
      <ContextTroubles context={context} brief />
      {pushes.length === 0 ? null : (
        <ul className={css('rows')} aria-label={`${words.pushes}: ${context.context}`}>
          {pushes.slice(0, 3).map((push) => (
            <li key={push.runId} className={css('row')}>
              <span className={css('grow')}>{text.recipes.names[push.recipe]}</span>
              <MarkOf mark={markOfPush(push)} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

/** What keeps a context from being used, each with what to do about it. */
export function ContextTroubles({
  context,
  brief,
}: {
  readonly context: ClusterContextView;
  /** In a list: what is reached for is named, and shown whole on the cluster's own page. */
  readonly brief?: boolean;
}): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <>
      {context.fault === '' ? null : (
        <Note tone="bad" shape="stop">
          <p>{context.fault}</p>
        </Note>
      )}
      {context.insecure ? (
        <Note tone="warn" shape="alert">
          <p>{words.insecure}</p>
        </Note>
      ) : null}
      {context.fault !== '' || context.allowed ? null : brief === true ? (
        <Note tone="warn" shape="notice">
          <p>{words.outsideBrief(outsideNames(context))}</p>
          <Actions>
            <Button
              name={`${words.outsideSee}: ${context.context}`}
              onPress={() => {
                go(paths.cluster(context.id));
              }}
            >
              {words.outsideSee}
            </Button>
          </Actions>
        </Note>
      ) : (
        <OutsideParts context={context} />
      )}
      {context.problem === null || context.state === 'looking' || !context.allowed ? null : (
        <FailureBox failure={context.problem} />
      )}
    </>
  );
}
