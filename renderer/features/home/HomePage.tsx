import type { ReactNode } from 'react';
import { Bell, CircleCheck, Info, LockKeyhole, Search, Server, Sparkles, Unplug } from 'lucide-react';
import type { AppView, PushView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Actions, Card, Note, Page } from '../../ui/Pieces.tsx';
import { StateMark, VaultStateMark, type Tone } from '../../ui/StateMark.tsx';
import { bannerOf, type BannerView } from '../../views/banner.ts';
import { absentDevices, conditionOfToken } from '../../views/devices.ts';
import { contextOfPush, differencesOf, markOfPush } from '../../views/clusters.ts';
import { closedStores, glanceAt, type Glance } from '../../views/glance.ts';
import { formatTime } from '../../views/times.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { RunStateMark } from '../runs/RunStateMark.tsx';
import { MarkOf } from '../tokens/DeviceState.tsx';
import { RehearsalPanel } from './RehearsalPanel.tsx';
import styles from './home.module.css';

const css = classesOf(styles);
const shownAtMost = 4;

export function HomePage({ view }: { readonly view: AppView }): ReactNode {
  const glance = glanceAt(view);
  // First where it is what a person came for; after the panels where there is real work.
  const rehearsing = glance.nothingSetUp || view.rehearsal.state !== 'none';
  const rehearsal = <RehearsalPanel view={view} prominent={glance.nothingSetUp} />;
  return (
    <Page title={text.home.title} dense>
      <Banner view={view} />
      {rehearsing ? rehearsal : null}
      <div className={css('panels')}>
        <WaitsPanel glance={glance} view={view} />
        <LastPanel glance={glance} />
        <div className={css('stack')}>
          <VaultsPanel view={view} />
          {view.pushes.length === 0 ? null : <ClustersPanel view={view} />}
        </div>
        <TokensPanel view={view} />
      </div>
      {rehearsing ? null : rehearsal}
      {view.trayAvailable ? null : (
        <Note tone="calm" shape="notice">
          <p>{text.home.noTray}</p>
        </Note>
      )}
    </Page>
  );
}

type BannerLook = readonly [tone: Exclude<Tone, 'practice'>, icon: ReactNode, title: string, body: string];

/** Where the device with a sealed Vault's shares is not plugged in, that comes first. */
function sealedText(banner: BannerView): string {
  const needed = banner.absent.filter((device) => device.vaults.some((vault) => vault.state === 'sealed'));
  return needed.length === 0
    ? text.home.sealedText
    : `${text.home.sealedText} ${text.home.sealedAbsent(needed.map((device) => device.serial).join(', '))}`;
}

function lookOf(banner: BannerView): BannerLook {
  const words = text.home;
  const names = banner.names.join(', ');
  switch (banner.kind) {
    case 'sealed':
      return ['warn', <LockKeyhole size={24} aria-hidden />, words.sealedTitle(names), sealedText(banner)];
    case 'missing':
      return ['bad', <Unplug size={24} aria-hidden />, words.missingTitle(names), words.missingText];
    case 'looking':
      return ['mute', <Search size={24} aria-hidden />, words.lookingTitle, words.lookingText(names)];
    case 'empty':
      return ['mute', <Sparkles size={24} aria-hidden />, words.emptyTitle, words.emptyText];
    case 'fresh':
      return ['calm', <Server size={24} aria-hidden />, words.freshTitle(names), words.freshText];
    case 'absent': {
      const vaults = banner.absent.flatMap((device) => device.vaults.map((vault) => vault.name));
      return ['calm', <Unplug size={24} aria-hidden />, words.absentTitle(names), words.absentText(vaults.join(', '))];
    }
    case 'waits':
      return ['calm', <Bell size={24} aria-hidden />, words.waitingTitle(banner.waits), words.waitingText];
    case 'no-vault':
      return ['mute', <Server size={24} aria-hidden />, words.noVaultTitle, words.noVaultText];
    case 'well':
      return ['good', <CircleCheck size={24} aria-hidden />, words.allWell, words.allWellText];
  }
}

