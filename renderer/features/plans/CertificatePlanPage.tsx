import { useState, type ReactNode } from 'react';
import { FileBadge } from 'lucide-react';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { LineField, Picker } from '../../ui/Fields.tsx';
import { Card, Fact, Facts, Hash, Note } from '../../ui/Pieces.tsx';
import { formatTime } from '../../views/times.ts';
import {
  checkCertificate,
  freshCertificateForm,
  keysForCertificate,
  takeCertificate,
  type CertificateForm,
} from './certificate-form.ts';
import { PlanLayout } from './PlanLayout.tsx';
import type { TokenActProps } from './token-act-props.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.certificate;
/** A picker has no empty value; an id is hex, so this is none. */
const noKey = 'none';

export function CertificatePlanPage({ token, trail, marks }: TokenActProps): ReactNode {
  const [form, setForm] = useState<CertificateForm>(freshCertificateForm);
  const [now] = useState(() => new Date());
  const { errors, plan, will, expired, requestLost } = checkCertificate(token, form, now);
  const choose = async (): Promise<void> => {
    const reply = await act('tokens.choose-certificate', {});
    if (reply?.chosen !== true) return;
    const { fileName, fileBase64, subject, notAfter, sha256 } = reply;
    setForm((before) => takeCertificate(before, { fileName, fileBase64, subject, notAfter, sha256 }));
  };
  const { file } = form;
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
      <Card title={words.file}>
        {file === undefined ? (
          <p className={css('quiet')}>{words.none}</p>
        ) : (
          <Facts>
            <Fact name={words.file}>{file.fileName}</Fact>
            <Fact name={words.validUntil}>{formatTime(file.notAfter)}</Fact>
            <Fact name={words.subject} wide>
              {file.subject}
            </Fact>
            <Fact name={words.fingerprint} wide>
              <Hash value={file.sha256} />
            </Fact>
          </Facts>
        )}
        {expired ? (
          <Note tone="warn" shape="alert">
            <p>{words.expired}</p>
          </Note>
        ) : null}
        <div>
          <Button icon={<FileBadge size={18} aria-hidden />} onPress={() => void choose()}>
            {file === undefined ? words.choose : words.other}
          </Button>
        </div>
      </Card>
      <Card>
        <LineField
          label={words.label}
          value={form.label}
          error={file === undefined ? undefined : errors.label}
          onChange={(label) => {
            setForm({ ...form, label });
          }}
        />
        <Picker
          label={words.key}
          help={words.keyHelp}
          value={form.id === '' ? noKey : form.id}
          onChange={(id) => {
            setForm({ ...form, id: id === noKey ? '' : id });
          }}
          choices={[
            { value: noKey, title: words.keyNone },
            ...keysForCertificate(token).map((row) => ({
              value: row.id,
              title: row.label === '' ? row.id : row.label,
              help: [row.kind, row.id].filter((part) => part !== '').join(', '),
            })),
          ]}
        />
        {errors.id === undefined ? null : (
          <Note tone="bad" shape="stop" title={words.presentTitle}>
            <p>{errors.id}</p>
          </Note>
        )}
        {requestLost ? (
          <Note tone="warn" shape="alert">
            <p>{words.requestLost}</p>
          </Note>
        ) : null}
      </Card>
    </PlanLayout>
  );
}
