import { useState, type ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { paths } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Choices, LineField, Picker } from '../../ui/Fields.tsx';
import { Card, Items, Note } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { isSmartCardHsm } from '../../views/devices.ts';
import { tokenTitle } from '../../views/token-title.ts';
import { freshDeviceForm, type DeviceSetupForm } from './device-setup-form.ts';
import { DevicePins } from './DevicePins.tsx';
import { DkekChoice } from './DkekChoice.tsx';
import { DkekShares } from './DkekShares.tsx';
import { KeyKindChoice } from './KeyKindChoice.tsx';
import { PlanLayout } from './PlanLayout.tsx';
import {
  checkTokenSetup,
  lossesOf,
  proposeLabel,
  tokenKey,
  tokenSetupErrorList,
  tokenSetupFormFor,
  type TokenSetupForm,
} from './token-setup-form.ts';
import { useInspection } from './use-inspection.ts';

const words = text.plans.tokenSetup;

export function TokenSetupPlanPage({
  view,
  storeId,
  slotId,
}: {
  readonly view: AppView;
  readonly storeId: string;
  readonly slotId: string;
}): ReactNode {
  const [decided, setDecided] = useState<TokenSetupForm>();
  const form = tokenSetupFormFor(view, storeId, slotId, decided);
  // Settled once there is a token, so that later changes to the list never swap it.
  if (form.token !== '' && form !== decided) setDecided(form);
  const change = (part: Partial<TokenSetupForm>): void => {
    setDecided({ ...form, ...part });
  };
  const token = view.tokens.find((each) => tokenKey(each) === form.token);
  useInspection(token);
  const { errors, plan, will, device } = checkTokenSetup(view, form);
  const changeDevice = (changed: DeviceSetupForm): void => {
    change({ device: changed });
  };
  const initialize = form.initialize || token?.initialized !== true;
  return (
    <PlanLayout
      title={words.title}
      lead={words.lead}
      trail={
        token === undefined || token.serial === ''
          ? undefined
          : [
              { title: text.token.trail, path: paths.tokens },
              { title: tokenTitle(token), path: paths.token(token.storeId, token.serial) },
            ]
      }
      marks={token?.rehearsal === true ? <RehearsalMark /> : undefined}
      will={will}
      errors={tokenSetupErrorList(errors, device)}
      plan={plan}
    >
      <Card>
        <Picker
          label={words.token}
          term="token"
          placeholder={words.tokenNone}
          value={form.token}
          error={form.token === '' ? undefined : errors.token}
          onChange={(key) => {
            const chosen = view.tokens.find((each) => tokenKey(each) === key);
            const fresh = freshDeviceForm(chosen, form.device.pinHolder);
            change({
              token: key,
              initialize: chosen?.initialized !== true,
              label: proposeLabel(view, chosen),
              device: { ...form.device, currentSoPin: fresh.currentSoPin, newSoPin: fresh.newSoPin },
            });
          }}
          choices={view.tokens.map((each) => ({
            value: tokenKey(each),
            title: each.initialized
              ? words.tokenOption(each.label, each.serial, each.storeName)
              : isSmartCardHsm(each) && each.serial !== ''
                ? words.deviceOption(each.serial, each.storeName)
                : words.slotOption(each.slotId, each.storeName),
            disabled: each.writeProtected,
          }))}
        />
        {token?.initialized === true ? (
          <Choices
            label={words.mode}
            value={form.initialize ? 'erase' : 'keep'}
            error={errors.mode}
            onChange={(mode) => {
              change({ initialize: mode === 'erase' });
            }}
            choices={[
              { value: 'keep', title: words.keep, help: words.keepHelp },
              { value: 'erase', title: words.erase, help: words.eraseHelp },
            ]}
          />
        ) : null}
        {token?.initialized === true && form.initialize ? (
          <Note tone="bad" shape="stop" title={words.lostTitle}>
            <Items marks="bullets" items={lossesOf(token)} />
          </Note>
        ) : null}
        {initialize ? (
          <LineField
            label={words.label}
            help={words.labelHelp}
            value={form.label}
            error={errors.label}
            onChange={(label) => {
              change({ label });
            }}
          />
        ) : null}
      </Card>
      {device === undefined || token === undefined ? null : (
        <>
          <DkekChoice form={form.device} onChange={changeDevice} />
          {form.device.dkek === 'shares' ? (
            <DkekShares
              view={view}
              token={token}
              form={form.device}
              errors={device.errors}
              warnings={device.shareWarnings}
              onChange={changeDevice}
            />
          ) : null}
          <DevicePins form={form.device} errors={device.errors} warnings={device.pinWarnings} onChange={changeDevice} />
        </>
      )}
      <Card>
        <LineField
          label={words.keyLabel}
          help={words.keyLabelHelp}
          term="key-label"
          value={form.keyLabel}
          error={errors.keyLabel}
          onChange={(keyLabel) => {
            change({ keyLabel });
          }}
        />
        <KeyKindChoice
          label={words.kind}
          value={form.keyKind}
          onChange={(keyKind) => {
            change({ keyKind });
          }}
        />
      </Card>
    </PlanLayout>
  );
}
