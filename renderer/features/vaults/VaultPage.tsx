import { useState, type ReactNode } from 'react';
import { RefreshCw, Server } from 'lucide-react';
import type { AppView, FailureView, VaultNodeView, VaultView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { act } from '../../stores/alert-store.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { ConfirmDialog } from '../../ui/Dialogs.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Card, EmptyState, Fact, Facts, Gauge, Hash, Mono, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, VaultStateMark } from '../../ui/StateMark.tsx';
import { formatClock } from '../../views/times.ts';
import { VaultActs, VaultMenu } from './VaultActs.tsx';

const words = text.vaults;

export function VaultPage({ view, vaultId }: { readonly view: AppView; readonly vaultId: string }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [removing, setRemoving] = useState(false);
  const [looking, setLooking] = useState(false);
  const [problem, setProblem] = useState<FailureView>();
  const vault = view.vaults.find((each) => each.id === vaultId);
  if (vault === undefined) {
    return (
      <Page title={words.title}>
        <EmptyState
          icon={<Server size={28} />}
          title={words.notFoundTitle}
          action={
            <Button
              onPress={() => {
                go(paths.vaults);
              }}
            >
              {words.title}
            </Button>
          }
        >
          {words.notFoundText}
        </EmptyState>
      </Page>
    );
  }
  const refresh = async (): Promise<void> => {
    setLooking(true);
    await act('vaults.refresh', { vaultId });
    setLooking(false);
  };
  return (
    <Page
      title={vault.name}
      trail={[{ title: words.title, path: paths.vaults }]}
      marks={
        <>
          <VaultStateMark state={vault.state} />
          {vault.rehearsal ? <RehearsalMark /> : null}
        </>
      }
      actions={
        <>
          <Button icon={<RefreshCw size={18} aria-hidden />} pending={looking} onPress={() => void refresh()}>
            {words.refresh}
          </Button>
          <VaultMenu vault={vault} />
          <VaultActs vault={vault} />
        </>
      }
    >
      {vault.nodes.map((node) => (
        <NodeCard key={node.address} node={node} />
      ))}
      <Card
        title={words.details}
        actions={
          vault.rehearsal ? undefined : (
            <Button
              look="danger"
              onPress={() => {
                setRemoving(true);
              }}
            >
              {words.remove}
            </Button>
          )
        }
      >
        <Facts>
          <Fact name={words.trust} wide={vault.trust.kind !== 'system'}>
            <TrustWords trust={vault.trust} />
          </Fact>
          <Fact name={words.sharesOn}>
            {vault.tokenSerial === '' ? words.sharesUnknown : <Mono>{vault.tokenSerial}</Mono>}
          </Fact>
          {vault.keyLabel === '' ? null : (
            <Fact name={words.keyLabel} term="key-label">
              {vault.keyLabel}
            </Fact>
          )}
        </Facts>
      </Card>
      <ConfirmDialog
        title={words.removeTitle(vault.name)}
        open={removing}
        onClose={() => {
          setRemoving(false);
          setProblem(undefined);
        }}
        confirm={words.removeConfirm}
        problem={problem}
        onConfirm={async () => {
          const answer = await getBridge().call('vaults.remove', { vaultId });
          if (answer.ok) go(paths.vaults);
          else setProblem(answer.error);
          return answer.ok;
        }}
      >
        <p>{words.removeText}</p>
      </ConfirmDialog>
    </Page>
  );
}

function TrustWords({ trust }: { readonly trust: VaultView['trust'] }): ReactNode {
  if (trust.kind === 'system') return words.trustSystem;
  if (trust.kind === 'ca-file') return words.trustCa(trust.path);
  return (
    <>
      {words.trustPinned}
      <Hash value={trust.sha256} />
    </>
  );
}

function NodeCard({ node }: { readonly node: VaultNodeView }): ReactNode {
  return (
    <Card title={node.address} level={2} mark={<VaultStateMark state={node.state} />}>
      {node.problem === null ? null : <FailureBox failure={node.problem} />}
      {node.state === 'sealed' && node.progress > 0 ? (
        <Gauge progress={node.progress} threshold={node.threshold} />
      ) : null}
      <Facts>
        {node.version === '' ? null : <Fact name={words.version}>{`${node.product} ${node.version}`}</Fact>}
        {node.threshold === 0 ? null : (
          <Fact name={words.sharesTitle} term="threshold">
            {words.shares(node.threshold, node.shares)}
          </Fact>
        )}
        {node.sealType === '' ? null : (
          <Fact name={words.seal} term="seal-type">
            {node.sealType}
          </Fact>
        )}
        {node.storageType === '' ? null : <Fact name={words.storage}>{node.storageType}</Fact>}
        {node.clusterName === '' ? null : <Fact name={words.cluster}>{node.clusterName}</Fact>}
        {node.attemptNonce === '' ? null : (
          <Fact name={words.attempt} term="nonce" wide>
            <Mono>{node.attemptNonce}</Mono>
          </Fact>
        )}
        <Fact name={words.lastSeen}>{node.lastSeen === '' ? words.never : formatClock(node.lastSeen)}</Fact>
      </Facts>
    </Card>
  );
}
