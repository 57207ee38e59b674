import type { ReactNode } from 'react';
import type { AppView } from '../../../electron/contract/views.ts';
import { paths, type Place, type TokenTab } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Page } from '../../ui/Pieces.tsx';
import { RehearsalMark } from '../../ui/StateMark.tsx';
import { tokenTitle } from '../../views/token-title.ts';
import { BackupDrillPlanPage } from './BackupDrillPlanPage.tsx';
import { CertificatePlanPage } from './CertificatePlanPage.tsx';
import { DeviceClonePlanPage } from './DeviceClonePlanPage.tsx';
import { PinChangePlanPage } from './PinChangePlanPage.tsx';
import { SecretStorePlanPage } from './SecretStorePlanPage.tsx';
import { ValueReadOutPlanPage } from './ValueReadOutPlanPage.tsx';
import { ValuesRewrapPlanPage } from './ValuesRewrapPlanPage.tsx';
import type { TokenActProps } from './token-act-props.ts';
import { useInspection } from './use-inspection.ts';

type ActPlace = Extract<Place, { page: 'plan-token-act' }>;

const tabs: Readonly<Record<ActPlace['act'], TokenTab>> = {
  'backup-drill': 'backup',
  'device-clone': 'backup',
  'pin-change': 'pins',
  'certificate-store': 'objects',
  'value-read-out': 'values',
  'values-rewrap': 'values',
  'secret-store': 'values',
};

/** A plan about one token that is here; where it was unplugged meanwhile, the page says so and waits for it. */
export function TokenActPage({ view, place }: { readonly view: AppView; readonly place: ActPlace }): ReactNode {
  const token = view.tokens.find((each) => each.storeId === place.storeId && each.serial === place.serial);
  useInspection(token);
  const trail = [
    { title: text.token.trail, path: paths.tokens },
    {
      title: token === undefined ? text.token.identity(place.serial) : tokenTitle(token),
      path: paths.token(place.storeId, place.serial, tabs[place.act]),
    },
  ];
  if (token === undefined) {
    return (
      <Page title={text.plans.common.goneTitle} trail={trail}>
        <p>{text.token.goneText(place.serial)}</p>
      </Page>
    );
  }
  const marks = token.rehearsal ? <RehearsalMark /> : undefined;
  const given: TokenActProps = { view, token, subject: place.subject, trail, marks };
  switch (place.act) {
    case 'backup-drill':
      return <BackupDrillPlanPage {...given} />;
    case 'device-clone':
      return <DeviceClonePlanPage {...given} />;
    case 'pin-change':
      return <PinChangePlanPage {...given} />;
    case 'certificate-store':
      return <CertificatePlanPage {...given} />;
    case 'value-read-out':
      return <ValueReadOutPlanPage {...given} />;
    case 'values-rewrap':
      return <ValuesRewrapPlanPage {...given} />;
    case 'secret-store':
      return <SecretStorePlanPage {...given} />;
  }
}
