/** What is decided before a certificate is put on a token. Pure. */
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { TokenView } from '../../../electron/contract/views.ts';
import type { CertificateStorePlan } from '../../../electron/workflows/device-plans.ts';
import { text } from '../../text/en.ts';
import { tokenOfPlan } from '../../views/token-reference.ts';
import { objectRows, type ObjectRow } from '../../views/token-objects.ts';
import type { Checked } from './token-setup-form.ts';

const words = text.plans.certificate;

export type ChosenCertificate = Omit<ChannelReply<'tokens.choose-certificate'>, 'chosen'>;

export interface CertificateForm {
  readonly file: ChosenCertificate | undefined;
  readonly label: string;
  /** Id of the key that it belongs to, hex; '' for none. */
  readonly id: string;
}

export const freshCertificateForm: CertificateForm = { file: undefined, label: '', id: '' };

/** The common name of a subject such as 'CN=web,O=Example', for a label; '' where it has none. */
export function commonNameOf(subject: string): string {
  return /(?:^|,)\s*CN=(?<name>[^,]+)/iu.exec(subject)?.groups?.['name']?.trim() ?? '';
}

/** A file was chosen: an empty label takes the certificate's common name. */
export function takeCertificate(form: CertificateForm, file: ChosenCertificate): CertificateForm {
  const proposed = commonNameOf(file.subject);
  return { ...form, file, label: form.label.trim() === '' ? proposed : form.label };
}

/** Key pairs that a certificate can belong to: those with an id. */
export function keysForCertificate(token: TokenView): readonly ObjectRow[] {
  return objectRows(token.objects)
    .filter((row) => row.objectClass.endsWith('key') || row.objectClass === 'key-pair')
    .filter(
      (row, at, all) =>
        row.id !== '' && row.objectClass !== 'secret-key' && all.findIndex((each) => each.id === row.id) === at,
    );
}

export function checkCertificate(
  token: TokenView,
  form: CertificateForm,
  now: Date,
): Checked<CertificateStorePlan, Readonly<Partial<Record<'file' | 'label' | 'id', string>>>> & {
  readonly expired: boolean;
  /** The certificate takes the place of the request by which a SmartCard-HSM's key is attested. */
  readonly requestLost: boolean;
} {
  const label = form.label.trim();
  const taken = token.objects.some(
    (each) => each.objectClass === 'certificate' && each.label === label && each.id === form.id,
  );
  const ofKey = token.device !== null && form.id !== '';
  // A SmartCard-HSM keeps one for each key, whatever its label.
  const present = token.objects.find((each) => ofKey && each.objectClass === 'certificate' && each.id === form.id);
  const errors = {
    ...(form.file === undefined ? { file: words.errorFile } : {}),
    ...(label === '' ? { label: words.errorLabel } : taken ? { label: words.errorTaken(label) } : {}),
    ...(present === undefined
      ? {}
      : { id: words.errorPresent(present.subject === '' ? present.label : present.subject) }),
  };
  const requestLost = ofKey && present === undefined;
  const will = [
    words.will.logIn,
    ...(requestLost ? [words.will.keepRequest] : []),
    words.will.store(label),
    words.will.readBack,
  ];
  const end = form.file === undefined ? Number.NaN : Date.parse(form.file.notAfter);
  const expired = !Number.isNaN(end) && end < now.getTime();
  if (form.file === undefined || Object.keys(errors).length > 0) {
    return { errors, plan: undefined, will, expired, requestLost };
  }
  return {
    errors,
    will,
    expired,
    requestLost,
    plan: {
      workflow: 'certificate-store',
      rehearsal: token.rehearsal,
      token: tokenOfPlan(token),
      certificateLabel: label,
      id: form.id,
      fileName: form.file.fileName,
      fileBase64: form.file.fileBase64,
    },
  };
}
