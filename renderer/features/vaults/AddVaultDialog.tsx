import { useState, type ReactNode } from 'react';
import type { ChannelReply } from '../../../electron/contract/channels.ts';
import type { FailureView } from '../../../electron/contract/views.ts';
import { getBridge } from '../../bridge/bridge.ts';
import { paths, useNavigation } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { Sheet } from '../../ui/Dialogs.tsx';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { Choices, LineField, Tick } from '../../ui/Fields.tsx';
import { Actions, Fact, Facts, Hash, Mono } from '../../ui/Pieces.tsx';
import { formatTime } from '../../views/times.ts';
import { addressLines, checkAddVault, type AddVaultForm } from './add-vault-form.ts';

const words = text.vaults.dialog;
const fresh: AddVaultForm = {
  name: '',
  addresses: 'https://',
  trust: 'system',
  caPath: '',
  certificateSha256: '',
  compared: false,
};

type Certificate = ChannelReply<'vaults.fetch-certificate'>;

export function AddVaultDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }): ReactNode {
  const go = useNavigation((state) => state.go);
  const [form, setForm] = useState(fresh);
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [certificate, setCertificate] = useState<Certificate>();
  const [problem, setProblem] = useState<FailureView>();
  const errors = checkAddVault(form);
  const change = (part: Partial<AddVaultForm>): void => {
    setForm((before) => ({ ...before, ...part }));
    setProblem(undefined);
  };
  const close = (): void => {
    setForm(fresh);
    setShown(false);
    setCertificate(undefined);
    setProblem(undefined);
    onClose();
  };
  const chooseCa = async (): Promise<void> => {
    const answer = await getBridge().call('vaults.choose-ca-file', {});
    if (!answer.ok) setProblem(answer.error);
    else if (answer.value.path !== '') change({ caPath: answer.value.path });
  };
  const fetchCertificate = async (): Promise<void> => {
    setBusy(true);
    const answer = await getBridge().call('vaults.fetch-certificate', {
      address: addressLines(form.addresses)[0] ?? '',
    });
    setBusy(false);
    if (!answer.ok) {
      setProblem(answer.error);
      return;
    }
    setCertificate(answer.value);
    change({ certificateSha256: answer.value.sha256, compared: false });
  };
  const add = async (): Promise<void> => {
    setShown(true);
    if (Object.keys(errors).length > 0) return;
    setBusy(true);
    const trust =
      form.trust === 'ca-file'
        ? ({ kind: 'ca-file', path: form.caPath } as const)
        : form.trust === 'pinned'
          ? ({ kind: 'pinned', sha256: form.certificateSha256 } as const)
          : ({ kind: 'system' } as const);
    const answer = await getBridge().call('vaults.add', {
      name: form.name.trim(),
      addresses: [...addressLines(form.addresses)],
      trust,
    });
    setBusy(false);
    if (!answer.ok) {
      setProblem(answer.error);
      return;
    }
    close();
    go(paths.vault(answer.value.vaultId));
  };
  const shownError = (error: string | undefined): string | undefined => (shown ? error : undefined);
  return (
    <Sheet
      title={words.title}
      open={open}
      onClose={close}
      actions={
        <>
          <Button onPress={close}>{text.common.cancel}</Button>
          <Button look="primary" pending={busy} onPress={() => void add()}>
            {words.confirm}
          </Button>
        </>
      }
    >
      <LineField
        label={words.name}
        help={words.nameHelp}
        value={form.name}
        onChange={(name) => {
          change({ name });
        }}
        maximumLength={80}
        error={shownError(errors.name)}
        autoFocus
      />
      <LineField
        multiline
        label={words.addresses}
        help={words.addressesHelp}
        value={form.addresses}
        onChange={(addresses) => {
          change({ addresses });
        }}
        maximumLength={4096}
        error={shownError(errors.addresses)}
      />
      <Choices
        label={words.trust}
        value={form.trust}
        onChange={(trust) => {
          change({ trust });
        }}
        error={shownError(errors.trust)}
        choices={[
          { value: 'system', title: words.system, help: words.systemHelp },
          { value: 'ca-file', title: words.ca, help: words.caHelp },
          { value: 'pinned', title: words.pinned, help: words.pinnedHelp },
        ]}
      />
      {form.trust === 'ca-file' ? (
        <Actions>
          <Button onPress={() => void chooseCa()}>{words.caChoose}</Button>
          {form.caPath === '' ? words.caNone : <Mono>{form.caPath}</Mono>}
        </Actions>
      ) : null}
      {form.trust === 'pinned' ? (
        <>
          <Actions>
            <Button pending={busy} onPress={() => void fetchCertificate()}>
              {words.fetch}
            </Button>
          </Actions>
          {certificate === undefined ? null : (
            <>
              <h3>{words.fetched}</h3>
              <Facts>
                <Fact name="SHA-256" wide>
                  <Hash value={certificate.sha256} />
                </Fact>
                <Fact name={words.subject}>{certificate.subject}</Fact>
                <Fact name={words.issuer}>{certificate.issuer}</Fact>
                <Fact
                  name={words.valid}
                >{`${formatTime(certificate.validFrom)} – ${formatTime(certificate.validTo)}`}</Fact>
              </Facts>
              <Tick
                label={words.compare}
                checked={form.compared}
                onChange={(compared) => {
                  change({ compared });
                }}
              />
            </>
          )}
        </>
      ) : null}
      {problem === undefined ? null : <FailureBox failure={problem} />}
    </Sheet>
  );
}
