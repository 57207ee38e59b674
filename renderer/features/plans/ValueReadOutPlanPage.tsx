import { useState, type ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import { valueRows } from '../../views/token-objects.ts';
import { PlanLayout } from './PlanLayout.tsx';
import { checkReadOut, freshReadOutForm, type ReadOutForm } from './value-forms.ts';
import type { TokenActProps } from './token-act-props.ts';
import { WrappingKeyChoice } from './WrappingKeyChoice.tsx';

const words = text.plans.readOut;

export function ValueReadOutPlanPage({ token, subject, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState<ReadOutForm>(() => freshReadOutForm(subject));
  const { errors, plan, will, warnings } = checkReadOut(token, form);
  const rows = valueRows(token.objects).filter((row) => row.kind !== 'trial');
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={marks}
      trail={trail}
      will={will}
      errors={Object.values(errors)}
      plan={plan}
    >
      <Card>
        <Picker
          label={words.value}
          placeholder={words.errorValue}
          value={rows.some((row) => row.label === form.valueLabel) ? form.valueLabel : ''}
          error={token.inspected ? errors.value : undefined}
          onChange={(valueLabel) => {
            setForm({ ...form, valueLabel });
          }}
          choices={rows.map((row) => ({ value: row.label, title: `${row.title} (${row.label})` }))}
        />
        <WrappingKeyChoice
          label={words.key}
          none={words.errorKey}
          token={token}
          value={form.keyLabel}
          error={errors.key}
          onChange={(keyLabel) => {
            setForm({ ...form, keyLabel });
          }}
        />
        <LineField
          label={words.custodian}
          help={words.custodianHelp}
          term="custodian"
          value={form.custodian}
          error={errors.custodian}
          maximumLength={80}
          onChange={(custodian) => {
            setForm({ ...form, custodian });
          }}
        />
        <Note tone="warn" shape="alert">
          <Items items={warnings} />
        </Note>
      </Card>
    </PlanLayout>
  );
}
