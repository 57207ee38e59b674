import { useState, type ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { Picker } from '../../ui/Fields.tsx';
import { Card, Note } from '../../ui/Pieces.tsx';
import { tokenTitle } from '../../views/token-title.ts';
import {
  checkDrill,
  drillErrorList,
  effectiveDrillKey,
  effectiveTarget,
  freshDrillForm,
  provableKeys,
  type DrillForm,
} from './backup-forms.ts';
import { DevicePins } from './DevicePins.tsx';
import { DkekShares } from './DkekShares.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import { TargetPicker } from './TargetPicker.tsx';
import type { TokenActProps } from './token-act-props.ts';

const words = text.plans.drill;

export function BackupDrillPlanPage({ view, token, subject, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState<DrillForm>(() => freshDrillForm(view, token, subject));
  const { errors, plan, will, reset } = checkDrill(view, token, form);
  const serial = effectiveTarget(view, token, form.target);
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      marks={marks}
      trail={trail}
      will={will}
      errors={drillErrorList(errors, reset)}
      plan={plan}
    >
      <Card>
        <Picker
          label={words.key}
          placeholder={token.inspected ? words.keysNone : text.token.reading}
          value={effectiveDrillKey(token, form)}
          error={token.inspected ? errors.keyLabel : undefined}
          onChange={(keyLabel) => {
            setForm({ ...form, keyLabel });
          }}
          choices={provableKeys(token).map((label) => ({ value: label, title: label }))}
        />
        <TargetPicker
          view={view}
          token={token}
          value={serial}
          error={errors.target}
          offersItself
          onChange={(target) => {
            setForm({ ...form, target });
          }}
        />
        {reset === undefined ? null : (
          <Note tone="bad" shape="stop" title={words.sameDangerTitle}>
            <p>{words.sameDanger(tokenTitle(token))}</p>
          </Note>
        )}
      </Card>
      {reset === undefined ? null : (
        <>
          <DkekShares
            view={view}
            token={token}
            form={form.reset}
            errors={reset.errors}
            warnings={reset.shareWarnings}
            onChange={(changed) => {
              setForm({ ...form, reset: changed });
            }}
          />
          <DevicePins
            form={form.reset}
            errors={reset.errors}
            warnings={reset.pinWarnings}
            onChange={(changed) => {
              setForm({ ...form, reset: changed });
            }}
          />
        </>
      )}
    </PlanLayout>
  );
}
