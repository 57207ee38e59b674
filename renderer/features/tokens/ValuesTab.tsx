import { useState, type ReactNode } from 'react';
import { Eye, FileLock2, KeyRound, RefreshCcw, ShieldCheck, Vault } from 'lucide-react';
import type { TokenView } from '../../../electron/contract/views.ts';
import { beginRun } from '../../stores/begin-run.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Picker } from '../../ui/Fields.tsx';
import { Card, EmptyState, Mono, Note } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { wrappingLabels } from '../../views/devices.ts';
import { valueRows, type ValueRow } from '../../views/token-objects.ts';
import { planRepair } from './token-plans.ts';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.values;

const icons = { share: KeyRound, recovery: KeyRound, root: Vault, trial: ShieldCheck } as const;

/** bank-vaults' values: what lies there, and what can be done with them all or with one. */
export function ValuesTab({ token }: { readonly token: TokenView }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [busy, setBusy] = useState(false);
  const [chosen, setChosen] = useState('');
  const rows = valueRows(token.objects);
  const labels = wrappingLabels(token);
  const keyLabel = labels.includes(chosen) ? chosen : (labels[0] ?? '');
  const doubled = rows.filter((row) => row.copies > 1).map((row) => row.label);
  const repair = planRepair(token, keyLabel);
  if (!token.inspected) return <p role="status">{text.token.reading}</p>;
  if (rows.length === 0) {
    return (
      <EmptyState icon={<KeyRound size={28} />} title={words.none}>
        {words.noneText}
      </EmptyState>
    );
  }
  return (
    <>
      {doubled.length === 0 ? null : (
        <Note tone="bad" shape="alert" title={words.doubledTitle(doubled.join(', '))}>
          <p>{words.doubledText}</p>
        </Note>
      )}
      {rows.some((row) => row.kind === 'root') ? (
        <Note tone="warn" shape="notice" title={words.rootTitle}>
          <p>{words.rootText}</p>
        </Note>
      ) : null}
      {rows.some((row) => row.kind === 'trial') ? (
        <Note tone="calm" shape="notice" title={words.trialTitle}>
          <p>{words.trialText}</p>
        </Note>
      ) : null}
      <Card title={words.title}>
        <p className={css('quiet')}>{words.lead}</p>
        <ul className={css('values')}>
          {rows.map((row) => (
            <Value key={row.label} row={row} token={token} readable={keyLabel !== ''} />
          ))}
        </ul>
      </Card>
      <Card>
        {labels.length === 0 ? (
          <Note tone="warn" shape="alert">
            <p>{words.keyNone}</p>
          </Note>
        ) : (
          <div className={css('narrow')}>
            <Picker
              label={words.key}
              term="wrapping-key"
              value={keyLabel}
              onChange={setChosen}
              choices={labels.map((label) => ({ value: label, title: label }))}
            />
          </div>
        )}
        <div className={css('halves')}>
          <div className={css('act')}>
            <Button
              look="primary"
              icon={<ShieldCheck size={18} aria-hidden />}
              disabled={repair === undefined}
              pending={busy}
              onPress={() => {
                if (repair === undefined) return;
                setBusy(true);
                void beginRun(repair).finally(() => {
                  setBusy(false);
                });
              }}
            >
              {doubled.length === 0 ? words.check : words.checkRepair}
            </Button>
            <p className={css('quiet')}>{words.checkHelp}</p>
          </div>
          <div className={css('act')}>
            <Button
              icon={<RefreshCcw size={18} aria-hidden />}
              disabled={labels.length === 0}
              onPress={() => {
                go(paths.tokenAct('values-rewrap', token, keyLabel));
              }}
            >
              {words.rewrap}
            </Button>
            <p className={css('quiet')}>{words.rewrapHelp}</p>
          </div>
          {token.rehearsal ? null : (
            <div className={css('act')}>
              <Button
                icon={<FileLock2 size={18} aria-hidden />}
                disabled={labels.length === 0}
                onPress={() => {
                  go(paths.tokenAct('secret-store', token, keyLabel));
                }}
              >
                {words.toSecret}
              </Button>
              <p className={css('quiet')}>{words.toSecretHelp}</p>
            </div>
          )}
        </div>
      </Card>
    </>
  );
}

function Value(props: { readonly row: ValueRow; readonly token: TokenView; readonly readable: boolean }): ReactNode {
  const go = useNavigation((state) => state.go);
  const { row } = props;
  const Icon = icons[row.kind];
  return (
    <li className={css('value')}>
      <Icon size={20} aria-hidden />
      <div className={css('objectName')}>
        <span className={css('objectLabel')}>{row.title}</span>
        <span className={css('quiet')}>
          <Mono>{row.label}</Mono>
        </span>
      </div>
      {row.usedBy.length === 0 ? null : (
        <StateMark tone="calm" shape="lock">
          {text.token.objects.usedBy(row.usedBy.join(', '))}
        </StateMark>
      )}
      {row.copies < 2 ? null : (
        <StateMark tone="bad" shape="alert">
          {words.doubled}
        </StateMark>
      )}
      {row.kind === 'trial' ? null : (
        <Button
          look="quiet"
          icon={<Eye size={18} aria-hidden />}
          name={words.readOutOf(row.label)}
          disabled={!props.readable}
          onPress={() => {
            go(paths.tokenAct('value-read-out', props.token, row.label));
          }}
        >
          {words.readOut}
        </Button>
      )}
    </li>
  );
}
