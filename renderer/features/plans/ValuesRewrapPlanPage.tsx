import { useState, type ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { Choices, LineField } from '../../ui/Fields.tsx';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import { valueRows } from '../../views/token-objects.ts';
import { KeyKindChoice } from './KeyKindChoice.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import { checkRewrap, freshRewrapForm, type RewrapForm } from './value-forms.ts';
import type { TokenActProps } from './token-act-props.ts';
import { WrappingKeyChoice } from './WrappingKeyChoice.tsx';

const words = text.plans.rewrap;

export function ValuesRewrapPlanPage({ token, subject, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState<RewrapForm>(() => freshRewrapForm(token, subject));
  const { errors, plan, will, exists } = checkRewrap(token, form);
  const rows = valueRows(token.objects).filter((row) => row.kind !== 'trial');
  const change = (part: Partial<RewrapForm>): void => {
    setForm({ ...form, ...part });
  };
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={marks}
      trail={trail}
      will={will}
      errors={token.inspected ? Object.values(errors) : []}
      plan={plan}
    >
      <Card title={words.count(rows.length)}>
        {rows.length === 0 ? null : <Items marks="bullets" items={rows.map((row) => `${row.title} (${row.label})`)} />}
        {token.inspected && errors.values !== undefined ? (
          <Note tone="bad" shape="alert">
            <p>{errors.values}</p>
          </Note>
        ) : null}
      </Card>
      <Card>
        <WrappingKeyChoice
          label={words.from}
          none={words.errorFrom}
          token={token}
          value={form.fromKeyLabel}
          error={errors.from}
          onChange={(fromKeyLabel) => {
            change({ fromKeyLabel });
          }}
        />
        <LineField
          label={words.to}
          term="key-label"
          help={words.toHelp}
          value={form.toKeyLabel}
          error={errors.to}
          onChange={(toKeyLabel) => {
            change({ toKeyLabel });
          }}
        />
        {exists ? (
          errors.to === undefined ? (
            <Note tone="calm" shape="notice">
              <p>{words.exists(form.toKeyLabel.trim())}</p>
            </Note>
          ) : null
        ) : (
          <KeyKindChoice
            label={words.kind}
            value={form.keyKind}
            onChange={(keyKind) => {
              change({ keyKind });
            }}
          />
        )}
        <Choices
          label={words.old}
          value={form.removeOldKey ? 'remove' : 'keep'}
          onChange={(old) => {
            change({ removeOldKey: old === 'remove' });
          }}
          choices={(['keep', 'remove'] as const).map((value) => ({
            value,
            title: words.olds[value],
            help: words.oldHelp[value],
          }))}
        />
        <Note tone="warn" shape="notice">
          <p>{words.bankVaults}</p>
        </Note>
      </Card>
    </PlanLayout>
  );
}
