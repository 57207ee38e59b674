import type { ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Choices } from '../../ui/Fields.tsx';
import { Card, Note } from '../../ui/Pieces.tsx';
import { freshShare, type DeviceSetupForm } from './device-setup-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.deviceSetup;

/** Whether and how keys can ever be backed up: explained before anything is erased. */
export function DkekChoice(props: {
  readonly form: DeviceSetupForm;
  readonly onChange: (form: DeviceSetupForm) => void;
}): ReactNode {
  const { form } = props;
  return (
    <Card title={words.backupTitle}>
      <p className={css('explained')}>{words.backupLead}</p>
      <Choices
        stacked
        label={words.dkek}
        term="dkek"
        value={form.dkek}
        onChange={(dkek) => {
          props.onChange({ ...form, dkek });
        }}
        choices={(['shares', 'random', 'none'] as const).map((value) => ({
          value,
          title: words.kinds[value],
          help: words.kindHelp[value],
        }))}
      />
      {form.dkek === 'none' ? (
        <Note tone="bad" shape="stop" title={words.noneTitle}>
          <p>{words.noneText}</p>
        </Note>
      ) : null}
      {form.dkek === 'shares' ? (
        <Choices
          label={words.origin}
          value={form.origin}
          onChange={(origin) => {
            props.onChange({ ...form, origin, shares: form.shares.length === 0 ? [freshShare] : form.shares });
          }}
          choices={(['new', 'existing'] as const).map((value) => ({
            value,
            title: words.origins[value],
            help: words.originHelp[value],
          }))}
        />
      ) : null}
    </Card>
  );
}
