import { useState, type ReactNode } from 'react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import type { SecretStorePlan } from '../../../electron/workflows/cluster-plans.ts';
import { text } from '../../text/en.ts';
import { Picker } from '../../ui/Fields.tsx';
import { Card, Items } from '../../ui/Pieces.tsx';
import { valueRows } from '../../views/token-objects.ts';
import { PlanLayout } from './PlanLayout.tsx';
import { SecretChoice } from './SecretChoice.tsx';
import { checkSecret, freshSecretForm, secretInWords, type SecretForm } from './secret-form.ts';
import { effectiveWrappingKey } from './value-forms.ts';
import type { TokenActProps } from './token-act-props.ts';
import { WrappingKeyChoice } from './WrappingKeyChoice.tsx';

const words = text.plans.secretStore;

interface StoreForm {
  readonly keyLabel: string;
  readonly vaultName: string;
  readonly secret: SecretForm;
}

/** What is copied: shares and the root token, no trial. */
const rowsOf = (token: TokenView): ReturnType<typeof valueRows> =>
  valueRows(token.objects).filter((row) => row.kind !== 'trial' && row.copies === 1);

function checkStore(
  token: TokenView,
  form: StoreForm,
): {
  readonly errors: readonly string[];
  readonly secretError: string | undefined;
  readonly plan: SecretStorePlan | undefined;
} {
  const labels = rowsOf(token).map((row) => row.label);
  const keyLabel = effectiveWrappingKey(token, form.keyLabel);
  const secret = checkSecret(form.secret);
  const errors = [
    ...(labels.length === 0 ? [words.valuesNone] : []),
    ...(keyLabel === '' ? [words.errorKey] : []),
    ...(secret.ok ? [] : [secret.error]),
  ];
  if (errors.length > 0 || !secret.ok)
    return { errors, secretError: secret.ok ? undefined : secret.error, plan: undefined };
  const plan: SecretStorePlan = {
    workflow: 'secret-store',
    rehearsal: token.rehearsal,
    ...secret.place,
    secretLabels: {},
    token: { storeId: token.storeId, serial: token.serial, label: token.label },
    keyLabel,
    labels,
    vaultName: form.vaultName,
  };
  return { errors, secretError: undefined, plan };
}

/** The Vaults whose shares are on this token, as this app recorded it. */
function vaultsOf(view: AppView, token: TokenView): readonly string[] {
  return view.vaults
    .filter((vault) => vault.tokenSerial === token.serial && vault.tokenStoreId === token.storeId)
    .map((vault) => vault.name);
}

export function SecretStorePlanPage({ view, token, subject, trail, marks }: TokenActProps): ReactNode {
  const vaults = vaultsOf(view, token);
  const [form, setForm] = useState<StoreForm>(() => ({
    keyLabel: subject,
    vaultName: vaults.length === 1 ? (vaults[0] ?? '') : '',
    secret: freshSecretForm(null),
  }));
  const change = (part: Partial<StoreForm>): void => {
    setForm({ ...form, ...part });
  };
  const rows = rowsOf(token);
  const { errors, secretError, plan } = checkStore(token, form);
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={marks}
      trail={trail}
      errors={token.inspected ? errors : []}
      plan={plan}
      will={[
        ...(form.secret.cluster === undefined ? [] : [words.will.check(form.secret.cluster.context)]),
        words.will.read(token.label),
        words.will.write(rows.length, secretInWords(form.secret)),
        words.will.verify,
      ]}
    >
      <Card title={words.values(rows.length)}>
        {rows.length === 0 ? (
          <p role="status">{token.inspected ? words.valuesNone : text.token.reading}</p>
        ) : (
          <Items marks="bullets" items={rows.map((row) => `${row.title} (${row.label})`)} />
        )}
        <WrappingKeyChoice
          label={text.plans.rewrap.from}
          none={words.errorKey}
          token={token}
          value={form.keyLabel}
          onChange={(keyLabel) => {
            change({ keyLabel });
          }}
        />
      </Card>
      <Card title={words.secretTitle}>
        <SecretChoice
          view={view}
          form={form.secret}
          error={secretError}
          onChange={(secret) => {
            change({ secret });
          }}
        />
        {vaults.length === 0 ? null : (
          <Picker
            label={words.vault}
            help={words.vaultHelp}
            placeholder={words.vaultNone}
            value={form.vaultName}
            onChange={(vaultName) => {
              change({ vaultName });
            }}
            choices={vaults.map((name) => ({ value: name, title: name }))}
          />
        )}
      </Card>
    </PlanLayout>
  );
}
