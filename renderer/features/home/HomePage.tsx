import type { ReactNode } from 'react';
import { CircleCheck, LockKeyhole, Server, Sparkles, Unplug } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, Note, Page } from '../../ui/Pieces.tsx';
import { StateMark, VaultStateMark, type Tone } from '../../ui/StateMark.tsx';
import { glanceAt, type Glance } from '../../views/glance.ts';
import { formatTime } from '../../views/times.ts';
import { RunStateMark } from '../runs/RunStateMark.tsx';
import { RehearsalPanel } from './RehearsalPanel.tsx';
import styles from './home.module.css';

const css = classesOf(styles);
const shownAtMost = 5;

export function HomePage({ view }: { readonly view: AppView }): ReactNode {
  const glance = glanceAt(view);
  return (
    <Page title={text.home.title}>
      <Banner glance={glance} />
      <RehearsalPanel view={view} prominent={glance.nothingSetUp} />
      <div className={css('panels')}>
        <WaitsPanel glance={glance} />
        <VaultsPanel view={view} />
        <TokensPanel view={view} />
        <LastPanel glance={glance} />
      </div>
      {view.trayAvailable ? null : (
        <Note tone="calm" shape="notice">
          <p>{text.home.noTray}</p>
        </Note>
      )}
    </Page>
  );
}

/** The first question: is anything sealed or missing? */
function Banner({ glance }: { readonly glance: Glance }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [firstSealed] = glance.sealed;
  const names = (vaults: readonly { readonly name: string }[]): string => vaults.map((vault) => vault.name).join(', ');
  const words = text.home;
  const banner: {
    readonly tone: Exclude<Tone, 'practice'>;
    readonly icon: ReactNode;
    readonly title: string;
    readonly body: string;
    readonly action?: ReactNode;
  } =
    firstSealed !== undefined
      ? {
          tone: 'warn',
          icon: <LockKeyhole size={28} aria-hidden />,
          title: words.sealedTitle(names(glance.sealed)),
          body: words.sealedText,
          action: (
            <Button
              look="primary"
              onPress={() => {
                go(paths.unseal(firstSealed.id));
              }}
              name={`${words.unseal} ${firstSealed.name}`}
            >
              {words.unseal}
            </Button>
          ),
        }
      : glance.missing.length > 0
        ? {
            tone: 'bad',
            icon: <Unplug size={28} aria-hidden />,
            title: words.missingTitle(names(glance.missing)),
            body: words.missingText,
          }
        : glance.nothingSetUp
          ? { tone: 'mute', icon: <Sparkles size={28} aria-hidden />, title: words.emptyTitle, body: words.emptyText }
          : glance.fresh.length > 0
            ? {
                tone: 'calm',
                icon: <Server size={28} aria-hidden />,
                title: words.freshTitle(names(glance.fresh)),
                body: words.freshText,
              }
            : {
                tone: 'good',
                icon: <CircleCheck size={28} aria-hidden />,
                title: words.allWell,
                body: words.allWellText,
              };
  return (
    <section className={css('banner', banner.tone)} aria-label={banner.title}>
      {banner.icon}
      <div>
        <h2>{banner.title}</h2>
        <p>{banner.body}</p>
      </div>
      {banner.action}
    </section>
  );
}

function WaitsPanel({ glance }: { readonly glance: Glance }): ReactNode {
  const go = useNavigation((state) => state.go);
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
      {glance.open.length === 0 && glance.notices.length === 0 ? (
        <p className={css('quiet')}>{text.home.waitsEmpty}</p>
      ) : null}
      <div>
        {glance.open.map((run) => (
          <div key={run.id} className={css('row')}>
            <div className={css('rowText')}>
              <strong>{run.title}</strong>
              <span className={css('quiet')}>{run.waitsFor}</span>
            </div>
            <RunStateMark run={run} />
            <Button
              look="quiet"
              name={`${text.home.open} ${run.title}`}
              onPress={() => {
                go(paths.run(run.id));
              }}
            >
              {text.home.open}
            </Button>
          </div>
        ))}
      </div>
    </Card>
  );
}

function VaultsPanel({ view }: { readonly view: AppView }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Card title={text.home.vaultsTitle}>
      {view.vaults.length === 0 ? <p className={css('quiet')}>{text.home.vaultsEmpty}</p> : null}
      <div>
        {view.vaults.map((vault) => (
          <div key={vault.id} className={css('row')}>
            <div className={css('rowText')}>
              <strong>{vault.name}</strong>
              <span className={css('quiet')}>{text.vaults.summary(vault.nodes.length)}</span>
            </div>
            <VaultStateMark state={vault.state} />
            <Button
              look="quiet"
              name={`${text.home.open} ${vault.name}`}
              onPress={() => {
                go(paths.vault(vault.id));
              }}
            >
              {text.home.open}
            </Button>
          </div>
        ))}
      </div>
    </Card>
  );
}

function TokensPanel({ view }: { readonly view: AppView }): ReactNode {
  return (
    <Card title={text.home.tokensTitle}>
      {view.tokens.length === 0 ? <p className={css('quiet')}>{text.home.tokensEmpty}</p> : null}
      <div>
        {view.tokens.slice(0, shownAtMost).map((token) => (
          <div key={`${token.storeId} ${String(token.slotId)}`} className={css('row')}>
            <div className={css('rowText')}>
              <strong>{token.initialized ? token.label : text.tokens.unlabelled}</strong>
              <span className={css('quiet')}>
                {token.initialized
                  ? `${token.storeName}, ${token.serial}`
                  : `${token.storeName}, ${text.tokens.slot(token.slotId)}`}
              </span>
            </div>
            {token.initialized ? (
              <StateMark tone="good" shape="check">
                {text.tokens.initialized}
              </StateMark>
            ) : (
              <StateMark tone="mute" shape="dashed">
                {text.tokens.uninitialized}
              </StateMark>
            )}
          </div>
        ))}
      </div>
    </Card>
  );
}

function LastPanel({ glance }: { readonly glance: Glance }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Card title={text.home.lastTitle}>
      {glance.ended.length === 0 ? <p className={css('quiet')}>{text.home.lastEmpty}</p> : null}
      <div>
        {glance.ended.slice(0, shownAtMost).map((run) => (
          <div key={run.id} className={css('row')}>
            <div className={css('rowText')}>
              <strong>{run.title}</strong>
              <span className={css('quiet')}>{formatTime(run.endedAt)}</span>
            </div>
            <RunStateMark run={run} />
            <Button
              look="quiet"
              name={`${text.home.open} ${run.title}`}
              onPress={() => {
                go(paths.run(run.id));
              }}
            >
              {text.home.open}
            </Button>
          </div>
        ))}
      </div>
    </Card>
  );
}
