import { useState, type ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { Choices, LineField } from '../../ui/Fields.tsx';
import { Card } from '../../ui/Pieces.tsx';
import { Readings } from '../tokens/DeviceState.tsx';
import { checkPinChange, freshPinChangeForm, pinActs, pinActsFor, type PinChangeForm } from './pin-change-form.ts';
import { PlanLayout } from './PlanLayout.tsx';
import type { TokenActProps } from './token-act-props.ts';

const words = text.plans.pin;

export function PinChangePlanPage({ view, token, subject, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState<PinChangeForm>(() => freshPinChangeForm(token, subject, view.settings.operatorName));
  const { errors, plan, will } = checkPinChange(token, form);
  const possible = pinActsFor(token);
  return (
    <PlanLayout
      title={words.acts[form.act]}
      lead={words.lead}
      marks={marks}
      trail={trail}
      will={will}
      errors={Object.values(errors)}
      plan={plan}
    >
      <Card title={words.tries}>
        <Readings token={token} pinsOnly />
      </Card>
      <Card>
        <Choices
          label={words.act}
          value={form.act}
          error={errors.act}
          onChange={(act) => {
            setForm({ ...form, act });
          }}
          choices={pinActs.map((act) => ({
            value: act,
            title: words.acts[act],
            help: words.actHelp[act],
            disabled: !possible.includes(act),
          }))}
        />
        <LineField
          label={words.holder}
          help={words.holderHelp}
          value={form.holder}
          error={errors.holder}
          maximumLength={80}
          onChange={(holder) => {
            setForm({ ...form, holder });
          }}
        />
      </Card>
    </PlanLayout>
  );
}
