import { useState, type ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { Choices } from '../../ui/Fields.tsx';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import { twinsOf } from '../../views/devices.ts';
import { checkClone, copiedInWords, effectiveTarget, freshCloneForm } from './backup-forms.ts';
import { PlanLayout } from './PlanLayout.tsx';
import { TargetPicker } from './TargetPicker.tsx';
import type { TokenActProps } from './token-act-props.ts';
import { useInspection } from './use-inspection.ts';

const words = text.plans.clone;

export function DeviceClonePlanPage({ view, token, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState(freshCloneForm);
  const serial = effectiveTarget(view, token, form.target);
  useInspection(twinsOf(view, token).find((each) => each.serial === serial));
  const { errors, plan, will, warnings } = checkClone(view, token, form);
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
      <Card title={words.moved}>
        <Items marks="bullets" items={copiedInWords(token)} label={words.moved} />
      </Card>
      <Card>
        <TargetPicker
          view={view}
          token={token}
          value={serial}
          error={errors.target}
          onChange={(target) => {
            setForm({ ...form, target });
          }}
        />
        {warnings.length === 0 ? null : (
          <Note tone="warn" shape="alert">
            <Items items={warnings} />
          </Note>
        )}
        <Choices
          label={words.mode}
          value={form.replace ? 'replace' : 'clone'}
          onChange={(mode) => {
            setForm({ ...form, replace: mode === 'replace' });
          }}
          choices={(['clone', 'replace'] as const).map((value) => ({
            value,
            title: words.modes[value],
            help: words.modeHelp[value],
          }))}
        />
      </Card>
    </PlanLayout>
  );
}