/** The first question: is anything sealed or missing? */
function Banner({ view }: { readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const banner = bannerOf(view);
  const [tone, icon, title, body] = lookOf(banner);
  const { vault } = banner;
  return (
    <section className={css('banner', tone)} aria-label={title}>
      {icon}
      <div>
        <h2>{title}</h2>
        <p>{body}</p>
      </div>
      {vault === undefined ? null : (
        <Button
          look="primary"
          onPress={() => {
            go(paths.unseal(vault.id));
          }}
          name={`${text.home.unseal} ${vault.name}`}
        >
          {text.home.unseal}
        </Button>
      )}
    </section>
  );
}

/** One line of a panel: what it is, what there is to say of it, and its state and way in. */
function Row({
  title,
  detail,
  children,
}: {
  readonly title: string;
  readonly detail: string;
  readonly children: ReactNode;
}): ReactNode {
  return (
    <div className={css('row')}>
      <div className={css('rowText')}>
        <strong>{title}</strong>
        <span className={css('quiet')}>{detail}</span>
      </div>
      {children}
    </div>
  );
}

/** The quiet button at the end of a line; `name` tells it from its neighbours. */
function WayIn({
  name,
  words,
  path,
}: {
  readonly name: string;
  readonly words: string;
  readonly path: string;
}): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Button
      look="quiet"
      name={name}
      onPress={() => {
        go(path);
      }}
    >
      {words}
    </Button>
  );
}

function WaitsPanel({ glance, view }: { readonly glance: Glance; readonly view: AppView }): ReactNode {
  const alarming = closedStores(view).filter(({ quiet }) => !quiet);
  const { open, notices, sealed, unusable, drifted } = glance;
  const nothing =
    open.length + notices.length + alarming.length + sealed.length + unusable.length + drifted.length === 0;
  return (
    <Card title={text.home.waitsTitle}>
      {glance.notices.map((notice) => (
        <Note
          key={notice.id}
          tone={notice.tone === 'danger' ? 'bad' : notice.tone === 'warning' ? 'warn' : 'calm'}
          shape="notice"
          title={notice.title}
        >
          <p>{notice.text}</p>
        </Note>
      ))}
      {alarming.map(({ store }) => (
        <Note key={store.id} tone="bad" shape="stop" title={text.home.storeClosed(store.name)}>
          <p>{`${store.problem?.message ?? ''} ${store.problem?.next ?? ''}`}</p>
        </Note>
      ))}
      {glance.unusable.map((problem) => (
        <Note key={`${problem.kind} ${problem.title}`} tone="warn" shape="unplug" title={problem.title}>
          <p>{problem.text}</p>
          <Actions>
            <WayIn name={`${text.home.whatToDo}: ${problem.title}`} words={text.home.whatToDo} path={paths.tokens} />
          </Actions>
        </Note>
      ))}
      {nothing ? <p className={css('quiet')}>{text.home.waitsEmpty}</p> : null}
      <div>
        {glance.sealed.map((vault) => (
          <Row key={vault.id} title={vault.name} detail={text.home.sealedWaits}>
            <WayIn name={text.home.unsealFromList(vault.name)} words={text.home.unseal} path={paths.unseal(vault.id)} />
          </Row>
        ))}
        {drifted.map((push) => (
          <Row
            key={push.runId}
            title={text.pushes.homeNotice(text.recipes.names[push.recipe], push.context)}
            detail={text.pushes.homeDrift(differencesOf(push))}
          >
            <WayInToPush view={view} push={push} />
          </Row>
        ))}
        {glance.open.map((run) => (
          <Row key={run.id} title={run.title} detail={run.waitsFor}>
            <RunStateMark run={run} />
            <WayIn name={`${text.home.open} ${run.title}`} words={text.home.open} path={paths.run(run.id)} />
          </Row>
        ))}
      </div>
    </Card>
  );
}

/** Leads to the pushes of its cluster; to the run itself where that is in no kubeconfig any more. */
function WayInToPush({ view, push }: { readonly view: AppView; readonly push: PushView }): ReactNode {
  const context = contextOfPush(view, push);
  return (
    <WayIn
      name={`${text.home.open} ${text.recipes.names[push.recipe]}, ${push.context}`}
      words={text.home.open}
      path={context === undefined ? paths.run(push.runId) : paths.cluster(context.id, 'pushes')}
    />
  );
}

