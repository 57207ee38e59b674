import { useState, type ReactNode } from 'react';
import { Plus, RefreshCw, Usb } from 'lucide-react';
import type { AppView, FailureView, StoreView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ConfirmDialog } from '../../ui/Dialogs.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { EmptyState, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, StateMark } from '../../ui/StateMark.tsx';
import { glanceAt } from '../../views/glance.ts';
import { AddModuleDialog } from './AddModuleDialog.tsx';
import { Connections, PresenceProblem } from './PresencePanels.tsx';
import { TokenCard } from './TokenCard.tsx';
import styles from './tokens.module.css';

const css = classesOf(styles);
const words = text.tokens;

export function TokensPage({ view }: { readonly view: AppView }): ReactNode {
  const [adding, setAdding] = useState(false);
  const [looking, setLooking] = useState(false);
  const refresh = async (): Promise<void> => {
    setLooking(true);
    await Promise.all([act('tokens.refresh', {}), act('presence.refresh', {})]);
    setLooking(false);
  };
  const looks = view.stores.some((store) => store.state === 'looking');
  const add = (
    <Button
      icon={<Plus size={18} aria-hidden />}
      onPress={() => {
        setAdding(true);
      }}
    >
      {words.addModule}
    </Button>
  );
  return (
    <Page
      title={words.title}
      lead={words.lead}
      actions={
        <>
          <Button icon={<RefreshCw size={18} aria-hidden />} pending={looking} onPress={() => void refresh()}>
            {words.refresh}
          </Button>
          {view.stores.length === 0 ? null : add}
        </>
      }
    >
      {view.presence.problems.map((problem) => (
        <PresenceProblem key={`${problem.kind} ${problem.title}`} problem={problem} />
      ))}
      {view.tokens.length === 0 && !looks && glanceAt(view).unusable.length === 0 ? (
        <EmptyState
          icon={<Usb size={28} />}
          title={words.emptyTitle}
          action={view.stores.length === 0 ? add : undefined}
        >
          {text.devices.emptyText}
        </EmptyState>
      ) : null}
      {view.stores.map((store) => (
        <Store key={store.id} store={store} view={view} />
      ))}
      <Connections view={view} />
      <AddModuleDialog
        open={adding}
        onClose={() => {
          setAdding(false);
        }}
      />
    </Page>
  );
}

function Store({ store, view }: { readonly store: StoreView; readonly view: AppView }): ReactNode {
  const [removing, setRemoving] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  const tokens = view.tokens.filter((token) => token.storeId === store.id);
  return (
    <section className={css('store')} aria-label={store.name}>
      <div className={css('storeHead')}>
        <h2>{store.name}</h2>
        {store.rehearsal ? <RehearsalMark /> : null}
        <StateMark
          tone={store.state === 'ready' ? 'good' : store.state === 'failed' ? 'bad' : 'mute'}
          shape={store.state === 'ready' ? 'check' : store.state === 'failed' ? 'stop' : 'loader'}
        >
          {text.states.store[store.state]}
        </StateMark>
        <span className={css('storePath')}>{store.modulePath}</span>
        {store.removable ? (
          <Button
            look="quiet"
            onPress={() => {
              setRemoving(true);
            }}
          >
            {words.removeModule}
          </Button>
        ) : null}
      </div>
      {store.problem === null ? null : <FailureBox failure={store.problem} />}
      {store.state === 'ready' && tokens.length === 0 ? <p className={css('quiet')}>{words.storeEmpty}</p> : null}
      <div className={css('cards')}>
        {tokens.map((token) => (
          <TokenCard key={`${token.serial} ${String(token.slotId)}`} token={token} view={view} />
        ))}
      </div>
      <ConfirmDialog
        title={words.removeTitle(store.name)}
        open={removing}
        onClose={() => {
          setRemoving(false);
          setProblem(undefined);
        }}
        confirm={words.remove}
        problem={problem}
        onConfirm={async () => {
          const answer = await getBridge().call('stores.remove', { storeId: store.id });
          if (!answer.ok) setProblem(answer.error);
          return answer.ok;
        }}
      >
        <p>{words.removeText}</p>
      </ConfirmDialog>
    </section>
  );
}
