import type { ReactNode } from 'react';
import { Cloud, FileLock2, Keyboard, KeyRound, X } from 'lucide-react';
import type { AppView, VaultView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Actions, Card, Note } from '../../ui/Pieces.tsx';
import { tokenOfVault } from '../../views/glance.ts';
import { SecretChoice } from './SecretChoice.tsx';
import { freshSecretForm } from './secret-form.ts';
import type { SourceForm } from './share-sources-form.ts';
import { tokenKey } from './token-setup-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.unseal;

/** Where a Vault's key shares come from, one source after the other. */
export function ShareSources(props: {
  readonly view: AppView;
  readonly vault: VaultView;
  readonly sources: readonly SourceForm[];
  /** What is wrong, by source index. */
  readonly errors: Readonly<Record<number, string>>;
  /** Told how to change the sources as they are by then: a file dialog may be open meanwhile. */
  readonly onChange: (change: (before: readonly SourceForm[]) => readonly SourceForm[]) => void;
}): ReactNode {
  const { view, vault, sources, errors } = props;
  const setSources = (changed: readonly SourceForm[]): void => {
    props.onChange(() => changed);
  };
  const addPgp = async (): Promise<void> => {
    const reply = await act('pgp.choose-message', {});
    if (reply?.chosen !== true) return;
    const { fileName, messageBase64 } = reply;
    props.onChange((before) => [...before, { kind: 'pgp', custodian: '', fileName, messageBase64 }]);
  };
  const recorded = tokenOfVault(view, vault);
  const hasSecret = sources.some((source) => source.kind === 'secret');
  const hasToken = sources.some((source) => source.kind === 'token');
  return (
    <Card title={words.sources}>
      {recorded === undefined ? null : (
        <Note tone="good" shape="check">
          <p>{words.tokenFound}</p>
        </Note>
      )}
      {vault.tokenSerial !== '' && recorded === undefined ? (
        <Note tone="warn" shape="unplug">
          <p>{words.tokenGone(vault.tokenSerial)}</p>
        </Note>
      ) : null}
      {sources.length === 0 ? <p className={css('quiet')}>{words.sourcesNone}</p> : null}
      {sources.map((source, index) => (
        <Source
          key={index}
          number={index + 1}
          source={source}
          view={view}
          rehearsal={vault.rehearsal}
          knownContext={vault.secret?.context ?? ''}
          error={errors[index]}
          onChange={(changed) => {
            setSources(sources.map((before, at) => (at === index ? changed : before)));
          }}
          onRemove={() => {
            setSources(sources.filter((_, at) => at !== index));
          }}
        />
      ))}
      <Actions>
        {hasToken ? null : (
          <Button
            icon={<KeyRound size={18} aria-hidden />}
            onPress={() => {
              const first =
                recorded ?? view.tokens.find((token) => token.initialized && token.rehearsal === vault.rehearsal);
              setSources([
                {
                  kind: 'token',
                  token: first === undefined ? '' : tokenKey(first),
                  keyLabel: vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel,
                },
                ...sources,
              ]);
            }}
          >
            {words.useToken}
          </Button>
        )}
        {vault.rehearsal || hasSecret ? null : (
          <Button
            icon={<Cloud size={18} aria-hidden />}
            onPress={() => {
              const first = recorded ?? view.tokens.find((token) => token.initialized && !token.rehearsal);
              setSources([
                ...sources,
                {
                  kind: 'secret',
                  token: first === undefined ? '' : tokenKey(first),
                  keyLabel: vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel,
                  secret: freshSecretForm(vault.secret),
                },
              ]);
            }}
          >
            {words.useSecret}
          </Button>
        )}
        <Button icon={<FileLock2 size={18} aria-hidden />} onPress={() => void addPgp()}>
          {words.addPgp}
        </Button>
        <Button
          icon={<Keyboard size={18} aria-hidden />}
          onPress={() => {
            setSources([...sources, { kind: 'typed', custodian: '' }]);
          }}
        >
          {words.addTyped}
        </Button>
      </Actions>
    </Card>
  );
}

function Source(props: {
  readonly number: number;
  readonly source: SourceForm;
  readonly view: AppView;
  readonly rehearsal: boolean;
  /** The context of the Secret where this app put the shares; '' for none. */
  readonly knownContext: string;
  readonly error: string | undefined;
  readonly onChange: (source: SourceForm) => void;
  readonly onRemove: () => void;
}): ReactNode {
  const { source } = props;
  const title = { token: words.fromToken, secret: words.fromSecret, pgp: words.pgpFrom, typed: words.typedBy }[
    source.kind
  ];
  return (
    <div className={css('source')} role="group" aria-label={`${String(props.number)}. ${title}`}>
      <div className={css('sourceHead')}>
        <strong>{`${String(props.number)}. ${title}`}</strong>
        <Button
          look="quiet"
          icon={<X size={18} aria-hidden />}
          name={words.removeOf(String(props.number))}
          onPress={props.onRemove}
        >
          {words.remove}
        </Button>
      </div>
      {source.kind === 'secret' ? (
        <SecretChoice
          view={props.view}
          form={source.secret}
          known={props.knownContext}
          error={props.error}
          onChange={(secret) => {
            props.onChange({ ...source, secret });
          }}
        />
      ) : null}
      {source.kind === 'token' || source.kind === 'secret' ? (
        <div className={css('pair')}>
          <Picker
            label={source.kind === 'secret' ? words.decryptedBy : words.token}
            value={source.token}
            error={source.kind === 'token' ? props.error : undefined}
            onChange={(token) => {
              props.onChange({ ...source, token });
            }}
            choices={props.view.tokens
              .filter((token) => token.initialized && token.rehearsal === props.rehearsal)
              .map((token) => ({
                value: tokenKey(token),
                title: `${token.label} (${token.serial})`,
                help: token.storeName,
              }))}
          />
          <LineField
            label={words.keyLabel}
            term="key-label"
            value={source.keyLabel}
            onChange={(keyLabel) => {
              props.onChange({ ...source, keyLabel });
            }}
          />
        </div>
      ) : (
        <>
          {source.kind === 'pgp' ? <span className={css('quiet')}>{words.file(source.fileName)}</span> : null}
          <LineField
            label={words.custodianOf(props.number)}
            term="custodian"
            value={source.custodian}
            maximumLength={80}
            error={props.error}
            onChange={(custodian) => {
              props.onChange({ ...source, custodian });
            }}
          />
        </>
      )}
    </div>
  );
}
