import type { ReactNode } from 'react';
import { FileKey } from 'lucide-react';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField } from '../../ui/Fields.tsx';
import { Card, Fact, Facts, PathText } from '../../ui/Pieces.tsx';
import { etcdFiles, type EtcdFile, type KmsVerifyErrors, type KmsVerifyForm } from './kms-verify-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.kmsVerify;

/** How etcd is read: inside its Pod, or from here with a client certificate whose files main's dialogs name. */
export function EtcdChoice(props: {
  readonly form: KmsVerifyForm;
  readonly errors: KmsVerifyErrors;
  readonly onChange: (part: Partial<KmsVerifyForm>) => void;
}): ReactNode {
  const { form, errors, onChange } = props;
  return (
    <Card title={words.etcdTitle}>
      <Choices
        label={words.etcd}
        value={form.etcd}
        stacked
        onChange={(etcd) => {
          onChange({ etcd });
        }}
        choices={[
          { value: 'pod', title: words.inPod, help: words.inPodHelp },
          { value: 'address', title: words.byAddress, help: words.byAddressHelp },
        ]}
      />
      {form.etcd === 'address' ? <ByAddress {...props} /> : null}
      <div className={css('short')}>
        {form.etcd === 'pod' ? (
          <LineField
            label={words.pod}
            help={words.podHelp}
            value={form.pod}
            maximumLength={253}
            error={errors.pod}
            onChange={(pod) => {
              onChange({ pod });
            }}
          />
        ) : (
          <LineField
            label={words.address}
            help={words.addressHelp}
            value={form.address}
            maximumLength={2048}
            error={errors.address}
            onChange={(address) => {
              onChange({ address });
            }}
          />
        )}
        <LineField
          label={words.prefix}
          help={words.prefixHelp}
          value={form.prefix}
          maximumLength={200}
          error={errors.prefix}
          onChange={(prefix) => {
            onChange({ prefix });
          }}
        />
      </div>
    </Card>
  );
}

function ByAddress(props: {
  readonly form: KmsVerifyForm;
  readonly onChange: (part: Partial<KmsVerifyForm>) => void;
}): ReactNode {
  const { files } = props.form;
  const choose = async (part: EtcdFile): Promise<void> => {
    const reply = await act('etcd.choose-file', { part });
    if (reply !== undefined && reply.path !== '') props.onChange({ files: { ...files, [part]: reply.path } });
  };
  return (
    <>
      <Facts>
        {etcdFiles.map((part) => (
          <Fact key={part} name={words.files[part]} wide>
            <span className={css('file')}>
              {files[part] === '' ? (
                <span className={css('quiet')}>{words.fileNone}</span>
              ) : (
                <PathText path={files[part]} />
              )}
              <Button icon={<FileKey size={18} aria-hidden />} onPress={() => void choose(part)}>
                {words.choose[part]}
              </Button>
            </span>
          </Fact>
        ))}
      </Facts>
      <p className={css('quiet')}>{words.filesNote}</p>
    </>
  );
}
