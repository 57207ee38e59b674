import { useState, type ReactNode } from 'react';
import { RefreshCw, Unplug } from 'lucide-react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation, type TokenTab } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { EmptyState, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, StateMark } from '../../ui/StateMark.tsx';
import { Tabs } from '../../ui/Tabs.tsx';
import { absentDevices, conditionOfToken, isSmartCardHsm, modelWords } from '../../views/devices.ts';
import { objectRows, valueRows } from '../../views/token-objects.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { useInspection } from '../plans/use-inspection.ts';
import { BackupTab } from './BackupTab.tsx';
import { MarkOf } from './DeviceState.tsx';
import { EraseTab } from './EraseTab.tsx';
import { ObjectsTab } from './ObjectsTab.tsx';
import { OverviewTab } from './OverviewTab.tsx';
import { PinsTab } from './PinsTab.tsx';
import { ValuesTab } from './ValuesTab.tsx';

const words = text.token;
const trail = [{ title: words.trail, path: paths.tokens }];

export function TokenPage(props: {
  readonly view: AppView;
  readonly storeId: string;
  readonly serial: string;
  readonly tab: TokenTab;
}): ReactNode {
  const { view, storeId, serial } = props;
  const token = view.tokens.find((each) => each.storeId === storeId && each.serial === serial);
  if (token === undefined) return <AbsentToken view={view} serial={serial} />;
  return <PresentToken view={view} token={token} tab={props.tab} />;
}

function AbsentToken({ view, serial }: { readonly view: AppView; readonly serial: string }): ReactNode {
  const [looking, setLooking] = useState(false);
  const vaults = absentDevices(view).find((each) => each.serial === serial)?.vaults ?? [];
  const look = async (): Promise<void> => {
    setLooking(true);
    await act('tokens.refresh', {});
    setLooking(false);
  };
  return (
    <Page title={words.goneTitle} trail={trail}>
      <EmptyState
        icon={<Unplug size={28} />}
        title={words.identity(serial)}
        action={
          <Button icon={<RefreshCw size={18} aria-hidden />} pending={looking} onPress={() => void look()}>
            {text.tokens.refresh}
          </Button>
        }
      >
        {[
          words.goneText(serial),
          ...(vaults.length === 0 ? [] : [words.goneHolds(vaults.map((vault) => vault.name).join(', '))]),
        ].join(' ')}
      </EmptyState>
    </Page>
  );
}

function PresentToken(props: { readonly view: AppView; readonly token: TokenView; readonly tab: TokenTab }): ReactNode {
  const { view, token } = props;
  const go = useNavigation((state) => state.go);
  const [reading, setReading] = useState(false);
  useInspection(token);
  const read = async (): Promise<void> => {
    setReading(true);
    await act('tokens.inspect', { storeId: token.storeId, serial: token.serial });
    setReading(false);
  };
  const tabs = tabsOf(token);
  const tab = tabs.some(({ id }) => id === props.tab) ? props.tab : 'overview';
  const model = modelWords(view, token);
  return (
    <Page
      title={tokenTitle(token)}
      trail={trail}
      lead={[words.identity(token.serial), model, token.storeName].filter((part) => part !== '').join(' · ')}
      marks={
        <>
          <MarkOf mark={conditionOfToken(token)} />
          {token.loggedIn ? (
            <StateMark tone="calm" shape="open">
              {text.tokens.loggedIn}
            </StateMark>
          ) : null}
          {token.rehearsal ? <RehearsalMark /> : null}
        </>
      }
      actions={
        <>
          {token.initialized ? (
            <Button icon={<RefreshCw size={18} aria-hidden />} pending={reading} onPress={() => void read()}>
              {words.readAgain}
            </Button>
          ) : (
            <Button
              look="primary"
              onPress={() => {
                go(paths.tokenSetup(token.storeId, token.slotId));
              }}
            >
              {words.setUp}
            </Button>
          )}
        </>
      }
    >
      <Tabs
        label={words.tabs.label}
        value={tab}
        onChange={(chosen) => {
          go(paths.token(token.storeId, token.serial, chosen));
        }}
        tabs={tabs}
      >
        <TabContent view={view} token={token} tab={tab} />
      </Tabs>
    </Page>
  );
}

interface TabOfToken {
  readonly id: TokenTab;
  readonly title: string;
  readonly detail?: string;
  readonly grave?: boolean;
}

/** On a token that is not set up nothing lies yet, and no PIN is there to be changed. */
function tabsOf(token: TokenView): readonly TabOfToken[] {
  const counted = (number: number): { readonly detail: string } | undefined =>
    token.inspected && number > 0 ? { detail: String(number) } : undefined;
  const backup: readonly TabOfToken[] = isSmartCardHsm(token) ? [{ id: 'backup', title: words.tabs.backup }] : [];
  const overview: TabOfToken = { id: 'overview', title: words.tabs.overview };
  if (!token.initialized) return [overview, ...backup];
  return [
    overview,
    { id: 'objects', title: words.tabs.objects, ...counted(objectRows(token.objects).length) },
    { id: 'values', title: words.tabs.values, ...counted(valueRows(token.objects).length) },
    ...backup,
    { id: 'pins', title: words.tabs.pins },
    { id: 'erase', title: words.tabs.erase, grave: true },
  ];
}

function TabContent(props: { readonly view: AppView; readonly token: TokenView; readonly tab: TokenTab }): ReactNode {
  const { view, token } = props;
  switch (props.tab) {
    case 'overview':
      return <OverviewTab view={view} token={token} />;
    case 'objects':
      return <ObjectsTab token={token} />;
    case 'values':
      return <ValuesTab token={token} />;
    case 'backup':
      return <BackupTab view={view} token={token} />;
    case 'pins':
      return <PinsTab token={token} />;
    case 'erase':
      return <EraseTab view={view} token={token} />;
  }
}
