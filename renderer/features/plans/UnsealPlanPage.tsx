import { useState, type ReactNode } from 'react';
import { Cloud, FileLock2, Keyboard, KeyRound, X } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Actions, Card, Mono, Note, Page } from '../../ui/Pieces.tsx';
import { RehearsalMark, VaultStateMark } from '../../ui/StateMark.tsx';
import { tokenOfVault } from '../../views/glance.ts';
import { PlanLayout } from './PlanLayout.tsx';
import { SecretChoice } from './SecretChoice.tsx';
import { freshSecretForm } from './secret-form.ts';
import { tokenKey } from './token-setup-form.ts';
import { checkUnseal, nodesToUnseal, unsealFormFor, type SourceForm, type UnsealForm } from './unseal-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.unseal;

export function UnsealPlanPage({ view, vaultId }: { readonly view: AppView; readonly vaultId: string }): ReactNode {
  const [asked, setAsked] = useState(vaultId);
  const [decided, setDecided] = useState<UnsealForm>();
  const form = unsealFormFor(view, asked, decided);
  // Settled once a token was proposed, so that later changes to the list never swap it.
  if (decided === undefined && form.sources.length > 0) setDecided(form);
  const vault = view.vaults.find((each) => each.id === form.vaultId);
  const { errors, plan, will } = checkUnseal(view, form);
  const setSources = (sources: readonly SourceForm[]): void => {
    setDecided({ vaultId: form.vaultId, sources });
  };
  const addPgp = async (): Promise<void> => {
    const reply = await act('pgp.choose-message', {});
    if (reply?.chosen !== true) return;
    const source = {
      kind: 'pgp',
      custodian: '',
      fileName: reply.fileName,
      messageBase64: reply.messageBase64,
    } as const;
    // The dialog may have been open for long: what was decided meanwhile counts.
    setDecided((before) => ({ ...(before ?? form), sources: [...(before ?? form).sources, source] }));
  };
  const recorded = vault === undefined ? undefined : tokenOfVault(view, vault);
  const nodes = vault === undefined ? [] : nodesToUnseal(vault);
  const [firstNode] = nodes;
  const hasSecret = form.sources.some((source) => source.kind === 'secret');
  const hasToken = form.sources.some((source) => source.kind === 'token');
  const { each, ...whole } = errors;
  if (view.vaults.length === 0) {
    return (
      <Page title={words.title}>
        <p>{words.vaultsNone}</p>
      </Page>
    );
  }
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={vault?.rehearsal === true ? <RehearsalMark /> : undefined}
      will={will}
      errors={[...Object.values(whole), ...Object.values(each)]}
      plan={plan}
    >
      <Card>
        <Picker
          label={words.vault}
          placeholder={words.vaultNone}
          value={form.vaultId}
          error={form.vaultId === '' ? undefined : errors.vault}
          onChange={(chosen) => {
            setAsked(chosen);
            setDecided(undefined);
          }}
          choices={view.vaults.map((candidate) => ({
            value: candidate.id,
            title: candidate.name,
            help: text.states.vault[candidate.state],
          }))}
        />
        <div>
          <h3>{words.nodes}</h3>
          {nodes.length === 0 ? <p className={css('quiet')}>{words.nodesNone}</p> : null}
          <ul aria-label={words.nodes}>
            {nodes.map((node) => (
              <li key={node.address} className={css('node')}>
                <Mono>{node.address}</Mono>
                <VaultStateMark state={node.state} />
              </li>
            ))}
          </ul>
        </div>
        {firstNode === undefined || firstNode.threshold === 0 ? null : (
          <p>
            {words.needed(firstNode.threshold)} {firstNode.progress > 0 ? words.already(firstNode.progress) : ''}
          </p>
        )}
      </Card>
      <Card title={words.sources}>
        {recorded === undefined ? null : (
          <Note tone="good" shape="check">
            <p>{words.tokenFound}</p>
          </Note>
        )}
        {vault !== undefined && vault.tokenSerial !== '' && recorded === undefined ? (
          <Note tone="warn" shape="unplug">
            <p>{words.tokenGone(vault.tokenSerial)}</p>
          </Note>
        ) : null}
        {form.sources.length === 0 ? <p className={css('quiet')}>{words.sourcesNone}</p> : null}
        {form.sources.map((source, index) => (
          <Source
            key={index}
            number={index + 1}
            source={source}
            view={view}
            rehearsal={vault?.rehearsal ?? false}
            knownContext={vault?.secret?.context ?? ''}
            error={each[index]}
            onChange={(changed) => {
              setSources(form.sources.map((before, at) => (at === index ? changed : before)));
            }}
            onRemove={() => {
              setSources(form.sources.filter((_, at) => at !== index));
            }}
          />
        ))}
        <Actions>
          {hasToken ? null : (
            <Button
              icon={<KeyRound size={18} aria-hidden />}
              onPress={() => {
                const first =
                  recorded ?? view.tokens.find((token) => token.initialized && token.rehearsal === vault?.rehearsal);
                setSources([
                  {
                    kind: 'token',
                    token: first === undefined ? '' : tokenKey(first),
                    keyLabel: vault === undefined || vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel,
                  },
                  ...form.sources,
                ]);
              }}
            >
              {words.useToken}
            </Button>
          )}
          {vault?.rehearsal === true || hasSecret ? null : (
            <Button
              icon={<Cloud size={18} aria-hidden />}
              onPress={() => {
                const first = recorded ?? view.tokens.find((token) => token.initialized && !token.rehearsal);
                setSources([
                  ...form.sources,
                  {
                    kind: 'secret',
                    token: first === undefined ? '' : tokenKey(first),
                    keyLabel: vault === undefined || vault.keyLabel === '' ? 'bank-vaults' : vault.keyLabel,
                    secret: freshSecretForm(vault?.secret ?? null),
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
              setSources([...form.sources, { kind: 'typed', custodian: '' }]);
            }}
          >
            {words.addTyped}
          </Button>
        </Actions>
      </Card>
    </PlanLayout>
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
