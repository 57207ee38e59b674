import { useEffect, useRef, type ReactNode } from 'react';
import { LockKeyhole } from 'lucide-react';
import type { AppView } from '../../../electron/contract/views.ts';
import { act } from '../../stores/alert-store.ts';
import { useApp } from '../../stores/app-store.ts';
import { pageKey, parsePath, useNavigation, type Place } from '../../stores/navigation-store.ts';
import { text } from '../../text/en.ts';
import { Button } from '../../ui/Button.tsx';
import { classesOf } from '../../ui/classes.ts';
import { FailureBox } from '../../ui/FailureBox.tsx';
import { ClusterPage } from '../clusters/ClusterPage.tsx';
import { ClustersPage } from '../clusters/ClustersPage.tsx';
import { RecipePage } from '../clusters/RecipePage.tsx';
import { HomePage } from '../home/HomePage.tsx';
import { JournalPage } from '../journal/JournalPage.tsx';
import { KmsStatusPage } from '../kms/KmsStatusPage.tsx';
import { KmsVerifyPlanPage } from '../plans/KmsVerifyPlanPage.tsx';
import { SealMigrationPlanPage } from '../plans/SealMigrationPlanPage.tsx';
import { TokenActPage } from '../plans/TokenActPage.tsx';
import { TokenSetupPlanPage } from '../plans/TokenSetupPlanPage.tsx';
import { TransitSetupPlanPage } from '../plans/TransitSetupPlanPage.tsx';
import { UnsealPlanPage } from '../plans/UnsealPlanPage.tsx';
import { VaultInitPlanPage } from '../plans/VaultInitPlanPage.tsx';
import { RunPage } from '../runs/RunPage.tsx';
import { RunsPage } from '../runs/RunsPage.tsx';
import { SettingsPage } from '../settings/SettingsPage.tsx';
import { TokenPage } from '../tokens/TokenPage.tsx';
import { TokensPage } from '../tokens/TokensPage.tsx';
import { VaultPage } from '../vaults/VaultPage.tsx';
import { VaultsPage } from '../vaults/VaultsPage.tsx';
import { AlertList } from './AlertList.tsx';
import { Announcer } from './Announcer.tsx';
import { KeptFocus } from './KeptFocus.tsx';
import { Navigation } from './Navigation.tsx';
import { RehearsalBand } from './RehearsalBand.tsx';
import { useTheme } from './use-theme.ts';
import styles from './shell.module.css';

const css = classesOf(styles);

export function App(): ReactNode {
  const view = useApp((state) => state.view);
  const problem = useApp((state) => state.problem);
  const path = useNavigation((state) => state.path);
  useTheme(view?.settings.theme ?? 'system');
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    main.current?.scrollTo({ top: 0 });
  }, [path]);

  if (view === undefined) {
    return (
      <main className={css('centre')}>
        {problem === undefined ? <p role="status">{text.app.loading}</p> : <FailureBox failure={problem} />}
      </main>
    );
  }
  if (view.locked) return <LockedScreen />;
  return (
    <div className={css('frame')}>
      <a
        className={css('skip')}
        href="#page"
        onClick={(event) => {
          event.preventDefault();
          main.current?.querySelector('h1')?.focus();
        }}
      >
        {text.app.skip}
      </a>
      <RehearsalBand view={view} />
      <Navigation view={view} path={path} />
      <main className={css('main')} id="page" ref={main}>
        <PageOf key={pageKey(path)} place={parsePath(path)} view={view} />
      </main>
      <AlertList />
      <Announcer view={view} />
      <KeptFocus page={main} />
    </div>
  );
}

function PageOf({ place, view }: { readonly place: Place; readonly view: AppView }): ReactNode {
  switch (place.page) {
    case 'home':
      return <HomePage view={view} />;
    case 'tokens':
      return <TokensPage view={view} />;
    case 'token':
      return <TokenPage view={view} storeId={place.storeId} serial={place.serial} tab={place.tab} />;
    case 'vaults':
      return <VaultsPage view={view} />;
    case 'vault':
      return <VaultPage view={view} vaultId={place.vaultId} />;
    case 'clusters':
      return <ClustersPage view={view} />;
    case 'cluster':
      return <ClusterPage view={view} contextId={place.contextId} tab={place.tab} />;
    case 'recipe':
      return <RecipePage view={view} contextId={place.contextId} recipe={place.recipe} />;
    case 'runs':
      return <RunsPage view={view} />;
    case 'run':
      return <RunPage view={view} runId={place.runId} />;
    case 'journal':
      return <JournalPage view={view} />;
    case 'settings':
      return <SettingsPage view={view} />;
    case 'plan-token-setup':
      return <TokenSetupPlanPage view={view} storeId={place.storeId} slotId={place.slotId} />;
    case 'plan-token-act':
      return <TokenActPage view={view} place={place} />;
    case 'plan-vault-init':
      return <VaultInitPlanPage view={view} vaultId={place.vaultId} />;
    case 'plan-unseal':
      return <UnsealPlanPage view={view} vaultId={place.vaultId} />;
    case 'plan-seal-migration':
      return <SealMigrationPlanPage view={view} vaultId={place.vaultId} />;
    case 'plan-transit-setup':
      return <TransitSetupPlanPage view={view} vaultId={place.vaultId} contextId={place.contextId} />;
    case 'kms-status':
      return <KmsStatusPage view={view} contextId={place.contextId} />;
    case 'plan-kms-verify':
      return (
        <KmsVerifyPlanPage
          view={view}
          contextId={place.contextId}
          provider={place.provider}
          reencrypt={place.reencrypt}
        />
      );
  }
}

function LockedScreen(): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
    document.title = `${text.locked.title}: ${text.app.name}`;
  }, []);
  return (
    <main className={css('centre')}>
      <span className={css('seal')} aria-hidden>
        <LockKeyhole size={40} />
      </span>
      <h1 ref={heading} tabIndex={-1}>
        {text.locked.title}
      </h1>
      <p>{text.locked.text}</p>
      <Button look="primary" large onPress={() => void act('app.unlock', {})}>
        {text.locked.unlock}
      </Button>
      <AlertList />
    </main>
  );
}