/** What was pushed, and what drifted since then. */
function ClustersPanel({ view }: { readonly view: AppView }): ReactNode {
  return (
    <Card title={text.pushes.homeTitle}>
      <div>
        {view.pushes
          .filter((push) => push.state !== 'undone')
          .slice(0, shownAtMost)
          .map((push) => (
            <Row key={push.runId} title={text.recipes.names[push.recipe]} detail={push.context}>
              <MarkOf mark={markOfPush(push)} />
              {push.drift.state === 'drifted' ? null : <WayInToPush view={view} push={push} />}
            </Row>
          ))}
      </div>
    </Card>
  );
}

function VaultsPanel({ view }: { readonly view: AppView }): ReactNode {
  return (
    <Card title={text.home.vaultsTitle}>
      {view.vaults.length === 0 ? <p className={css('quiet')}>{text.home.vaultsEmpty}</p> : null}
      <div>
        {view.vaults.map((vault) => (
          <Row key={vault.id} title={vault.name} detail={text.vaults.summary(vault.nodes.length)}>
            <VaultStateMark state={vault.state} />
            <WayIn name={`${text.home.open} ${vault.name}`} words={text.home.open} path={paths.vault(vault.id)} />
          </Row>
        ))}
      </div>
    </Card>
  );
}

function TokensPanel({ view }: { readonly view: AppView }): ReactNode {
  const hints = closedStores(view).filter(({ quiet }) => quiet);
  const looking = view.stores.some((store) => store.state === 'looking');
  const absent = absentDevices(view);
  return (
    <Card title={text.home.tokensTitle}>
      {view.tokens.length + absent.length === 0 ? (
        <p className={css('quiet')}>{looking ? text.home.tokensLooking : text.home.tokensEmpty}</p>
      ) : null}
      <div>
        {absent.map((device) => (
          <Row
            key={device.serial}
            title={device.serial}
            detail={text.home.tokenAbsentDetail(device.vaults.map((vault) => vault.name).join(', '))}
          >
            <AbsentMark needed={device.vaults.some((vault) => vault.state === 'sealed')} />
          </Row>
        ))}
        {view.tokens.slice(0, shownAtMost).map((token) => (
          <Row
            key={`${token.storeId} ${String(token.slotId)}`}
            title={token.initialized ? tokenTitle(token) : text.tokens.unlabelled}
            detail={token.serial === '' ? `${token.storeName}, ${text.tokens.slot(token.slotId)}` : token.serial}
          >
            <MarkOf mark={conditionOfToken(token)} />
            {token.serial === '' ? null : (
              <WayIn
                name={text.devices.openOf(tokenTitle(token))}
                words={text.home.open}
                path={paths.token(token.storeId, token.serial)}
              />
            )}
          </Row>
        ))}
      </div>
      {hints.map(({ store }) => (
        <details key={store.id} className={css('hint')}>
          <summary>
            <Info size={16} aria-hidden />
            {text.home.storeClosed(store.name)}
          </summary>
          <p>{store.problem?.message}</p>
          <p>{store.problem?.next}</p>
        </details>
      ))}
    </Card>
  );
}

/** A device in its safe is no fault, until its Vault is sealed. */
function AbsentMark({ needed }: { readonly needed: boolean }): ReactNode {
  return (
    <StateMark tone={needed ? 'bad' : 'mute'} shape="unplug">
      {needed ? text.home.tokenMissing : text.home.tokenAbsent}
    </StateMark>
  );
}

function LastPanel({ glance }: { readonly glance: Glance }): ReactNode {
  return (
    <Card title={text.home.lastTitle}>
      {glance.ended.length === 0 ? <p className={css('quiet')}>{text.home.lastEmpty}</p> : null}
      <div>
        {glance.ended.slice(0, shownAtMost).map((run) => (
          <Row key={run.id} title={run.title} detail={formatTime(run.endedAt)}>
            <RunStateMark run={run} />
            <WayIn name={`${text.home.open} ${run.title}`} words={text.home.open} path={paths.run(run.id)} />
          </Row>
        ))}
      </div>
    </Card>
  );
}
