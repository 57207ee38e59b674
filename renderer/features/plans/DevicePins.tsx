import type { ReactNode } from 'react';
import { text } from '../../text/en.ts';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField, Stepper, Tick } from '../../ui/Fields.tsx';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import type { DeviceErrors, DeviceSetupForm } from './device-setup-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.deviceSetup;

/** The SO-PIN in force, who keeps which PIN, and when the PIN locks. */
export function DevicePins(props: {
  readonly form: DeviceSetupForm;
  readonly errors: DeviceErrors;
  readonly warnings: readonly string[];
  readonly onChange: (form: DeviceSetupForm) => void;
}): ReactNode {
  const { form, errors } = props;
  const change = (part: Partial<DeviceSetupForm>): void => {
    props.onChange({ ...form, ...part });
  };
  return (
    <Card title={words.pinsTitle}>
      <Choices
        label={words.currentSoPin}
        term="so-pin"
        value={form.currentSoPin}
        onChange={(currentSoPin) => {
          change({ currentSoPin, newSoPin: currentSoPin === 'factory' ? true : form.newSoPin });
        }}
        choices={(['factory', 'typed'] as const).map((value) => ({
          value,
          title: words.current[value],
          help: words.currentHelp[value],
        }))}
      />
      {form.currentSoPin === 'factory' ? (
        <Note tone="calm" shape="notice">
          <p>{`${words.newSoPinForced} ${words.soPinForm}`}</p>
        </Note>
      ) : (
        <div>
          <Tick
            label={words.newSoPin}
            checked={form.newSoPin}
            onChange={(newSoPin) => {
              change({ newSoPin });
            }}
          />
          {form.newSoPin ? <p className={css('quiet')}>{words.soPinForm}</p> : null}
        </div>
      )}
      <div className={css('pair')}>
        <LineField
          label={words.soPinHolder}
          help={words.holderHelp}
          value={form.soPinHolder}
          error={errors.soPinHolder}
          maximumLength={80}
          onChange={(soPinHolder) => {
            change({ soPinHolder });
          }}
        />
        <LineField
          label={words.pinHolder}
          value={form.pinHolder}
          error={errors.pinHolder}
          maximumLength={80}
          onChange={(pinHolder) => {
            change({ pinHolder });
          }}
        />
      </div>
      {props.warnings.length === 0 ? null : (
        <Note tone="warn" shape="alert">
          <Items items={props.warnings} />
        </Note>
      )}
      <Stepper
        label={words.retryLimit}
        help={words.retryLimitHelp}
        term="retry-limit"
        minimum={1}
        maximum={10}
        value={form.retryLimit}
        error={errors.retryLimit}
        onChange={(retryLimit) => {
          change({ retryLimit });
        }}
      />
      <div>
        <Tick
          label={words.allowReset}
          checked={form.allowPinResetWithSoPin}
          onChange={(allowPinResetWithSoPin) => {
            change({ allowPinResetWithSoPin });
          }}
        />
        <p className={css('quiet')}>{words.allowResetHelp}</p>
      </div>
    </Card>
  );
}
