import { useEffect, type ReactNode } from 'react';
import { Network, RefreshCw } from 'lucide-react';
import type { AppView, ClusterContextView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { clusterTabs, paths, useNavigation, type ClusterTab } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { Card, EmptyState, Fact, Facts, Mono, Page, PathText } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { canAsk, canPush, loginInWords, markOfContext, pushesOf } from '../../views/clusters.ts';
import { formatTime } from '../../views/times.ts';
import { MarkOf } from '../tokens/DeviceState.tsx';
import { ContextTroubles } from './ClustersPage.tsx';
import { NamesTab } from './NamesTab.tsx';
import { PushesTab } from './PushesTab.tsx';
import { RightsCard } from './RightsCard.tsx';

const words = text.clusters;
const trail = [{ title: words.title, path: paths.clusters }] as const;

export function ClusterPage(props: {
  readonly view: AppView;
  readonly contextId: string;
  readonly tab: ClusterTab;
}): ReactNode {
  const go = useNavigation((state) => state.go);
  const { view } = props;
  const context = view.clusters.contexts.find((each) => each.id === props.contextId);
  const askable = context !== undefined && canAsk(context) && context.state === 'unknown' ? context.id : undefined;
  useEffect(() => {
    if (askable !== undefined) void act('clusters.probe', { contextId: askable });
  }, [askable]);
  if (context === undefined) {
    return (
      <Page title={words.title} trail={trail}>
        <EmptyState icon={<Network size={28} />} title={words.notFoundTitle}>
          {words.notFoundText}
        </EmptyState>
      </Page>
    );
  }
  const pushes = pushesOf(view, context);
  const titles = { overview: words.overview, pushes: words.pushes, names: words.names } as const;
  return (
    <Page
      title={context.context}
      trail={trail}
      marks={
        <>
          <MarkOf mark={markOfContext(context)} />
          {context.isCurrent ? (
            <StateMark tone="calm" shape="dot">
              {words.current}
            </StateMark>
          ) : null}
        </>
      }
      actions={
        <>
          {canAsk(context) ? (
            <Button
              icon={<RefreshCw size={18} aria-hidden />}
              pending={context.state === 'looking'}
              onPress={() => void act('clusters.probe', { contextId: context.id })}
            >
              {words.look}
            </Button>
          ) : null}
          {canAsk(context) ? (
            <Button
              onPress={() => {
                go(paths.kmsStatus(context.id));
              }}
            >
              {words.kmsStatus}
            </Button>
          ) : null}
          {canPush(context) ? (
            <Button
              onPress={() => {
                go(paths.kmsVerify(context.id));
              }}
            >
              {words.verify}
            </Button>
          ) : null}
          {canPush(context) ? (
            <Button
              look="primary"
              onPress={() => {
                go(paths.recipe(context.id));
              }}
            >
              {words.push}
            </Button>
          ) : null}
        </>
      }
    >
      <ContextTroubles context={context} />
      <Tabs
        label={words.tabs}
        value={props.tab}
        onChange={(tab) => {
          go(paths.cluster(context.id, tab));
        }}
        tabs={clusterTabs.map((id) => ({
          id,
          title: titles[id],
          ...(id === 'pushes' && pushes.length > 0 ? { detail: String(pushes.length) } : {}),
        }))}
      >
        {props.tab === 'overview' ? <Overview context={context} /> : null}
        {props.tab === 'pushes' ? <PushesTab pushes={pushes} context={context} /> : null}
        {props.tab === 'names' ? <NamesTab context={context} /> : null}
      </Tabs>
    </Page>
  );
}

function Overview({ context }: { readonly context: ClusterContextView }): ReactNode {
  return (
    <>
      <Card>
        <Facts>
          <Fact name={words.server} wide>
            <Mono>{context.server}</Mono>
          </Fact>
          <Fact name={words.cluster}>{context.clusterName}</Fact>
          <Fact name={words.user}>{context.userName}</Fact>
          <Fact name={words.authentication}>{loginInWords(context.authentication)}</Fact>
          {context.seenAs === '' ? null : <Fact name={words.seenAs}>{context.seenAs}</Fact>}
          <Fact name={words.namespace}>{context.namespace === '' ? words.namespaceNone : context.namespace}</Fact>
          {context.serverVersion === '' ? null : <Fact name={words.version}>{context.serverVersion}</Fact>}
          <Fact name={words.lastSeen}>{context.lastSeen === '' ? words.never : formatTime(context.lastSeen)}</Fact>
          <Fact name={words.definedIn} wide>
            <PathText path={context.definedIn} />
          </Fact>
        </Facts>
      </Card>
      <RightsCard context={context} />
    </>
  );
}
