import { useState, type ReactNode } from 'react';
import { BadgeCheck, ChevronDown, Download, File, Key, KeyRound, KeySquare } from 'lucide-react';
import { Button as AriaButton, Disclosure, DisclosurePanel, Heading } from 'react-aria-components';
import type { TokenView } from '../../../electron/contract/views.ts';
import { act, useAlerts } from '../../stores/alert-store.ts';
import { beginRun, type Plan } from '../../stores/begin-run.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { ActionMenu } from '../../ui/Dialogs.tsx';
import { Actions, Fact, Facts, Hash, Mono } from '../../ui/Pieces.tsx';
import { StateMark } from '../../ui/StateMark.tsx';
import { formatTime } from '../../views/times.ts';
import { attributeWords, type ObjectRow } from '../../views/token-objects.ts';
import { planDeletion, planKeyTest } from './token-plans.ts';
import styles from './token-page.module.css';

const css = classesOf(styles);
const words = text.token.objects;

const icons = {
  'key-pair': KeyRound,
  'private-key': KeyRound,
  'public-key': Key,
  'secret-key': KeySquare,
  certificate: BadgeCheck,
  data: File,
  other: File,
} as const;

/** One object: what it is at a glance; opened, all that is known of it and what can be done with it. */
export function ObjectItem({ row, token }: { readonly row: ObjectRow; readonly token: TokenView }): ReactNode {
  const Icon = icons[row.objectClass];
  const [open, setOpen] = useState(false);
  return (
    <li>
      <Disclosure className={css('object')} isExpanded={open} onExpandedChange={setOpen}>
        <Heading level={3} className={css('objectHeading')}>
          <AriaButton slot="trigger" className={css('objectHead')}>
            <Icon size={20} aria-hidden />
            <span className={css('objectName')}>
              <span className={css('objectLabel')}>{row.label === '' ? words.unlabelled : row.label}</span>
              <span className={css('quiet')}>
                {[words.classes[row.objectClass], row.kind].filter((part) => part !== '').join(' · ')}
              </span>
            </span>
            <span className={css('objectMarks')}>
              {row.doubled ? (
                <StateMark tone="warn" shape="alert">
                  {words.doubled}
                </StateMark>
              ) : null}
              {row.usedBy.length === 0 ? null : (
                <StateMark tone="calm" shape="lock">
                  {words.usedBy(row.usedBy.join(', '))}
                </StateMark>
              )}
            </span>
            <ChevronDown size={18} aria-hidden className={css('chevron')} />
          </AriaButton>
        </Heading>
        <DisclosurePanel className={css('objectBody')}>
          {open ? <ObjectDetails row={row} token={token} /> : null}
        </DisclosurePanel>
      </Disclosure>
    </li>
  );
}

function ObjectDetails({ row, token }: { readonly row: ObjectRow; readonly token: TokenView }): ReactNode {
  return (
    <div className={css('objectFacts')}>
      <Facts>
        <Fact name={words.id}>{row.id === '' ? words.idNone : <Mono>{row.id}</Mono>}</Fact>
        {row.subject === '' ? null : (
          <Fact name={words.subject} wide>
            {row.subject}
          </Fact>
        )}
        {row.notAfter === '' ? null : <Fact name={words.validUntil}>{formatTime(row.notAfter)}</Fact>}
        {row.sha256 === '' ? null : (
          <Fact name={words.fingerprint} wide>
            <Hash value={row.sha256} />
          </Fact>
        )}
        <Fact name={words.attributes} wide>
          {row.attributes.length === 0 ? (
            words.attributesNone
          ) : (
            <ul className={css('attributes')} aria-label={words.attributes}>
              {row.attributes.map(attributeWords).map(({ plain, name }) => (
                <li key={name} title={name}>
                  {plain}
                </li>
              ))}
            </ul>
          )}
        </Fact>
      </Facts>
      <ObjectActs row={row} token={token} />
    </div>
  );
}

function ObjectActs({ row, token }: { readonly row: ObjectRow; readonly token: TokenView }): ReactNode {
  const say = useAlerts((state) => state.say);
  const [busy, setBusy] = useState<'test' | 'delete' | 'export' | ''>('');
  const label = row.label === '' ? row.id : row.label;
  const deletion = planDeletion(token, row);
  const isPair = row.objectClass === 'key-pair';
  const test = isPair || row.objectClass === 'private-key' ? planKeyTest(token, row) : undefined;
  const begin = async (which: 'test' | 'delete', plan: Plan): Promise<void> => {
    setBusy(which);
    await beginRun(plan);
    setBusy('');
  };
  const save = async (format: 'pem' | 'ssh' | 'jwk'): Promise<void> => {
    setBusy('export');
    const reply = await act('tokens.export-key', {
      storeId: token.storeId,
      serial: token.serial,
      id: row.id,
      label: row.label,
      format,
    });
    setBusy('');
    if (reply !== undefined && reply.path !== '') say(words.exported(reply.path));
  };
  return (
    <Actions>
      {isPair || row.objectClass === 'public-key' ? (
        <ActionMenu
          label={words.export}
          name={words.exportOf(label)}
          icon={<Download size={18} aria-hidden />}
          items={(['pem', 'ssh', 'jwk'] as const).map((id) => ({ id, title: words.formats[id] }))}
          onAction={(format) => void save(format)}
        />
      ) : null}
      {test === undefined ? null : (
        <Button name={words.testOf(label)} pending={busy === 'test'} onPress={() => void begin('test', test)}>
          {words.test}
        </Button>
      )}
      {deletion === undefined ? null : (
        <Button
          look="danger"
          name={words.deleteOf(label)}
          pending={busy === 'delete'}
          onPress={() => void begin('delete', deletion)}
        >
          {words.delete}
        </Button>
      )}
    </Actions>
  );
}
