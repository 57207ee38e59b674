import type { ReactNode } from 'react';
import { FileLock2, Plus, X } from 'lucide-react';
import type { AppView, TokenView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { Choices, LineField, Picker, Stepper } from '../../ui/Fields.tsx';
import { Actions, Card, Items, Mono, Note } from '../../ui/Pieces.tsx';
import { inGroups } from '../../views/groups.ts';
import { tokenTitle } from '../../views/token-title.ts';
import {
  freshShare,
  namesIn,
  resizeShares,
  type DeviceErrors,
  type DeviceSetupForm,
  type DkekShareForm,
} from './device-setup-form.ts';
import styles from './plans.module.css';

const css = classesOf(styles);
const words = text.plans.deviceSetup;

/** The shares of a DKEK: how many, whose, and for one that exists its files and the value that must come out. */
export function DkekShares(props: {
  readonly view: AppView;
  readonly token: TokenView;
  readonly form: DeviceSetupForm;
  readonly errors: DeviceErrors;
  readonly warnings: readonly string[];
  readonly onChange: (form: DeviceSetupForm) => void;
}): ReactNode {
  const { form } = props;
  const existing = form.origin === 'existing';
  const setShares = (shares: readonly DkekShareForm[]): void => {
    props.onChange({ ...form, shares });
  };
  return (
    <Card title={existing ? words.filesTitle : words.shareCount}>
      {existing ? (
        <ExpectedValue {...props} />
      ) : (
        <Stepper
          label={words.shareCount}
          help={words.shareCountHelp}
          term="dkek-share"
          minimum={1}
          maximum={16}
          value={form.shares.length}
          onChange={(count) => {
            setShares(resizeShares(form.shares, count));
          }}
        />
      )}
      {form.shares.map((share, at) => (
        <Share
          key={at}
          number={at + 1}
          share={share}
          existing={existing}
          error={props.errors.shares[at]}
          onChange={(changed) => {
            setShares(form.shares.map((before, index) => (index === at ? changed : before)));
          }}
          {...(existing && form.shares.length > 1
            ? {
                onRemove: () => {
                  setShares(form.shares.filter((_, index) => index !== at));
                },
              }
            : {})}
        />
      ))}
      {existing && form.shares.length < 16 ? (
        <Actions>
          <Button
            icon={<Plus size={18} aria-hidden />}
            onPress={() => {
              setShares([...form.shares, freshShare]);
            }}
          >
            {words.addFile}
          </Button>
        </Actions>
      ) : null}
      {props.warnings.length === 0 ? null : (
        <Note tone="warn" shape="alert">
          <Items items={props.warnings} />
        </Note>
      )}
    </Card>
  );
}

function ExpectedValue(props: {
  readonly view: AppView;
  readonly token: TokenView;
  readonly form: DeviceSetupForm;
  readonly errors: DeviceErrors;
  readonly onChange: (form: DeviceSetupForm) => void;
}): ReactNode {
  const { form } = props;
  const devices = props.view.tokens.flatMap((each) => {
    const value = each.device?.dkek.kind === 'ready' ? each.device.dkek.keyCheckValue : '';
    return value === '' ? [] : [{ token: each, value }];
  });
  const typed = form.expectedKeyCheckValue.replace(/\s/gu, '').toLowerCase();
  const chosen = devices.find(({ value }) => value === typed);
  return (
    <div className={css('pair')}>
      {devices.length === 0 ? null : (
        <Picker
          label={words.match}
          placeholder={words.matchNone}
          value={chosen?.token.serial ?? ''}
          onChange={(serial) => {
            const found = devices.find(({ token }) => token.serial === serial);
            if (found !== undefined) props.onChange({ ...form, expectedKeyCheckValue: inGroups(found.value) });
          }}
          choices={devices.map(({ token, value }) => ({
            value: token.serial,
            title: tokenTitle(token),
            help: inGroups(value),
          }))}
        />
      )}
      <LineField
        label={words.keyCheckValue}
        help={words.keyCheckValueHelp}
        term="key-check-value"
        value={form.expectedKeyCheckValue}
        error={props.errors.keyCheckValue}
        maximumLength={40}
        onChange={(expectedKeyCheckValue) => {
          props.onChange({ ...form, expectedKeyCheckValue });
        }}
      />
    </div>
  );
}

function Share(props: {
  readonly number: number;
  readonly share: DkekShareForm;
  readonly existing: boolean;
  readonly error: string | undefined;
  readonly onChange: (share: DkekShareForm) => void;
  readonly onRemove?: () => void;
}): ReactNode {
  const { share, number } = props;
  const choose = async (): Promise<void> => {
    const reply = await act('dkek.choose-share-file', {});
    if (reply?.chosen !== true) return;
    props.onChange({ ...share, fileName: reply.fileName, fileBase64: reply.fileBase64 });
  };
  const fileMissing = props.existing && share.fileBase64 === '';
  const custodians = namesIn(share.custodians);
  return (
    <div className={css('source')} role="group" aria-label={words.share(number)}>
      <div className={css('sourceHead')}>
        <strong>{words.share(number)}</strong>
        {props.onRemove === undefined ? null : (
          <Button
            look="quiet"
            icon={<X size={18} aria-hidden />}
            name={words.removeShare(number)}
            onPress={props.onRemove}
          >
            {words.remove}
          </Button>
        )}
      </div>
      {props.existing ? (
        <div className={css('file')}>
          <Button
            icon={<FileLock2 size={18} aria-hidden />}
            name={`${fileMissing ? words.chooseFile : words.otherFile} ${words.fileOf(number)}`}
            onPress={() => void choose()}
          >
            {fileMissing ? words.chooseFile : words.otherFile}
          </Button>
          {fileMissing ? <span className={css('quiet')}>{words.fileNone}</span> : <Mono>{share.fileName}</Mono>}
        </div>
      ) : null}
      <Choices
        label={words.protection(number)}
        value={share.protection}
        onChange={(protection) => {
          props.onChange({ ...share, protection });
        }}
        choices={(['split', 'password'] as const).map((value) => ({
          value,
          title: words.protections[value],
          help: words.protectionHelp[value],
        }))}
      />
      {share.protection === 'password' ? (
        <LineField
          label={words.custodian(number)}
          term="custodian"
          value={share.custodian}
          error={fileMissing ? undefined : props.error}
          maximumLength={80}
          onChange={(custodian) => {
            props.onChange({ ...share, custodian });
          }}
        />
      ) : (
        <div className={css('pair')}>
          <LineField
            multiline
            label={words.custodians(number)}
            help={words.custodiansHelp}
            value={share.custodians}
            error={fileMissing ? undefined : props.error}
            maximumLength={1400}
            onChange={(names) => {
              props.onChange({ ...share, custodians: names });
            }}
          />
          <Stepper
            label={words.threshold(number)}
            minimum={2}
            maximum={16}
            value={share.threshold}
            {...(custodians.length >= 3 && share.threshold <= custodians.length
              ? { help: words.sentence(share.threshold, custodians.length) }
              : {})}
            onChange={(threshold) => {
              props.onChange({ ...share, threshold });
            }}
          />
        </div>
      )}
    </div>
  );
}
