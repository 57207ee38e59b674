import { useState, type ReactNode } from 'react';
import { Plus, Server } from 'lucide-react';
import type { AppView, VaultView } from '../../../electron/contract/views.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Card, EmptyState, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, VaultStateMark } from '../../ui/StateMark.tsx';
import { AddVaultDialog } from './AddVaultDialog.tsx';
import { VaultActs } from './VaultActs.tsx';
import styles from './vaults.module.css';

const css = classesOf(styles);
const words = text.vaults;

export function VaultsPage({ view }: { readonly view: AppView }): ReactNode {
  const [adding, setAdding] = useState(false);
  const add = (
    <Button
      look={view.vaults.length === 0 ? 'primary' : 'plain'}
      icon={<Plus size={18} aria-hidden />}
      onPress={() => {
        setAdding(true);
      }}
    >
      {words.add}
    </Button>
  );
  return (
    <Page title={words.title} lead={words.lead} actions={view.vaults.length === 0 ? undefined : add}>
      {view.vaults.length === 0 ? (
        <EmptyState icon={<Server size={28} />} title={words.emptyTitle} action={add}>
          {words.emptyText}
        </EmptyState>
      ) : (
        <div className={css('cards')}>
          {view.vaults.map((vault) => (
            <VaultCard key={vault.id} vault={vault} />
          ))}
        </div>
      )}
      <AddVaultDialog
        open={adding}
        onClose={() => {
          setAdding(false);
        }}
      />
    </Page>
  );
}

function VaultCard({ vault }: { readonly vault: VaultView }): ReactNode {
  const go = useNavigation((state) => state.go);
  return (
    <Card
      title={vault.name}
      mark={
        <span className={css('marks')}>
          {vault.rehearsal ? <RehearsalMark /> : null}
          <VaultStateMark state={vault.state} />
        </span>
      }
      actions={
        <>
          <VaultActs vault={vault} />
          <Button
            look="quiet"
            name={`${words.details}: ${vault.name}`}
            onPress={() => {
              go(paths.vault(vault.id));
            }}
          >
            {words.details}
          </Button>
        </>
      }
    >
      <ul aria-label={`${words.nodes}: ${vault.name}`}>
        {vault.nodes.map((node) => (
          <li key={node.address} className={css('node')}>
            <span className={css('address')}>{node.address}</span>
            <VaultStateMark state={node.state} />
          </li>
        ))}
      </ul>
    </Card>
  );
}
