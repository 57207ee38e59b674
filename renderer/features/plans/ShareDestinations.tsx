import type { ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Actions, Card, Items, Note } from '../../ui/Pieces.tsx';
import { PgpKeyChoice } from './PgpKeyChoice.tsx';
import { changeDestination, destinationAt, type DestinationForm, type VaultInitForm } from './vault-init-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.vaultInit;

const kinds = ['token', 'secret', 'pgp', 'shown'] as const;
const kindsOfRehearsal = ['token', 'pgp', 'shown'] as const;

/** Encrypted under the token's key: no person holds it. */
const isKept = ({ kind }: DestinationForm): boolean => kind === 'token' || kind === 'secret';

/** Where each share goes, one by one, with a way to send all the same way. */
export function ShareDestinations(props: {
  readonly form: VaultInitForm;
  readonly onChange: (form: VaultInitForm) => void;
  readonly errors: Readonly<Record<number, string>>;
  readonly warnings: readonly string[];
  /** A rehearsal puts nothing into a cluster. */
  readonly rehearsal: boolean;
}): ReactNode {
  const { form } = props;
  const sendAll = (kind: DestinationForm['kind']): void => {
    props.onChange({
      ...form,
      destinations: Array.from({ length: form.shares }, (_, index) => ({ ...destinationAt(form, index), kind })),
    });
  };
  return (
    <Card title={words.destinations}>
      <Actions>
        <Button
          look="quiet"
          onPress={() => {
            sendAll('token');
          }}
        >
          {words.allToken}
        </Button>
        {props.rehearsal ? null : (
          <Button
            look="quiet"
            onPress={() => {
              sendAll('secret');
            }}
          >
            {words.allSecret}
          </Button>
        )}
        <Button
          look="quiet"
          onPress={() => {
            sendAll('shown');
          }}
        >
          {words.allShown}
        </Button>
      </Actions>
      {props.warnings.length === 0 ? null : (
        <Note tone="warn" shape="alert">
          <Items items={props.warnings} />
        </Note>
      )}
      <ol className={css('destinations')}>
        {Array.from({ length: form.shares }, (_, index) => (
          <li key={index} className={css('share', isKept(destinationAt(form, index)) && 'shareOnToken')}>
            <Destination
              index={index}
              destination={destinationAt(form, index)}
              error={props.errors[index]}
              kinds={props.rehearsal ? kindsOfRehearsal : kinds}
              onChange={(change) => {
                props.onChange(changeDestination(form, index, change));
              }}
            />
          </li>
        ))}
      </ol>
    </Card>
  );
}

function Destination(props: {
  readonly index: number;
  readonly destination: DestinationForm;
  readonly error: string | undefined;
  readonly kinds: readonly DestinationForm['kind'][];
  readonly onChange: (change: Partial<DestinationForm>) => void;
}): ReactNode {
  const number = props.index + 1;
  const { destination } = props;
  return (
    <>
      <Picker
        label={words.destinationOf(number)}
        value={destination.kind}
        onChange={(kind) => {
          props.onChange({ kind });
        }}
        choices={props.kinds.map((kind) => ({
          value: kind,
          title: words.kinds[kind],
          help: words.kindHelp[kind],
        }))}
      />
      {isKept(destination) ? null : (
        <div className={css('form')}>
          <LineField
            label={words.custodianOf(number)}
            term="custodian"
            value={destination.custodian}
            maximumLength={80}
            error={props.error}
            onChange={(custodian) => {
              props.onChange({ custodian });
            }}
          />
          {destination.kind === 'pgp' ? (
            <PgpKeyChoice
              name={words.share(number)}
              chosen={destination.pgpKey}
              onChange={(pgpKey) => {
                props.onChange({ pgpKey });
              }}
            />
          ) : null}
        </div>
      )}
    </>
  );
}
